import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import type { Allowance, Grant, Quota, QuotaLimits, QuotaUse } from '../../src/ports/quota.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { settled } from '../../src/simulate/runtime.ts'

/** The longer of two that begin alike first. */
const USES: readonly QuotaUse[] = ['read for a revert', 'read under way', 'revert', 'forward', 'read']
/** Who has the reserve too; the first of them goes before the second, and both before all others. */
const OF_REVERTS: readonly QuotaUse[] = ['revert', 'read for a revert']

const never = new AbortController().signal

/** One account's quota, and what was taken of it. */
class QuotaBench {
  readonly clock: FakeClock = createFakeClock(0)
  readonly quota: Quota
  /** Names of the callers in the order in which they were served; one that gave up has a `-` before it. */
  readonly told: string[] = []
  /** Calls that were allowed, with the real time, which the wall clock of a test may not be. */
  readonly taken: { readonly use: QuotaUse; readonly atMs: number }[] = []
  elapsedMs = 0
  /** Calls that were allowed while a revert, or a read for one, waited, and that should have come after it. */
  readonly queueJumpers: string[] = []
  private readonly waiting = new Map<QuotaUse, number>()

  constructor(limits: QuotaLimits) {
    this.quota = createQuotas(this.clock).of('account', limits)
  }

  /** Callers named by their use and a number, e.g. `revert 1`, one after the other. */
  async ask(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.askUntil(name, never)
      await settled()
    }
  }

  askUntil(name: string, signal: AbortSignal): void {
    const use = USES.find((one) => name.startsWith(one)) ?? 'read'
    const isTurn = (use === 'revert' || use === 'forward') && !name.endsWith('under way')
    this.count(use, 1)
    const asked = isTurn ? this.quota.turn(use, signal) : this.quota.take(use, signal)
    void asked.then((isTaken) => {
      this.told.push(isTaken ? name : `-${name}`)
      if (isTaken) this.taken.push({ use, atMs: this.elapsedMs })
      this.count(use, -1)
      const place = OF_REVERTS.indexOf(use)
      const before = OF_REVERTS.slice(0, place < 0 ? OF_REVERTS.length : place)
      if (isTaken && before.some((one) => (this.waiting.get(one) ?? 0) > 0)) this.queueJumpers.push(name)
    })
  }

  private count(use: QuotaUse, change: number): void {
    this.waiting.set(use, (this.waiting.get(use) ?? 0) + change)
  }

  async pass(ms: number): Promise<void> {
    // In steps of one millisecond, so that what is served meanwhile gets its time.
    for (let n = 0; n < ms; n++) {
      this.elapsedMs += 1
      await this.clock.advance(1)
    }
  }
}

function names(use: QuotaUse, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${use} ${index + 1}`)
}

describe('an account', () => {
  test('has one quota under its name, with the limits of whoever asked first', async () => {
    const quotas = createQuotas(createFakeClock(0))
    const quota = quotas.of('a', { callsPerSecond: 1, burst: 2 })
    expect(quotas.of('a', { callsPerSecond: 100, burst: 200 })).toBe(quota)
    expect(quotas.of('b', { callsPerSecond: 1, burst: 2 })).not.toBe(quota)
  })

  test('tells what is left to reverts and to all else, and who waits', async () => {
    const clock = createFakeClock(0)
    const quotas = createQuotas(clock)
    const quota = quotas.of('a', { callsPerSecond: 1, burst: 4 })
    for (let asked = 0; asked < 3; asked++) void quota.take('read', never)
    await settled()
    expect(quotas.levels()).toEqual([
      {
        account: 'a',
        by: { revert: { left: 2, burst: 4, waiting: 0 }, other: { left: 0, burst: 2, waiting: 1 } },
      },
    ])
  })

  test('gives its burst at once to reverts, then what its rate allows', async () => {
    const bench = new QuotaBench({ callsPerSecond: 10, burst: 3 })
    await bench.ask(...names('revert', 5))
    expect(bench.taken).toHaveLength(3)
    await bench.pass(99)
    expect(bench.taken).toHaveLength(3)
    await bench.pass(1)
    expect(bench.taken).toHaveLength(4)
    await bench.pass(100)
    expect(bench.taken).toHaveLength(5)
  })

  test.each(['read', 'forward'] as const)('gives half of its burst and of its rate to a %s', async (use) => {
    const bench = new QuotaBench({ callsPerSecond: 10, burst: 6 })
    await bench.ask(...names(use, 9))
    expect(bench.taken).toHaveLength(3)
    await bench.pass(1000)
    expect(bench.taken).toHaveLength(8)
  })

  test('has the other half left for reverts, whatever waits', async () => {
    const bench = new QuotaBench({ callsPerSecond: 10, burst: 6 })
    await bench.ask(...names('forward', 9), ...names('revert', 3))
    expect(bench.told).toEqual([...names('forward', 3), ...names('revert', 3)])
  })
})

describe('who is served first', () => {
  test('reverts, before all that came earlier', async () => {
    const bench = new QuotaBench({ callsPerSecond: 2, burst: 2 })
    await bench.ask('revert 1', 'revert 2', 'forward 1', 'read 1', 'revert 3', 'revert 4')
    await bench.pass(10_000)
    expect(bench.told).toEqual(['revert 1', 'revert 2', 'revert 3', 'revert 4', 'read 1', 'forward 1'])
  })

  test('reads and steps in turn, so that a queue of steps blinds nobody', async () => {
    const bench = new QuotaBench({ callsPerSecond: 2, burst: 2 })
    await bench.ask(...names('forward', 4), ...names('read', 2))
    await bench.pass(10_000)
    expect(bench.told).toEqual(['forward 1', 'read 1', 'forward 2', 'read 2', 'forward 3', 'forward 4'])
  })

  test('what a write under way still needs, before the next write, but after every revert', async () => {
    const bench = new QuotaBench({ callsPerSecond: 2, burst: 2 })
    await bench.ask('forward 1', 'forward 2', 'forward 3', 'read 1', 'forward 1 under way', 'revert 1', 'revert 2')
    await bench.ask('revert 1 under way')
    await bench.pass(10_000)
    expect(bench.told).toEqual([
      'forward 1',
      'revert 1',
      'revert 1 under way',
      'revert 2',
      'forward 1 under way',
      'read 1',
      'forward 2',
      'forward 3',
    ])
  })

  test('what proves a revert: after all that makes one, and before everything else', async () => {
    const bench = new QuotaBench({ callsPerSecond: 2, burst: 2 })
    await bench.ask(
      'revert 1',
      'revert 2',
      'forward 1',
      'forward 1 under way',
      'read 1',
      'read for a revert 1',
      'revert 3',
    )
    await bench.ask('read for a revert 2', 'revert 3 under way')
    await bench.pass(10_000)
    expect(bench.told.slice(2)).toEqual([
      'revert 3 under way',
      'revert 3',
      'read for a revert 1',
      'read for a revert 2',
      'forward 1 under way',
      'read 1',
      'forward 1',
    ])
  })

  test('the next page of a read that has begun, before the first of another, but in turn with steps', async () => {
    const bench = new QuotaBench({ callsPerSecond: 2, burst: 2 })
    await bench.ask('read 1', 'read 2', 'forward 1', 'read 3', 'read under way 1', 'forward 2', 'read under way 1b')
    await bench.pass(10_000)
    expect(bench.told).toEqual([
      'read 1',
      'forward 1',
      'read under way 1',
      'forward 2',
      'read under way 1b',
      'read 2',
      'read 3',
    ])
  })

  test('a read for a revert at once, by the reserve, while others have used up their half', async () => {
    const bench = new QuotaBench({ callsPerSecond: 0.1, burst: 4 })
    await bench.ask(...names('read', 5), ...names('read for a revert', 3))
    expect(bench.told).toEqual(['read 1', 'read 2', 'read for a revert 1', 'read for a revert 2'])
  })

  test('a revert at once that its own half allows, while the next step sleeps for long', async () => {
    const bench = new QuotaBench({ callsPerSecond: 0.1, burst: 2 })
    await bench.ask('forward 1', 'forward 2', 'revert 1')
    expect(bench.told).toEqual(['forward 1', 'revert 1'])
  })

  test('a revert that has to wait waits for its own turn, not for that of the step before it', async () => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
    await bench.ask('forward 1', 'revert 1', 'forward 2')
    await bench.ask('revert 2')
    await bench.pass(1000)
    // The step still needs another second.
    expect(bench.told).toEqual(['forward 1', 'revert 1', 'revert 2'])
    await bench.pass(1000)
    expect(bench.told).toEqual(['forward 1', 'revert 1', 'revert 2', 'forward 2'])
  })
})

describe('one that gives up', () => {
  test('was told so, and took nothing', async () => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
    await bench.ask('revert 1', 'revert 2')
    const leaving = new AbortController()
    bench.askUntil('revert 3', leaving.signal)
    await bench.ask('revert 4')
    leaving.abort()
    await settled()
    expect(bench.told).toEqual(['revert 1', 'revert 2', '-revert 3'])
    await bench.pass(1000)
    expect(bench.told.at(-1)).toBe('revert 4')
  })

  test('before it asks takes nothing either', async () => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
    bench.askUntil('revert 1', AbortSignal.abort())
    await bench.ask('revert 2', 'revert 3')
    expect(bench.told).toEqual(['-revert 1', 'revert 2', 'revert 3'])
  })

  test('leaves no timer behind when it was the last', async () => {
    const bench = new QuotaBench({ callsPerSecond: 0.001, burst: 2 })
    await bench.ask('forward 1')
    const leaving = new AbortController()
    bench.askUntil('forward 2', leaving.signal)
    await settled()
    expect(bench.clock.sleepers()).toBe(1)
    leaving.abort()
    await settled()
    expect(bench.clock.sleepers()).toBe(0)
  })

  test('after it was served changes nothing', async () => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
    const leaving = new AbortController()
    bench.askUntil('revert 1', leaving.signal)
    await settled()
    leaving.abort()
    await bench.ask('revert 2', 'revert 3')
    expect(bench.told).toEqual(['revert 1', 'revert 2'])
  })
})

describe('a refusal for the rate', () => {
  test.each([
    ['revert', 1000],
    ['forward', 2000],
  ] as const)('leaves nothing, also of the time before it: the next %s waits %d ms', async (use, waitMs) => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 8 })
    await bench.ask('read 1')
    await bench.pass(5000)
    bench.quota.exhaust()
    await bench.ask(`${use} 2`)
    await bench.pass(waitMs - 1)
    expect(bench.told).toEqual(['read 1'])
    await bench.pass(1)
    expect(bench.told).toEqual(['read 1', `${use} 2`])
  })

  test('holds for those who wait already', async () => {
    const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
    await bench.ask(...names('revert', 3))
    await bench.pass(900)
    bench.quota.exhaust()
    await bench.pass(999)
    expect(bench.taken).toHaveLength(2)
    await bench.pass(1)
    expect(bench.taken).toHaveLength(3)
  })
})

test('a clock that was put back fills nothing, and nobody waits for it to catch up', async () => {
  const bench = new QuotaBench({ callsPerSecond: 1, burst: 2 })
  await bench.pass(60_000)
  await bench.ask(...names('revert', 3))
  bench.clock.set(0)
  await bench.ask('revert 4')
  expect(bench.taken).toHaveLength(2)
  await bench.pass(2000)
  expect(bench.told).toEqual(names('revert', 4))
})

describe('calls that are counted elsewhere', () => {
  /** Answers when it is told to. */
  function slowly() {
    const asked: { readonly use: string; readonly answer: (grant: Grant) => void }[] = []
    const take: Allowance['take'] = (use) => new Promise((answer) => asked.push({ use, answer }))
    const stand = { left: 0, burst: 0 }
    const allowance: Allowance = { take, exhaust: () => {}, stand: () => ({ revert: stand, other: stand }) }
    const clock = createFakeClock(0)
    const quota = createQuotas(clock, () => allowance).of('account', { callsPerSecond: 1, burst: 2 })
    const told: string[] = []
    const ask = (use: QuotaUse, signal = never) =>
      void quota.take(use, signal).then((isTaken) => told.push(`${isTaken ? '' : '-'}${use}`))
    const answer = async (grant: Grant) => {
      asked.at(-1)?.answer(grant)
      await settled()
    }
    return { asked, ask, answer, told, clock }
  }
  const TAKEN: Grant = { isTaken: true }

  test('are asked for one at a time, and go to a revert that came meanwhile', async () => {
    const { asked, ask, answer, told } = slowly()
    ask('forward')
    ask('revert')
    ask('read')
    expect(asked.map(({ use }) => use)).toEqual(['other'])
    await answer(TAKEN)
    expect(told).toEqual(['revert'])
    await answer(TAKEN)
    await answer(TAKEN)
    expect(told).toEqual(['revert', 'forward', 'read'])
    expect(asked).toHaveLength(3)
  })

  test('of the reserve go to nobody else when the revert has left meanwhile', async () => {
    const { asked, ask, answer, told } = slowly()
    const leaving = new AbortController()
    ask('revert', leaving.signal)
    ask('forward')
    leaving.abort()
    await answer(TAKEN)
    expect(told).toEqual(['-revert'])
    expect(asked.map(({ use }) => use)).toEqual(['revert', 'other'])
    await answer(TAKEN)
    expect(told).toEqual(['-revert', 'forward'])
  })

  test('are asked for anew when somebody came while the answer was under way', async () => {
    const { asked, ask, answer, told, clock } = slowly()
    ask('forward')
    ask('revert')
    await answer({ isTaken: false, waitMs: 60_000 })
    expect(asked.map(({ use }) => use)).toEqual(['other', 'revert'])
    await answer({ isTaken: false, waitMs: 10 })
    await clock.advance(10)
    await answer(TAKEN)
    expect(told).toEqual(['revert'])
  })
})

const limits = fc.record({
  callsPerSecond: fc.constantFrom(0.5, 1, 3, 7, 10, 33.3, 1000),
  burst: fc.constantFrom(2, 3, 5, 50),
})
const move = fc.oneof(
  { weight: 5, arbitrary: fc.record({ use: fc.constantFrom(...USES) }) },
  { weight: 1, arbitrary: fc.record({ leaveAfterMs: fc.integer({ min: 0, max: 300 }) }) },
  { weight: 4, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 1, arbitrary: fc.constant({ exhaust: true }) },
  { weight: 1, arbitrary: fc.record({ backMs: fc.integer({ min: 1, max: 100_000 }) }) },
)

test('at any time: no more calls than the limits allow, half of that for all but reverts, reverts first, all served', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(move, { maxLength: 40 }), async ({ callsPerSecond, burst }, moves) => {
      const bench = new QuotaBench({ callsPerSecond, burst })
      let asked = 0
      for (const one of moves) {
        if ('use' in one) await bench.ask(`${one.use} ${++asked}`)
        else if ('passMs' in one) await bench.pass(one.passMs)
        else if ('exhaust' in one) bench.quota.exhaust()
        else if ('backMs' in one) bench.clock.set(bench.clock.nowMs() - one.backMs)
        else {
          const leaving = new AbortController()
          bench.askUntil(`forward ${++asked}`, leaving.signal)
          await settled()
          await bench.pass(one.leaveAfterMs)
          leaving.abort()
        }
      }
      // The slowest share of the slowest account, for as many as there may be.
      bench.elapsedMs += 200_000
      await bench.clock.advance(200_000)
      expect(bench.told).toHaveLength(asked)
      expect(bench.queueJumpers).toEqual([])
      expect(bench.clock.sleepers()).toBe(0)
      const inTime = bench.taken.filter(({ atMs }) => atMs < bench.elapsedMs)
      expectWithin(inTime, { callsPerSecond, burst })
      const others = inTime.filter(({ use }) => !OF_REVERTS.includes(use))
      expectWithin(others, { callsPerSecond: callsPerSecond / 2, burst: Math.max(1, burst / 2) })
    }),
    { numRuns: 150 },
  )
})

/** Of each two calls: not more between them, both counted, than a full bucket and what came in since. */
function expectWithin(calls: readonly { readonly atMs: number }[], { callsPerSecond, burst }: QuotaLimits): void {
  for (const [first, { atMs: fromMs }] of calls.entries())
    for (const [last, { atMs: toMs }] of calls.entries())
      if (last >= first)
        expect(last - first + 1).toBeLessThanOrEqual(burst + (callsPerSecond * (toMs - fromMs)) / 1000 + 1e-6)
}
