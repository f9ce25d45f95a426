import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import type { Lease, StorePorts } from '../../src/ports/store.ts'
import { type RealRedis, startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { createRedisPlace, openTestRedis } from './redis-place.ts'
import { sampleCommit, sampleEvent, sampleFact, sampleState } from './samples.ts'

const binary = requireServer('redis-server', 'the rivals for the store in Redis')

/** What one of several processes does next. */
const deed = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom('lease', 'steal', 'commit', 'commit', 'commit', 'put', 'release', 'restart'),
  /** Whether the deed after it may begin before it has ended. */
  isAlone: fc.boolean(),
})
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

describe.skipIf(binary === null)('several processes on one Redis', () => {
  let redis: RealRedis

  beforeAll(async () => {
    redis = await startRedis(binary ?? '', ['--appendfsync', 'always'])
  })
  afterAll(() => redis.stop())

  test('in whatever order they act: one history, of whole commits, each by whoever held the lease', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 60 }), async (deeds) => {
        const place = createRedisPlace(redis)
        const rivals = await Promise.all([0, 1, 2].map((index) => Rival.join(`rival-${index}`, place.connect)))
        try {
          const running: Promise<void>[] = []
          for (const one of deeds) {
            running.push(act(rivals, one))
            if (one.isAlone) await Promise.all(running)
          }
          await Promise.all(running)
          await expectOneHistory(rivals)
        } finally {
          for (const rival of rivals) await rival.ports.store.close()
          await place.remove()
        }
      }),
      { numRuns: 60 },
    )
  })

  test('when Redis is killed again and again under them, no acknowledged commit is lost and none is halved', async () => {
    const place = createRedisPlace(redis)
    const settings = { ...place.settings, timeoutSeconds: 3 }
    const rivals = await Promise.all(
      [0, 1, 2].map((index) => Rival.join(`rival-${index}`, () => openTestRedis(settings))),
    )
    let isOver = false
    const working = rivals.map(async (rival) => {
      while (!isOver) {
        // While Redis is away everything fails at once: what is to bring it back must get its turn.
        await setImmediate()
        await rival.put()
        await rival.steal()
        for (let n = 0; n < 5; n++) await rival.commit()
      }
    })
    try {
      for (let kill = 0; kill < 10; kill++) {
        const before = rivals.flatMap(({ acknowledged }) => acknowledged).length
        const wanted = before + 1 + Math.floor(Math.random() * 20)
        await until('commits', () => rivals.flatMap(({ acknowledged }) => acknowledged).length >= wanted)
        await redis.kill()
        await redis.restart()
      }
    } finally {
      isOver = true
      await Promise.all(working)
    }
    await expectOneHistory(rivals)
    for (const { ports } of rivals) await ports.store.close()
    await place.remove()
  })
})

/** One process: it commits an event with a name of its own, and takes in whatever waits. */
class Rival {
  readonly acknowledged: string[] = []
  readonly accepted: string[] = []
  readonly owner: string
  readonly connect: () => Promise<StorePorts>
  ports: StorePorts
  lease: Lease | null = null
  count = 0

  private constructor(owner: string, ports: StorePorts, connect: () => Promise<StorePorts>) {
    this.owner = owner
    this.ports = ports
    this.connect = connect
  }

  static async join(owner: string, connect: () => Promise<StorePorts>): Promise<Rival> {
    return new Rival(owner, await connect(), connect)
  }

  async take(nowMs: number): Promise<void> {
    this.lease = await this.ports.store.lease(this.owner, nowMs, 1_000).catch(refused(this.lease))
  }

  /** As if the other's time were over. */
  steal(): Promise<void> {
    return this.take(Number.MAX_SAFE_INTEGER / 2)
  }

  async commit(): Promise<void> {
    const { lease } = this
    if (lease === null) return
    const count = ++this.count
    const name = `${this.owner} ${count}`
    const snapshot = await this.ports.store.load().catch(refused(null))
    const facts = await this.ports.inbox.pending(3).catch(refused(null))
    if (snapshot === null || facts === null) return
    const ids = facts.map(({ id }) => id)
    const committed = await this.ports.store
      .commit(
        sampleCommit({
          lease,
          revision: snapshot.revision,
          rollouts: [sampleState(this.owner, { heldMs: count })],
          events: [sampleEvent(this.owner, name), sampleEvent(null, name), ...ids.map((id) => sampleEvent('fact', id))],
          consumedFactIds: ids,
        }),
      )
      .catch(refused(null))
    if (committed !== null) this.acknowledged.push(name)
  }

  async put(): Promise<void> {
    const id = `${this.owner} fact ${++this.count}`
    if (await this.ports.inbox.put(sampleFact(id)).catch(refused(false))) this.accepted.push(id)
  }

  async restart(): Promise<void> {
    const before = this.ports
    this.ports = await this.connect()
    await before.store.close()
  }
}

async function act(rivals: readonly Rival[], { who, what }: Deed): Promise<void> {
  const rival = rivals[who]
  if (!rival) return
  switch (what) {
    case 'lease':
      return rival.take(0)
    case 'steal':
      return rival.steal()
    case 'commit':
      return rival.commit()
    case 'put':
      return rival.put()
    case 'restart':
      return rival.restart()
    case 'release':
      return rival.lease === null ? undefined : rival.ports.store.release(rival.lease).catch(refused(undefined))
  }
}

/** What the store refuses, or does not answer, is no fault here. */
function refused<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Problem && ['STORE_CONFLICT', 'STORE_LEASE_HELD', 'STORE_UNAVAILABLE'].includes(error.code))
      return instead
    throw error
  }
}

async function expectOneHistory(rivals: readonly Rival[]): Promise<void> {
  const [{ ports } = { ports: null }] = rivals
  if (ports === null) throw new Error('no rivals')
  const { revision, rollouts } = await until('the store answers', () => ports.store.load().catch(refused(null)))
  expect((await ports.journal.verify(null)).fault).toBeNull()
  const rows = await ports.journal.read({ afterSeq: 0, limit: 100_000 })
  const reasonOf = ({ event }: (typeof rows)[number]) => (event.type === 'controller-stopped' ? event.reason : '')
  const own = rows.filter(({ event }) => event.workload !== 'fact' && event.workload !== null).map(reasonOf)
  // Each commit has its two rows side by side, and there are as many as revisions.
  expect(own).toHaveLength(revision)
  expect(new Set(own).size).toBe(revision)
  for (const row of rows.filter(({ event }) => event.workload?.startsWith('rival'))) {
    const next = rows[row.seq]
    expect(next && reasonOf(next)).toBe(reasonOf(row))
  }
  for (const { owner, acknowledged } of rivals) {
    const found = own.filter((reason) => reason.startsWith(owner))
    expect(found).toEqual(expect.arrayContaining(acknowledged))
    const last = Number(found.at(-1)?.split(' ')[1])
    if (found.length > 0) expect(rollouts.find(({ workload }) => workload === owner)?.heldMs).toBe(last)
  }
  // Each fact that was accepted waits, or was taken in once.
  const taken = rows.filter(({ event }) => event.workload === 'fact').map(reasonOf)
  expect(new Set(taken).size).toBe(taken.length)
  const waiting = (await ports.inbox.pending(100_000)).map(({ id }) => id)
  expect([...taken, ...waiting]).toEqual(expect.arrayContaining(rivals.flatMap(({ accepted }) => accepted)))
  expect(waiting.filter((id) => taken.includes(id))).toEqual([])
}
