import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Commit, StorePorts } from '../../src/ports/store.ts'
import { openRedis, type RedisStore } from '../../src/store/redis.ts'
import { type RealRedis, startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { createRedisPlace, openTestRedis, redisSettings } from './redis-place.ts'
import { sampleCommit, sampleEvent, sampleFact, sampleState } from './samples.ts'

const binary = requireServer('redis-server', 'the suite of the store in Redis')
const HOUR_MS = 3_600_000

describe.skipIf(binary === null)('a store in Redis', () => {
  let redis: RealRedis
  let place: ReturnType<typeof createRedisPlace>
  const opened: StorePorts[] = []

  beforeAll(async () => {
    redis = await startRedis(binary ?? '', ['--appendfsync', 'always', '--repl-diskless-sync-delay', '0'])
  })
  afterAll(() => redis.stop())
  beforeEach(() => {
    place = createRedisPlace(redis)
  })
  afterEach(async () => {
    for (const { store } of opened.splice(0)) await store.close()
    await redis.client.config('SET', 'maxmemory', 0, 'maxmemory-policy', 'noeviction', 'requirepass', '')
    await place.remove()
  })

  const keep = async <T extends StorePorts>(opening: Promise<T>): Promise<T> => {
    const ports = await opening
    opened.push(ports)
    return ports
  }
  const connect = () => keep(place.connect())
  const quick = () => keep(openTestRedis({ ...place.settings, timeoutSeconds: 1 }))

  describe('that lost what it held', () => {
    const lost = { code: 'STORE_LOST' }

    test('is told by every method, and goes on for nobody who knew it', async () => {
      const ports = await connect()
      await commitOn(ports, { events: [sampleEvent('a'), sampleEvent('b')], rollouts: [sampleState('a')] })
      await redis.client.flushall()
      await expectLost(ports, 'is empty: it had revision 1 and 2 journal rows')
    })

    test('and that was made anew by a fresh process is another one to whoever knew the first', async () => {
      const ports = await connect()
      await commitOn(ports, { events: [sampleEvent('a')] })
      await redis.client.flushall()
      const fresh = await connect()
      for (let n = 1; n <= 3; n++) await commitOn(fresh, { events: [sampleEvent('a')] })
      await expectLost(ports, 'holds another store: it had revision 1')
    })

    test('back to an older state is told, also when somebody has gone on from there', async () => {
      const ports = await connect()
      await commitOn(ports, { events: [sampleEvent('a', 'first')] })
      const backup = await dumpOf(redis, place.keys.head)
      for (let n = 2; n <= 3; n++) await commitOn(ports, { events: [sampleEvent('a', `lost ${n}`)] })
      await restore(redis, backup)
      await expectLost(ports, 'went back or was forged: it had revision 3 and 3 journal rows, now it has revision 1')

      const other = await connect()
      for (let n = 2; n <= 5; n++) await commitOn(other, { events: [sampleEvent('a', `other ${n}`)] })
      await expect(ports.store.lease('one', 0, HOUR_MS)).rejects.toMatchObject(lost)
    })

    test('in part is not opened', async () => {
      await commitOn(await connect(), { rollouts: [sampleState('a')] })
      await redis.client.del(place.keys.head)
      await expect(connect()).rejects.toMatchObject(lost)
    })

    async function expectLost({ store, inbox, journal, cursors }: StorePorts, detail: string): Promise<void> {
      const calls = {
        lease: () => store.lease('one', 0, HOUR_MS),
        load: () => store.load(),
        commit: () => store.commit(sampleCommit({ lease: { owner: 'one', token: 1 }, revision: 1 })),
        put: () => inbox.put(sampleFact('a')),
        pending: () => inbox.pending(1),
        read: () => journal.read({ afterSeq: 0, limit: 1 }),
        cursor: () => cursors.read('team'),
      }
      for (const [name, call] of Object.entries(calls)) {
        const told = await call().catch((error: Error & { code?: string }) => [error.code, error.message])
        expect([name, told]).toEqual([name, ['STORE_LOST', expect.stringContaining(detail)]])
      }
    }
  })

  describe('whose Redis is away', () => {
    test('fails at once, and goes on with everything when it is back', async () => {
      const ports = await connect()
      await commitOn(ports, { rollouts: [sampleState('a')], events: [sampleEvent('a')] })
      await redis.kill()
      await expect(ports.store.load()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await expect(ports.inbox.put(sampleFact('x'))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(/ECONNREFUSED|no connection|closed/),
      })
      await redis.restart()
      await until('the store is back', () => ports.store.load().catch(() => null))
      expect(await ports.journal.verify(null)).toMatchObject({ head: { seq: 1 }, fault: null })
      await expect(commitOn(ports, {})).resolves.toMatchObject({ revision: 2 })
    })

    test('or stands still: a commit fails within its time, and what the next look shows is what counts', async () => {
      const ports = await quick()
      const lease = await ports.store.lease('one', 0, HOUR_MS)
      redis.freeze()
      const late = ports.store.commit(sampleCommit({ lease, revision: 0, events: [sampleEvent('a', 'late')] }))
      await expect(late).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      // Long enough for its connection to be given up: the commit lies in the socket of nobody.
      for (let tries = 0; tries < 3; tries++)
        await expect(ports.store.load()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      redis.resume()
      const { revision } = await until('the store answers', () => ports.store.load().catch(() => null))
      const next = await ports.store.commit(sampleCommit({ lease, revision, events: [sampleEvent('a', 'next')] }))
      expect(next.revision).toBe(revision + 1)
      const reasons = (await ports.journal.read({ afterSeq: 0, limit: 9 })).map(({ event }) => event)
      expect(reasons).toHaveLength(revision + 1)
      expect((await ports.journal.verify(null)).fault).toBeNull()
    })

    test('a store cannot be opened, and the problem names the place', async () => {
      await redis.kill()
      await expect(connect()).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(`127.0.0.1:${redis.port}`),
      })
      await redis.restart()
    })
  })

  test('a commit for which Redis has no memory is refused whole', async () => {
    const ports = await connect()
    await ports.inbox.put(sampleFact('a'))
    const lease = await ports.store.lease('one', 0, HOUR_MS)
    await redis.client.config('SET', 'maxmemory', 1)
    const commit = sampleCommit({ lease, revision: 0, consumedFactIds: ['a'], events: [sampleEvent('a')] })
    await expect(ports.store.commit(commit)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('OOM'),
    })
    await redis.client.config('SET', 'maxmemory', 0)
    expect(await ports.inbox.pending(9)).toEqual([sampleFact('a')])
    const { revision } = await ports.store.load()
    await expect(ports.store.commit({ ...commit, revision })).resolves.toMatchObject({ revision: 1 })
  })

  test('a Redis that would throw keys away is refused', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(connect()).rejects.toMatchObject({ code: 'STORE_EVICTS' })
  })

  test('leases go by the clock of Redis: one whose clock is ahead takes none away', async () => {
    const open = () => keep(openRedis(place.settings, { secret: String, newIdentity: () => crypto.randomUUID() }))
    const [one, two] = [await open(), await open()]
    const nowMs = 1_000
    await one.store.lease('one', nowMs, HOUR_MS)
    await expect(two.store.lease('two', nowMs + 2 * HOUR_MS, 1)).rejects.toMatchObject({ code: 'STORE_LEASE_HELD' })
    await one.store.lease('one', nowMs, 1)
    await until('the lease is over', () => two.store.lease('two', nowMs - HOUR_MS, 1).catch(() => null))
  })

  test('two who open an empty Redis at once have one store', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, connect))
    expect(new Set(all.map(({ identity }) => identity)).size).toBe(1)
  })

  test('a tool that makes nothing says that there is no store', async () => {
    const opening = openRedis(place.settings, { secret: String, newIdentity: null })
    await expect(opening).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await redis.client.keys('{place*')).toEqual([])
  })

  test('a store of a newer Headgate is not opened', async () => {
    await connect()
    await redis.client.hset(place.keys.head, 'version', '9')
    await expect(connect()).rejects.toMatchObject({ code: 'STORE_VERSION' })
  })

  test('a password is read anew at each connection, and is in no problem', async () => {
    await redis.client.config('SET', 'requirepass', 'first-secret')
    let password = 'wrong-secret'
    const open = () =>
      keep(
        openRedis(
          { ...place.settings, password: '${env:REDIS}', timeoutSeconds: 3 },
          { secret: () => password, newIdentity: () => crypto.randomUUID() },
        ),
      )
    const refused = await open().catch((error: Error) => error)
    expect(JSON.stringify([refused, String(refused), (refused as Error).cause])).not.toContain('secret')
    expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })

    password = 'first-secret'
    const { store }: RedisStore = await open()
    password = 'second-secret'
    await redis.client.config('SET', 'requirepass', password)
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until('the new password counts', () => store.load().catch(() => null))
  })

  test('with `waitReplicas` nothing counts before a replica has it', async () => {
    const ports = await keep(openTestRedis({ ...place.settings, timeoutSeconds: 3, waitReplicas: 1 })).catch(
      (error) => error,
    )
    expect(ports).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('0 of 1 replicas') })
    const replica = await startRedis(binary ?? '', ['--replicaof', '127.0.0.1', String(redis.port)])
    try {
      await until('the replica follows', async () => (await replica.client.info()).includes('master_link_status:up'))
      const following = await keep(openTestRedis({ ...place.settings, waitReplicas: 1 }))
      await commitOn(following, { events: [sampleEvent('a')] })
      expect(await replica.client.hget(place.keys.head, 'revision')).toBe('1')
      const onReplica = openTestRedis(redisSettings(replica.url, { prefix: place.settings.prefix }))
      await expect(onReplica).rejects.toMatchObject({ message: expect.stringContaining('is a replica') })
    } finally {
      await replica.stop()
    }
  })
})

async function commitOn({ store }: StorePorts, changes: Partial<Commit>) {
  const lease = await store.lease('one', 0, HOUR_MS)
  const { revision } = await store.load()
  return store.commit(sampleCommit({ lease, revision, ...changes }))
}

/** Everything under the prefix of this key, as Redis dumps it. */
async function dumpOf({ client }: RealRedis, head: string): Promise<ReadonlyMap<string, Buffer>> {
  const keys = await client.keys(head.replace(/:head$/, ':*'))
  return new Map(
    await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key)) ?? Buffer.alloc(0)] as const)),
  )
}

async function restore({ client }: RealRedis, backup: ReadonlyMap<string, Buffer>): Promise<void> {
  await client.flushall()
  for (const [key, dump] of backup) await client.restore(key, 0, dump)
}
