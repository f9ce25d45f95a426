import { describe, expect, test } from 'vitest'
import { type Counts, isMissing, type Missing, missing } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import { SliWatch } from '../../src/engine/sli-watch.ts'
import { createTimer } from '../../src/engine/timer.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeMeter, settled } from '../../src/simulate/runtime.ts'
import { planOf } from '../scenarios/world.ts'
import { START_MS, SteadySource, SWEEP_SECONDS } from './steady-source.ts'

function createBench(plans: readonly Plan[] = [planOf({})]) {
  const source = new SteadySource()
  const meter = createFakeMeter()
  const log = createFakeLog()
  const watch = new SliWatch(new Map([['fake', source]]), SWEEP_SECONDS, {
    log,
    meter,
    timer: createTimer(createFakeClock(START_MS)),
    tracer: NO_TRACER,
  })
  watch.watch(plans)
  let tick = 0
  const poll = (signal = new AbortController().signal) => watch.poll(START_MS + ++tick * SWEEP_SECONDS * 1000, signal)
  const reading = (plan: Plan = plans[0] ?? planOf({})) => {
    const [spec] = plan.slis
    if (!spec) throw new Error('the plan has no SLI')
    return watch.reading(plan, spec, 0)
  }
  /** What a window of NEW holds. */
  const windowOf = (seconds: number): Counts | Missing => {
    const newest = reading()
    if (newest.kind !== 'counts') throw new Error(`no counts: ${JSON.stringify(newest)}`)
    return newest.windows.find((window) => window.seconds === seconds)?.counts.new ?? missing('empty', 'no window')
  }
  /** Polls while the source hangs, up to the deadline. */
  const pollLate = async () => {
    const deadline = new AbortController()
    const polled = poll(deadline.signal)
    await settled()
    deadline.abort()
    await polled
  }
  return { source, watch, log, poll, pollLate, reading, windowOf }
}

const catalog = (): Plan => ({ ...planOf({}), workload: 'catalog' })

describe('what is asked', () => {
  test('is each SLI once, however many workloads share it', async () => {
    const { source, poll, reading } = createBench([planOf({}), catalog()])
    await poll()
    expect(source.asked.map(({ specs }) => specs)).toEqual([1])
    expect([reading(), reading(catalog())]).toMatchObject([{ kind: 'counts' }, { kind: 'counts' }])
  })

  test('is of the clusters of all who share it, and follows them', async () => {
    const elsewhere: Plan = { ...catalog(), clusters: { old: 'blue', new: 'red' } }
    const { source, watch, poll } = createBench([planOf({})])
    await poll()
    watch.watch([planOf({}), elsewhere])
    await poll()
    expect(source.asked.map(({ clusters }) => clusters)).toEqual([
      ['blue', 'green'],
      ['blue', 'green', 'red'],
    ])
  })

  test('is nothing new when two sweeps fall on one tick', async () => {
    const { source, watch } = createBench()
    const { signal } = new AbortController()
    await watch.poll(START_MS, signal)
    await watch.poll(START_MS, signal)
    expect(source.asked).toHaveLength(1)
  })

  test('is a failed tick again, as part of the next: nothing is lost, nothing doubled', async () => {
    const { source, poll, reading, windowOf } = createBench()
    source.hasMemory = false
    await poll()
    source.fault = missing('unreachable', 'away')
    await poll()
    expect(reading()).toMatchObject({ kind: 'missing', why: 'unreachable' })
    await poll()
    source.fault = null
    await poll()
    expect(source.asked.map(({ tick }) => (tick.atMs - tick.sinceMs) / 1000)).toEqual([10, 10, 20, 30])
    expect(reading()).toMatchObject({ kind: 'counts', tick: { new: { total: 300 } } })
    expect(windowOf(60)).toEqual({ total: 400, bad: 0 })
  })

  test('is, of a source that is late, answered as missing by the deadline, and asked again', async () => {
    const { source, poll, pollLate, reading } = createBench()
    await poll()
    source.hangs = true
    await pollLate()
    expect(reading()).toMatchObject({ kind: 'missing', why: 'timeout' })
    source.hangs = false
    await poll()
    expect(reading()).toMatchObject({ kind: 'counts', tick: { old: { total: 200 }, new: { total: 200 } } })
  })
})

describe('a source whose data comes late', () => {
  test('is asked about a past that is closed, in ticks that go on from each other', async () => {
    const { source, poll, reading } = createBench()
    source.ingestDelaySeconds = 65
    await poll()
    await poll()
    const secondsAgo = source.asked.map(({ tick }) => (START_MS + 20_000 - tick.atMs) / 1000)
    expect(secondsAgo).toEqual([80, 70])
    expect(source.asked.map(({ tick }) => tick.atMs - tick.sinceMs)).toEqual([10_000, 10_000])
    expect(reading()).toMatchObject({ kind: 'counts', atMs: START_MS + 20_000 - 70_000 })
  })

  test('fills the windows from its memory without a gap and without an overlap', async () => {
    const { source, poll, windowOf } = createBench()
    source.ingestDelaySeconds = 65
    await poll()
    expect(source.remembered).toMatchObject([{ untilMs: source.asked[0]?.tick.sinceMs }])
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
  })
})

describe('after a start', () => {
  test('the windows are full at the first sweep, from the memory of the source, and it is asked once', async () => {
    const { source, poll, windowOf } = createBench()
    await poll()
    await poll()
    // As far back as OLD's bursts are looked for, which is further than any window here.
    expect(source.remembered).toMatchObject([{ seconds: 3600, tickSeconds: 10, untilMs: START_MS }])
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
    // A window is between 11/12 and all of its length, in cells of 25 s.
    const { total } = windowOf(300) as Counts
    expect(total).toBeGreaterThanOrEqual(2750)
    expect(total).toBeLessThanOrEqual(3000)
  })

  test('a memory that cannot tell so much at once is asked for half, newest first, until all is told once', async () => {
    const { source, poll, windowOf } = createBench()
    source.remembersSeconds = 1000
    for (let sweep = 0; sweep < 12; sweep++) await poll()
    const told = source.remembered.filter(({ seconds }) => seconds <= source.remembersSeconds)
    expect(source.remembered.slice(0, 3).map(({ seconds }) => seconds)).toEqual([3600, 1800, 900])
    expect(told.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(3600)
    let untilMs = START_MS
    for (const span of told) {
      expect(span.untilMs).toBe(untilMs)
      untilMs -= span.seconds * 1000
    }
    expect((windowOf(300) as Counts).total).toBeGreaterThanOrEqual(2750)
    expect((windowOf(300) as Counts).total).toBeLessThanOrEqual(3000)
  })

  test('the past of a large fleet is told in parts, so that no answer grows with it', async () => {
    const fleet = Array.from({ length: 10_000 }, (_, index) => ({ ...planOf({}), workload: `workload-${index}` }))
    const { source, poll } = createBench(fleet)
    for (let sweep = 0; sweep < 80; sweep++) await poll()
    const ticks = source.remembered.map(({ seconds, tickSeconds }) => seconds / tickSeconds)
    expect(Math.max(...ticks) * 2 * fleet.length).toBeLessThanOrEqual(100_000)
    expect(ticks.reduce((sum, count) => sum + count, 0)).toBe(360)
  })

  test('a source without memory fills them as time goes by', async () => {
    const { source, poll, windowOf } = createBench()
    source.hasMemory = false
    await poll()
    await poll()
    expect(windowOf(300)).toEqual({ total: 200, bad: 0 })
    expect(source.remembered).toHaveLength(1)
  })

  test('a memory that answers some sweeps later fills them all the same, and doubles nothing', async () => {
    const { source, poll, windowOf } = createBench()
    source.historyFault = missing('timeout', 'busy')
    await poll()
    await poll()
    expect(windowOf(300)).toEqual({ total: 200, bad: 0 })
    source.historyFault = null
    await poll()
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
    const { total } = windowOf(300) as Counts
    expect(total).toBeGreaterThanOrEqual(2750)
    expect(total).toBeLessThanOrEqual(3000)
  })

  test('a memory that never answers does not make the SLI blind', async () => {
    const { source, pollLate, reading } = createBench()
    source.historyFault = 'hangs'
    await pollLate()
    expect(reading()).toMatchObject({ kind: 'counts', tick: { new: { total: 100 } } })
  })

  test('a first tick that fails leaves no gap behind what the memory told', async () => {
    const { source, poll, windowOf } = createBench()
    source.fault = missing('unreachable', 'away')
    await poll()
    source.fault = null
    await poll()
    expect(source.asked.at(-1)?.tick.sinceMs).toBe(START_MS)
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
  })
})

describe('when the plans change', () => {
  test('an SLI that no plan has any more is forgotten, and not asked', async () => {
    const { source, watch, poll, reading } = createBench()
    await poll()
    watch.watch([])
    await poll()
    expect(source.asked).toHaveLength(1)
    expect(reading()).toMatchObject({ kind: 'missing', why: 'no-baseline' })
  })

  test('an SLI that stays keeps its windows', async () => {
    const { source, watch, poll, windowOf } = createBench()
    await poll()
    watch.watch([planOf({}), catalog()])
    await poll()
    expect(source.remembered).toHaveLength(1)
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
  })

  test('an SLI that gets another window goes on without a gap, blind at no time', async () => {
    const { source, watch, poll, reading, windowOf } = createBench()
    await poll()
    const wider = withPair(planOf({}), { longSeconds: 600, shortSeconds: 60 })
    watch.watch([wider])
    expect(isMissing(reading())).toBe(false)
    await poll()
    expect(source.asked.map(({ tick }) => tick.sinceMs)).toEqual([START_MS, START_MS + 10_000])
    expect(windowOf(60)).toEqual({ total: 600, bad: 0 })
    expect(windowOf(600)).toMatchObject({ bad: 0 })
  })
})

function withPair(plan: Plan, pair: { longSeconds: number; shortSeconds: number }): Plan {
  const gate = {
    kind: 'burnRate',
    id: 'wide',
    sli: 'availability',
    pairs: [{ ...pair, factor: 6, then: 'halt' }],
  } as const
  return { ...plan, gates: [...plan.gates, gate] }
}

describe('what is logged', () => {
  test('is a source that cannot be read: once when it begins, once when it is over', async () => {
    const { source, log, poll } = createBench()
    source.hasMemory = false
    await poll()
    source.fault = missing('unreachable', 'away')
    for (let times = 0; times < 3; times++) await poll()
    source.fault = null
    for (let times = 0; times < 2; times++) await poll()
    expect(log.lines).toEqual([
      { level: 'warn', message: 'an SLI cannot be read' },
      { level: 'warn', message: 'an SLI can be read again' },
    ])
  })

  test('is a past that cannot be read: once when it begins, once when it is over', async () => {
    const { source, log, poll } = createBench()
    source.historyFault = missing('refused', 'too long')
    for (let times = 0; times < 3; times++) await poll()
    source.historyFault = null
    for (let times = 0; times < 5; times++) await poll()
    expect(log.lines).toEqual([
      { level: 'warn', message: 'windows not refilled yet' },
      { level: 'warn', message: 'windows refilled' },
    ])
  })
})
