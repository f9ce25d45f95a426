import { Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Clock, Wake, Wakeups } from '../../src/ports/runtime.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { type BullWakes, openBullWakes } from '../../src/wake/bullmq.ts'
import { wakeupsConformance } from '../conformance/wakeups.ts'
import { redisSettings } from '../store/redis-place.ts'
import { pageAt } from '../support/markdown.ts'
import { type RealRedis, startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

const binary = requireServer('redis-server', 'the suite of wakes by Redis')
const HOUR_SECONDS = 3_600
const SWEEP: Wake = { kind: 'sweep' }
const LOOK: Wake = { kind: 'urgent', workloads: [] }

interface Options {
  readonly sweepSeconds?: number
  readonly clock?: Clock
  readonly username?: string
  readonly password?: string
}

describe.skipIf(binary === null)('BullMQ', () => {
  let redis: RealRedis
  let prefix: string
  let places = 0
  const opened: { close(): Promise<void> }[] = []
  const told: string[] = []

  beforeAll(async () => {
    redis = await startRedis(binary ?? '')
  })
  afterAll(() => redis.stop())
  beforeEach(() => {
    prefix = `place-${++places}`
    told.length = 0
  })
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
    await redis.client.flushall()
  })

  const open = async ({ sweepSeconds = HOUR_SECONDS, clock = systemClock, ...user }: Options = {}) => {
    const number = opened.length
    const tell = (fields: object, message: string) => void told.push(`${number}: ${message} ${JSON.stringify(fields)}`)
    const wakes = await openBullWakes({
      redis: redisSettings(redis.url, { prefix, timeoutSeconds: 3, ...user }),
      sweepSeconds,
      clock,
      log: { debug: () => {}, info: tell, warn: tell, error: tell },
      secret: (reference) => reference,
    })
    opened.push(wakes)
    return wakes
  }
  /** Wakeups whose first sweep was taken. */
  const own = async (wakes: BullWakes, shard: string) => {
    const wakeups = wakes.of(shard)
    opened.push(wakeups)
    expect(await wakeups.next()).toEqual(SWEEP)
    return wakeups
  }
  /** The wake that comes, and another one if it was there all along. */
  const takeAll = async (wakeups: Wakeups) => {
    const wakes = [await wakeups.next()]
    const more = wakeups.next()
    await wakeups.close()
    return [...wakes, await more].filter((wake) => wake !== null)
  }
  const key = (shard: string, name: string) => `{${prefix}}:wake:${shard}:${name}`
  const scheduled = async (shard: string) => {
    const [job = '', atMs = ''] = await redis.client.zrange(key(shard, 'repeat'), '0', '0', 'WITHSCORES')
    return { job, atMs: Number(atMs) }
  }

  wakeupsConformance('jobs', async (clock) => {
    const wakes = await open({ sweepSeconds: 15, clock })
    return own(wakes, 'prod')
  })

  test('a sweep comes by a job of the schedule, on the times that all processes share', async () => {
    // Its own clock is an hour on when the job comes, and does not wake it.
    const clock = createFakeClock(systemClock.nowMs())
    const wakeups = await own(await open({ sweepSeconds: 1, clock }), 'prod')
    clock.set(systemClock.nowMs() + HOUR_SECONDS * 1000)
    expect(await wakeups.next()).toEqual(SWEEP)
    await until('the next one is scheduled', async () => (await scheduled('prod')).job === 'sweep')
    expect((await scheduled('prod')).atMs % 1000).toBe(0)
  })

  test('an urgent wake of another replica reaches the owner of the shard, and no other', async () => {
    const [first, second] = [await open(), await open()]
    const [prod, other] = [await own(first, 'prod'), await own(second, 'a: b/c')]
    second.urgent('prod')
    expect(await prod.next()).toEqual(LOOK)
    first.urgent('a: b/c')
    expect(await takeAll(other)).toEqual([LOOK])
    expect(await Promise.race([prod.next(), 'nothing yet'])).toBe('nothing yet')
  })

  test('one that has not asked for work yet takes none away', async () => {
    const [first, second] = [await open(), await open()]
    const idle = first.of('prod')
    opened.push(idle)
    idle.urgent(['checkout'])
    const owner = await own(second, 'prod')
    for (let n = 0; n < 5; n++) {
      first.urgent('prod')
      expect(await owner.next()).toEqual(LOOK)
    }
    // What was urgent in its own process is still there.
    expect(await idle.next()).toEqual({ kind: 'urgent', workloads: ['checkout'] })
  })

  test('urgent wakes that nobody takes become one job, for the next owner', async () => {
    const [first, second] = [await open(), await open()]
    for (let n = 0; n < 20; n++) for (const wakes of [first, second]) wakes.urgent('prod')
    await until('a job is there', async () => (await redis.client.llen(key('prod', 'wait'))) > 0)
    await first.close()
    await second.close()
    expect(await redis.client.llen(key('prod', 'wait'))).toBe(1)
    const wakes = await open()
    expect(await takeAll(await own(wakes, 'prod'))).toEqual([LOOK])
  })

  test('nothing is left of jobs that are done, however many there were', async () => {
    const [owner, other] = [await open({ sweepSeconds: 1 }), await open()]
    const wakeups = await own(owner, 'prod')
    const size = async () => (await redis.client.keys(`{${prefix}}:wake:*`)).length
    for (let n = 0; n < 30; n++) {
      other.urgent('prod')
      while ((await wakeups.next())?.kind !== 'urgent');
    }
    await until('only the queue and the next sweep are left', async () => (await size()) <= 9)
    expect(await redis.client.xlen(key('prod', 'events'))).toBeLessThan(200)
  })

  test('a process that is killed with a job in its hands takes nothing with it', async () => {
    const [first, second] = [await open(), await open()]
    first.urgent('prod')
    // Takes the job as a worker does, and never ends it.
    const connection = { port: redis.port, host: '127.0.0.1' }
    const dead = new Worker('prod', null, { connection, prefix: `{${prefix}}:wake`, lockDuration: 100 })
    opened.push(dead)
    const job = await until('the job is taken', () => dead.getNextJob('token', { block: false }))
    expect(job.name).toBe('look')
    const wakeups = await own(second, 'prod')
    first.urgent('prod')
    expect(await wakeups.next()).toEqual(LOOK)
    // The dead one's own job comes, too: once it is known to be dead.
    expect(await wakeups.next()).toEqual(LOOK)
    await until('no job is left', async () => (await redis.client.llen(key('prod', 'active'))) === 0)
  })

  test('sweeps go on after Redis was flushed, and the schedule is put back', async () => {
    const wakeups = await own(await open({ sweepSeconds: 1 }), 'prod')
    expect(await wakeups.next()).toEqual(SWEEP)
    await redis.client.flushall()
    for (let n = 0; n < 3; n++) expect(await wakeups.next()).toEqual(SWEEP)
    await until('the schedule is back', async () => (await scheduled('prod')).job === 'sweep')
    expect(await redis.client.hget(key('prod', 'meta'), 'opts.maxLenEvents')).toBe('10')
  })

  test('a schedule of another interval is replaced', async () => {
    const first = await own(await open({ sweepSeconds: HOUR_SECONDS }), 'prod')
    await until('it is there', async () => (await scheduled('prod')).job === 'sweep')
    await first.close()
    const clock = createFakeClock(0)
    const second = await own(await open({ sweepSeconds: 1, clock }), 'prod')
    clock.set(HOUR_SECONDS * 1000)
    expect(await second.next()).toEqual(SWEEP)
  })

  describe('when Redis is away', () => {
    const lose = { 'is killed': () => redis.kill(), 'stands still': async () => redis.freeze() }
    const findAgain = { 'is killed': () => redis.restart(), 'stands still': async () => redis.resume() }

    test.each(['is killed', 'stands still'] as const)(
      'and %s, sweeps go on, and so do wakes when it is back',
      async (how) => {
        const [owner, other] = [await open({ sweepSeconds: 1 }), await open()]
        const wakeups = await own(owner, 'prod')
        await lose[how]()
        for (let n = 0; n < 3; n++) expect(await wakeups.next()).toEqual(SWEEP)
        other.urgent('prod')
        await until('it is told', () => told.some((line) => line.includes('wakes by Redis are in trouble')))
        expect(new Set(told).size).toBe(told.length)
        await findAgain[how]()
        await until('a wake comes through', async () => {
          other.urgent('prod')
          return (await wakeups.next())?.kind === 'urgent'
        })
        await until('it is told', () => told.some((line) => line.includes('wakes by Redis are back')))
      },
    )

    test.each(['is killed', 'stands still'] as const)('and %s, everything can be closed', async (how) => {
      const [owner, other] = [await open({ sweepSeconds: 1 }), await open()]
      const wakeups = await own(owner, 'prod')
      await lose[how]()
      other.urgent('prod')
      await wakeups.close()
      expect(await wakeups.next()).toBeNull()
      await owner.close()
      await other.close()
      await findAgain[how]()
    })

    test('from the beginning, it is tried again until it is there', async () => {
      await redis.kill()
      const [owner, other] = [await open({ sweepSeconds: 1 }), await open()]
      const wakeups = await own(owner, 'prod')
      expect(await wakeups.next()).toEqual(SWEEP)
      await redis.restart()
      await until('a wake comes through', async () => {
        other.urgent('prod')
        return (await wakeups.next())?.kind === 'urgent'
      })
    })
  })

  test('the rights that docs/redis.md lists are enough', async () => {
    const [, rights = ''] = /The user needs ([^~]+)~/.exec(pageAt('docs/redis.md').text) ?? []
    const granted = [...rights.matchAll(/\+[^\s`]+/g)].map(([right]) => right)
    await redis.client.call('ACL', 'SETUSER', 'limited', 'on', '>word', `~{${prefix}}:*`, ...granted)
    const as = { username: 'limited', password: 'word' }
    const [owner, other] = [await open({ sweepSeconds: 1, ...as }), await open(as)]
    const wakeups = await own(owner, 'prod')
    for (let n = 0; n < 2; n++) expect(await wakeups.next()).toEqual(SWEEP)
    other.urgent('prod')
    while ((await wakeups.next())?.kind !== 'urgent');
    await wakeups.close()
    expect(told).toEqual([])
    expect(await redis.client.call('ACL', 'LOG')).toEqual([])
  })

  test('a password is not in the log, also when it is wrong', async () => {
    const wakes = await open({ username: 'nobody', password: 'hush-hush' })
    const wakeups = await own(wakes, 'prod')
    wakes.urgent('prod')
    await until('it is told', () => told.some((line) => line.includes('WRONGPASS')))
    await wakeups.close()
    expect(told.join()).not.toContain('hush')
  })
})
