import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import type { AllowanceLimits, QuotaUse } from '../../src/ports/quota.ts'
import { TokenLevels } from '../../src/shared/token-levels.ts'
import { Account } from '../../src/simulate/account.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import type { RedisStore } from '../../src/store/redis.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { allowanceConformance } from '../conformance/allowance.ts'
import { type RealRedis, startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { createRedisPlace, openTestRedis } from './redis-place.ts'

const binary = requireServer('redis-server', 'the suite of the shared quota')
const SLOW: AllowanceLimits = {
  whole: { callsPerSecond: 0.001, burst: 6 },
  others: { callsPerSecond: 0.0005, burst: 3 },
}

allowanceConformance('one process', () => {
  const clock = createFakeClock(0)
  return {
    open: (limits) => {
      const levels = new TokenLevels(limits, () => clock.monotonicMs())
      return { take: async (use) => levels.take(use), exhaust: () => levels.exhaust(), stand: () => levels.stand() }
    },
    pass: (ms) => clock.advance(ms),
  }
})

allowanceConformance('the simulated account', () => {
  const clock = createFakeClock(0)
  return {
    open: (limits) => new Account(clock).allowanceOf({ process: 'one', clock, isAway: () => false }, limits),
    pass: (ms) => clock.advance(ms),
  }
})

describe.skipIf(binary === null)('Redis', () => {
  let redis: RealRedis
  let place: ReturnType<typeof createRedisPlace>
  const opened: RedisStore[] = []
  const told: string[] = []
  const tell = (_: object, message: string) => void told.push(message)
  const log = { debug: tell, info: tell, warn: tell, error: tell }

  beforeAll(async () => {
    redis = await startRedis(binary ?? '')
  })
  afterAll(() => redis.stop())
  beforeEach(() => {
    place = createRedisPlace(redis)
    told.length = 0
  })
  afterEach(async () => {
    for (const { store } of opened.splice(0)) await store.close()
    await place.remove()
  })

  /** As a replica of its own. */
  const connect = async () => {
    const store = await openTestRedis({ ...place.settings, timeoutSeconds: 2 })
    opened.push(store)
    return store.allowances({ clock: systemClock, log })
  }
  const key = () => `{${place.settings.prefix}}:quota:account`

  describe('alone', () => {
    let open: Awaited<ReturnType<typeof connect>>
    beforeEach(async () => {
      open = await connect()
    })
    let accounts = 0
    allowanceConformance('Redis', () => ({
      open: (limits) => open(`account ${++accounts}`, limits),
      pass: (ms) => systemClock.sleep(ms),
    }))
  })

  test('replicas that all take what they get never have more than the account allows, and others no more than half', async () => {
    const limits = { callsPerSecond: 200, burst: 20 }
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => createQuotas(systemClock, await connect()).of('account', limits)),
    )
    const counts = { revert: 0, others: 0 }
    const startedMs = performance.now()
    const ending = new AbortController()
    const work = async (use: QuotaUse, quota: (typeof replicas)[number]) => {
      while (await quota.take(use, ending.signal)) counts[use === 'revert' ? 'revert' : 'others'] += 1
    }
    const others = replicas.flatMap((quota) => (['forward', 'read', 'read'] as const).map((use) => work(use, quota)))
    await until('half was used more than once over', () => counts.others > 40)
    const soFar = counts.others
    expect(soFar).toBeLessThanOrEqual(10 + 0.1 * (performance.now() - startedMs) + 1)
    const reverts = replicas.map((quota) => work('revert', quota))
    await until('reverts have used the rest', () => counts.revert > 100)
    ending.abort()
    const all = counts.revert + counts.others
    expect(all).toBeLessThanOrEqual(20 + 0.2 * (performance.now() - startedMs) + 1)
    await Promise.all([...others, ...reverts])
  })

  test('while a revert of one replica waits, others of another make way', async () => {
    const [first, second] = [(await connect())('account', SLOW), (await connect())('account', SLOW)]
    while ((await first.take('revert')).isTaken);
    // As time would.
    await redis.client.hset(key(), { whole: 2, others: 2 })
    expect(await second.take('other')).toMatchObject({ isTaken: false })
    expect(await first.take('revert')).toEqual({ isTaken: true })
  })

  test('what a provider refused to one replica is gone for all', async () => {
    const [first, second] = [(await connect())('account', SLOW), (await connect())('account', SLOW)]
    first.exhaust()
    await until('it is known', async () => (await redis.client.hget(key(), 'whole')) === '0')
    expect(await second.take('revert')).toMatchObject({ isTaken: false })
  })

  test('nothing is kept of an account that is full again', async () => {
    const limits = { callsPerSecond: 100, burst: 4 }
    const allowance = (await connect())('account', { whole: limits, others: limits })
    await allowance.take('revert')
    expect(await redis.client.pttl(key())).toBeGreaterThan(0)
    await until('it is gone', async () => (await redis.client.exists(key())) === 0)
  })

  test.each(['is killed', 'stands still'] as const)(
    'that %s stops all but reverts, which go on by what was left, and is told once',
    async (how) => {
      const allowance = (await connect())('account', SLOW)
      for (let n = 0; n < 4; n++) await allowance.take('revert')
      if (how === 'is killed') await redis.kill()
      else redis.freeze()
      expect(await allowance.take('other')).toMatchObject({ isTaken: false })
      const grants = []
      for (let n = 0; n < 3; n++) grants.push((await allowance.take('revert')).isTaken)
      expect(grants).toEqual([true, true, false])
      expect(told.map((message) => message.slice(0, 48))).toEqual(['the quota that replicas share is out of reach: r'])
      if (how === 'is killed') await redis.restart()
      else redis.resume()
      await until('it counts for all again', async () => {
        await allowance.take('other')
        return told.includes('the shared quota is back')
      })
      expect(told).toHaveLength(2)
    },
  )

  test('with something else under its key is told, and stops no revert', async () => {
    const allowance = (await connect())('account', SLOW)
    await redis.client.set(key(), 'something')
    expect(await allowance.take('revert')).toEqual({ isTaken: true })
    expect(await allowance.take('other')).toMatchObject({ isTaken: false })
    expect(told).toHaveLength(1)
  })
})
