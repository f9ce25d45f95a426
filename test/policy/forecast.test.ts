import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FleetPlan } from '../../src/core/fleet-plan.ts'
import { initialState } from '../../src/core/initial.ts'
import type { Plan } from '../../src/core/plan.ts'
import { hasBaked } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { type Forecast, type ForecastInput, forecast } from '../../src/policy/forecast.ts'
import type { WorkloadForecast } from '../../src/policy/forecast-workload.ts'
import { createCalendar } from '../../src/shared/calendar/calendar.ts'
import type { CalendarSpec } from '../../src/shared/calendar/spec.ts'
import { planOf } from '../scenarios/plans.ts'
import { fleetOf } from '../support/fleet.ts'
import { PLAIN_SIGHT } from '../support/plain.ts'

const START_MS = Date.parse('2026-11-23T08:00Z')
const SWEEP_SECONDS = 10
const MINUTE_MS = 60_000

/** Two steps of 20 minutes, an hour of bake, ten minutes of drain; nothing to settle. */
const STEPS = { steps: '50/1200,100/1200', bake: '3600', drain: '600' }

function workload(name: string, given: Readonly<Record<string, string>> = {}, more: Partial<Plan> = {}): Plan {
  return { ...planOf({ ...STEPS, ...given }), workload: name, ...more }
}

function run(plans: readonly Plan[], more: Partial<ForecastInput> = {}): Forecast {
  const names = plans.map((plan) => plan.workload)
  const usual = { sweepSeconds: SWEEP_SECONDS, ttlSeconds: 300, calendar: null, providers: {}, startMs: START_MS }
  return forecast({ ...usual, plans, fleet: fleetOf({ all: names }), ...more })
}

const minutes = (ms: number | null) => (ms === null ? null : (ms - START_MS) / MINUTE_MS)

/** Minutes of the starts, by workload. */
function starts({ waves }: Forecast): Readonly<Record<string, number | null>> {
  return Object.fromEntries(
    waves.flatMap(({ workloads }) => workloads.map((way) => [way.workload, minutes(way.startsAtMs)])),
  )
}

function only({ waves }: Forecast): WorkloadForecast {
  const [way] = waves.flatMap(({ workloads }) => workloads)
  if (!way) throw new Error('no workload')
  return way
}

function calendarOf(spec: Partial<CalendarSpec>) {
  return createCalendar({ timeZone: 'UTC', windows: [], freezes: [], peaks: [], ...spec })
}

describe('one workload', () => {
  test('goes from step to step as soon as each was held', () => {
    const { startsAtMs, steps, bakesAtMs, bakedAtMs, endsAtMs } = only(run([workload('a')]))
    expect(
      steps.map(({ weightPercent, atMs, inForceAtMs, doneAtMs }) => [
        weightPercent,
        ...[atMs, inForceAtMs, doneAtMs].map(minutes),
      ]),
    ).toEqual([
      [50, 0, 1 / 6, 20 + 1 / 6],
      [100, 20 + 1 / 6, 20 + 2 / 6, 40 + 2 / 6],
    ])
    expect([startsAtMs, bakesAtMs, bakedAtMs, endsAtMs].map(minutes)).toEqual([0, 40 + 2 / 6, 100 + 2 / 6, 110 + 2 / 6])
  })

  test('with a name has its old TTL waited out first, and every weight propagation and TTL', () => {
    const way = only(run([workload('a', { settle: '60', ttl: '20' })]))
    expect(minutes(way.preparedAtMs)).toBe((10 + 60 + 300) / 60)
    expect(way.steps.map(({ atMs, inForceAtMs }) => (inForceAtMs - atMs) / 1000)).toEqual([90, 90])
  })

  test('writes nothing for a step that keeps the weight of the one before, and is in force at once', () => {
    const result = run([workload('a', { steps: '50/600,50/600,100/600' })])
    expect(only(result).steps.map(({ atMs, inForceAtMs }) => (inForceAtMs - atMs) / 1000)).toEqual([10, 0, 10])
    expect(result.accounts.map(({ writes }) => writes)).toEqual([2])
  })

  test('takes as long to warm up as it has requests to send, where that is longer than the hold', () => {
    const warm = { kind: 'warm', requests: 36_000, perSecond: 10, passPercent: 90, probes: [] } as const
    const plan = workload('a')
    const [first, ...others] = plan.steps
    if (!first) throw new Error('no step')
    const way = only(run([{ ...plan, steps: [{ ...first, warm }, ...others] }]))
    expect(minutes(way.steps[1]?.atMs ?? null)).toBe(60 + 1 / 6)
  })

  test('raises within the windows alone, and says what it waited for', () => {
    const calendar = calendarOf({ windows: [{ name: 'w', cron: '0 9 * * *', forSeconds: 900 }] })
    const way = only(run([workload('a')], { calendar }))
    expect([way.startsAtMs, ...way.steps.map(({ atMs }) => atMs), way.bakesAtMs].map(minutes)).toEqual([
      60,
      60,
      60 + 24 * 60,
      60 + 48 * 60,
    ])
    expect(way.waitedFor).toBe('outside the windows: the next one opens Mon 2026-11-23 09:00 UTC')
    expect(way.steps.map(({ waitedFor }) => waitedFor)).toEqual([
      null,
      'outside the windows: the next one opens Tue 2026-11-24 09:00 UTC',
    ])
  })

  test('is stuck where the calendar never opens again, and says so', () => {
    const freezes = [{ name: 'for good', fromMs: START_MS + 5 * MINUTE_MS, toMs: Date.parse('2030-01-01T00:00Z') }]
    const way = only(run([workload('a')], { calendar: calendarOf({ freezes }) }))
    expect(way.steps.map(({ weightPercent }) => weightPercent)).toEqual([50])
    expect([way.bakesAtMs, way.bakedAtMs, way.endsAtMs]).toEqual([null, null, null])
    expect(way.stuckBy).toBe('the freeze "for good" until Tue 2030-01-01 00:00 UTC; nothing is open within 400 days')
  })

  test('never starts where the calendar never opens', () => {
    const freezes = [{ name: 'for good', fromMs: 0, toMs: Date.parse('2030-01-01T00:00Z') }]
    const result = run([workload('a')], { calendar: calendarOf({ freezes }) })
    expect(only(result)).toMatchObject({ startsAtMs: null, steps: [], waitedFor: expect.stringContaining('for good') })
    expect(result.endsAtMs).toBeNull()
  })
})

// A workload has baked after 100 min 20 s.
const BAKED = 100 + 1 / 3

describe('a fleet', () => {
  test.each<[string, readonly Plan[], Partial<FleetPlan>, Readonly<Record<string, number | null>>]>([
    ['without limits starts at once', [workload('a'), workload('b')], {}, { a: 0, b: 0 }],
    ['follows `after`', [workload('b', {}, { after: ['a'] }), workload('a')], {}, { a: 0, b: BAKED }],
    [
      'has room for so many at once',
      [workload('a'), workload('b'), workload('c')],
      { concurrency: 2 },
      { a: 0, b: 0, c: BAKED },
    ],
    [
      'keeps a distance between two starts',
      [workload('a'), workload('b'), workload('c')],
      { spacingSeconds: 600 },
      { a: 0, b: 10, c: 20 },
    ],
    [
      'has its canary bake first',
      [workload('a'), workload('b'), workload('c')],
      { canaryFirst: true },
      { a: 0, b: BAKED, c: BAKED },
    ],
    ['goes wave by wave', [workload('a'), workload('b')], fleetOf({ first: ['b'], then: ['a'] }), { b: 0, a: BAKED }],
    [
      'leaves out whoever waits for a workload that never bakes',
      [workload('a', {}, { after: ['b'] }), workload('b', {}, { after: ['a'] }), workload('c')],
      {},
      { c: 0, a: null, b: null },
    ],
  ])('%s', (_, plans, more, expected) => {
    const fleet = { ...fleetOf({ all: plans.map((plan) => plan.workload) }), ...more }
    const result = run(plans, { fleet })
    expect(starts(result)).toEqual(expected)
  })

  test('tells of each wave when it starts, and when the next may', () => {
    const fleet = fleetOf({ first: ['b'], then: ['a'] })
    const { waves, endsAtMs } = run([workload('a'), workload('b')], { fleet })
    expect(waves.map(({ name, startsAtMs, bakedAtMs }) => [name, minutes(startsAtMs), minutes(bakedAtMs)])).toEqual([
      ['first', 0, BAKED],
      ['then', BAKED, 2 * BAKED],
    ])
    expect(minutes(endsAtMs)).toBe(2 * BAKED + 10)
  })

  test('counts its writes by provider, and the most in a minute against what steps may make', () => {
    const providers = { lb: { quota: { callsPerSecond: 1, burst: 20 } } }
    const { accounts } = run([workload('a'), workload('b')].map(withOwnScope), { providers })
    expect(accounts).toEqual([
      { kind: 'lb', writes: 4, busiestMinute: { fromMs: START_MS, writes: 2 }, minuteLimit: 40 },
    ])
    expect(run([workload('a')]).accounts).toMatchObject([{ minuteLimit: null }])
  })
})

function withOwnScope(plan: Plan): Plan {
  return { ...plan, targets: plan.targets.map((target) => ({ ...target, kind: 'lb', scope: `lb:${plan.workload}` })) }
}

const period = fc.record({
  name: fc.constant('p'),
  cron: fc.constantFrom('0 9 * * *', '30 13 * * 1-5', '0 */6 * * *', '0 22 * * 0'),
  // No gap is shorter than what a few sweeps take.
  forSeconds: fc.integer({ min: 1, max: 60 }).map((count) => count * 600),
})
const calendars = fc.record({ windows: fc.array(period, { maxLength: 2 }), peaks: fc.array(period, { maxLength: 1 }) })

describe('no raise of a forecast', () => {
  const members = fc.array(
    fc.record({ after: fc.array(fc.nat(5), { maxLength: 2 }), wave: fc.nat(2), ttl: fc.constantFrom('', '20') }),
    { minLength: 1, maxLength: 6 },
  )
  const limits = fc.record({
    concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
    spacingSeconds: fc.constantFrom(0, 600, 7200),
    canaryFirst: fc.boolean(),
  })

  test('lies outside the calendar, before what it waits for has baked, or in another wave', () => {
    fc.assert(
      fc.property(members, limits, calendars, (given, more, spec) => {
        const nameOf = (index: number) => `w${index}`
        const plans = given.map(({ after, ttl }, index) => {
          // To those before it, so that no circle comes about; a later wave is refused by the config.
          const known = after.filter((other) => other < index && (given[other]?.wave ?? 9) <= (given[index]?.wave ?? 0))
          return workload(nameOf(index), ttl === '' ? {} : { ttl }, { after: [...new Set(known)].map(nameOf) })
        })
        const waves = [0, 1, 2].map((wave) => [
          `wave-${wave}`,
          given.flatMap((one, index) => (one.wave === wave ? [nameOf(index)] : [])),
        ])
        const fleet = { ...fleetOf(Object.fromEntries(waves)), ...more }
        const calendar = calendarOf(spec)
        const result = run(plans, { fleet, calendar })
        const ways = result.waves.flatMap(({ workloads }) => workloads)
        const bakedOf = (name: string) => ways.find((way) => way.workload === name)?.bakedAtMs ?? Number.NaN
        expect(ways.map((way) => way.workload).sort()).toEqual(plans.map((plan) => plan.workload).sort())
        for (const way of ways) {
          const startMs = way.startsAtMs
          if (startMs === null) continue
          const raises = [startMs, ...way.steps.map(({ atMs }) => atMs)]
          expect(raises.every((ms) => calendar.at(ms).isOpen)).toBe(true)
          for (const other of way.after) expect(startMs).toBeGreaterThanOrEqual(bakedOf(other))
          for (const [index, one] of way.steps.entries())
            expect(one.atMs).toBeGreaterThanOrEqual(way.steps[index - 1]?.doneAtMs ?? startMs)
        }
        for (const [index, wave] of result.waves.entries())
          for (const earlier of result.waves.slice(0, index))
            if (wave.startsAtMs !== null && earlier.bakedAtMs !== null)
              expect(wave.startsAtMs).toBeGreaterThanOrEqual(earlier.bakedAtMs)
        const byStart = ways.flatMap(({ startsAtMs }) => startsAtMs ?? []).toSorted((a, b) => a - b)
        for (const [index, ms] of byStart.slice(1).entries())
          expect(ms - (byStart[index] ?? 0)).toBeGreaterThanOrEqual(more.spacingSeconds * 1000)
        for (const ms of byStart) {
          const underWay = ways.filter(
            ({ startsAtMs, bakedAtMs }) => startsAtMs !== null && startsAtMs <= ms && (bakedAtMs ?? ms + 1) > ms,
          )
          expect(underWay.length).toBeLessThanOrEqual(more.concurrency ?? ways.length)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the core itself', () => {
  test('raises no sooner than the forecast says, and hardly later, where nothing goes wrong', () => {
    fc.assert(
      fc.property(calendars, fc.constantFrom(0, 25, 60), (spec, settleSeconds) => {
        const calendar = calendarOf(spec)
        const bare = { gates: [], slis: [], probes: [], shareTolerancePercent: null, checks: [] }
        const plan = workload('a', { settle: String(settleSeconds) }, bare)
        const way = only(run([plan], { calendar }))
        const told = [...way.steps.map(({ atMs }) => atMs), way.bakesAtMs, way.bakedAtMs]
        // Sweep by sweep, so within some days.
        fc.pre(told.every((ms) => ms !== null && ms < START_MS + 3 * 86_400_000))
        const seen = play(plan, calendar)
        expect(seen).toHaveLength(told.length)
        for (const [index, ms] of told.entries()) {
          const late = (seen[index] ?? 0) - (ms ?? 0)
          // A sweep for each wait to be noticed; where the calendar closes in between, the next opening.
          const isShut = ms !== null && !calendar.at(ms + (2 * index + 2) * SWEEP_SECONDS * 1000).isOpen
          expect(late).toBeGreaterThanOrEqual(0)
          if (isShut) return
          expect(late).toBeLessThanOrEqual((2 * index + 2) * SWEEP_SECONDS * 1000)
        }
      }),
      { numRuns: 25 },
    )
  })
})

/** Steps a rollout in a world without faults; when it was raised, began to bake, and had baked. */
function play(plan: Plan, calendar: ReturnType<typeof calendarOf>): readonly number[] {
  const seen: number[] = []
  let state = initialState(plan.workload, 'RUN', START_MS)
  let weightPercent = 0
  for (let nowMs = START_MS; seen.length < plan.steps.length + 2; nowMs += SWEEP_SECONDS * 1000) {
    if (nowMs > START_MS + 9 * 86_400_000) throw new Error(`stuck in ${state.phase.name}`)
    const targets = Object.fromEntries(
      plan.targets.map(({ id }) => [id, { kind: 'weight', atMs: nowMs, weightPercent } as const]),
    )
    const reading = { facts: [], targets, writes: [], slis: {}, probes: {}, dependencies: {} }
    const observation = { ...PLAIN_SIGHT, ...reading, calendar: calendar.at(nowMs) }
    const result = step({ state, plan, observation, nowMs, sweepSeconds: SWEEP_SECONDS })
    for (const effect of result.effects) if (effect.kind === 'setWeight') weightPercent = effect.weightPercent
    const isTold = ({ type }: { type: string }) => type === 'weight-intended'
    if (result.events.some(isTold)) seen.push(nowMs)
    const hasBegun = result.state.phase.name === 'baking' && state.phase.name !== 'baking'
    if (hasBegun || (hasBaked(result.state.phase.name) && !hasBaked(state.phase.name))) seen.push(nowMs)
    state = result.state
  }
  return seen
}
