import { describe, expect, test } from 'vitest'
import { fleetReadings, type Member } from '../../src/core/fleet.ts'
import type { FleetPlan } from '../../src/core/fleet-plan.ts'
import { fleetView } from '../../src/core/fleet-view.ts'
import { missing } from '../../src/core/observation.ts'
import { fleetOf, type MemberSettings, memberOf, FLEET_START_MS as START, signalOf } from '../support/fleet.ts'

const HOLD = { detail: 'a test', sinceMs: START, actor: 'ann' }

interface Case {
  readonly plan: FleetPlan
  readonly members: Readonly<Record<string, MemberSettings>>
  /** Seconds after the start. */
  readonly at?: number
  /** By workload: why it waits, or null. */
  readonly want: Readonly<Record<string, string | null>>
}

const TWO = { first: ['a', 'b'], second: ['c'] }
const ONE = { all: ['a', 'b', 'c', 'd'] }
const IN_LINE = { a: {}, b: {}, c: {}, d: {} }

const CASES: Readonly<Record<string, Case>> = {
  'without limits all of the first wave start at once, the next waits': {
    plan: fleetOf(TWO),
    members: { a: {}, b: {}, c: {} },
    want: { a: null, b: null, c: 'wave first comes first: 0 of 2 workloads are done, not a, b' },
  },
  'the next wave begins when all of the one before have baked or were cancelled': {
    plan: fleetOf(TWO),
    members: { a: { phase: 'draining' }, b: { phase: 'cancelled' }, c: {} },
    want: { c: null },
  },
  'baking is not baked': {
    plan: fleetOf(TWO),
    members: { a: { phase: 'completed' }, b: { phase: 'baking' }, c: {} },
    want: { c: 'wave first comes first: 1 of 2 workloads are done, not b' },
  },
  'a revert holds the next wave and says what to do': {
    plan: fleetOf(TWO),
    members: { a: { phase: 'reverted' }, b: { phase: 'completed' }, c: {} },
    want: { c: 'wave first comes first: 1 of 2 workloads are done, not a; a reverted: retry or cancel' },
  },
  'a workload of an earlier wave without a rollout yet is not done': {
    plan: fleetOf(TWO),
    members: { a: { phase: 'completed' }, c: {} },
    want: { c: 'wave first comes first: 1 of 2 workloads are done, not b' },
  },
  'as many as the limit start together, in the order of the list': {
    plan: fleetOf(ONE, { concurrency: 2 }),
    members: IN_LINE,
    want: {
      a: null,
      b: null,
      c: '2 of 2 workloads are under way: a, b',
      d: '2 of 2 workloads are under way: a, b',
    },
  },
  'one that is being reverted is still under way, one that has reverted is not': {
    plan: fleetOf(ONE, { concurrency: 2 }),
    members: { a: { phase: 'reverting' }, b: { phase: 'reverted' }, c: {}, d: {} },
    want: { c: null, d: '2 of 2 workloads are under way: a, c' },
  },
  'a lower criticality goes first': {
    plan: {
      ...fleetOf(ONE, { concurrency: 1 }),
      waves: [
        {
          name: 'all',
          members: [
            { workload: 'a', criticality: 2 },
            { workload: 'b', criticality: 1 },
            { workload: 'c', criticality: 0 },
          ],
          concurrency: null,
        },
      ],
    },
    members: { a: {}, b: {}, c: {} },
    want: { a: '1 of 1 workloads are under way: c', b: '1 of 1 workloads are under way: c', c: null },
  },
  'a wave has a limit of its own': {
    plan: {
      ...fleetOf({}),
      waves: [{ name: 'all', members: [1, 2].map((n) => ({ workload: `${n}`, criticality: 1 })), concurrency: 1 }],
    },
    members: { 1: { phase: 'stepping' }, 2: {} },
    want: { 2: '1 of 1 workloads of wave all are under way: 1' },
  },
  'whom a person paused gives its place to the next': {
    plan: fleetOf(ONE, { concurrency: 1 }),
    members: { a: { holds: [{ cause: 'paused', ...HOLD }] }, b: {} },
    want: { a: '1 of 1 workloads are under way: b', b: null },
  },
  'whoever waits for a workload of its own wave gives its place to the next': {
    plan: fleetOf(ONE, { concurrency: 1 }),
    members: { a: { after: ['b'] }, b: {} },
    want: { a: '1 of 1 workloads are under way: b', b: null },
  },
  'a closed window holds everybody, and gives no place away': {
    plan: fleetOf(ONE, { concurrency: 1 }),
    members: { a: { holds: [{ cause: 'window', ...HOLD }] }, b: {} },
    want: { a: null, b: '1 of 1 workloads are under way: a' },
  },
  'of those that start together only one may when starts are spaced': {
    plan: fleetOf(ONE, { spacingSeconds: 600 }),
    members: { a: {}, b: {} },
    want: { a: null, b: 'the next start is in 10 min: 10 min lie between two, and a was the last' },
  },
  'the newest start counts, also of one that has ended since': {
    plan: fleetOf(ONE, { spacingSeconds: 600 }),
    members: { a: { phase: 'cancelled', startedAtMs: START }, b: {} },
    at: 599,
    want: { b: 'the next start is in 1 s: 10 min lie between two, and a was the last' },
  },
  'when the spacing is over the next starts': {
    plan: fleetOf(ONE, { spacingSeconds: 600 }),
    members: { a: { phase: 'preflight', phaseSinceMs: START }, b: {} },
    at: 600,
    want: { b: null },
  },
  'a canary starts alone': {
    plan: fleetOf(ONE, { canaryFirst: true }),
    members: { a: {}, b: {}, c: {} },
    want: {
      a: null,
      b: 'the canary of wave all must have baked: a',
      c: 'the canary of wave all must have baked: a',
    },
  },
  'a canary that reverted keeps the others back, and may itself be retried': {
    plan: fleetOf(ONE, { canaryFirst: true }),
    members: { a: { phase: 'reverted' }, b: {} },
    want: { a: null, b: 'the canary of wave all must have baked: a; a reverted: retry or cancel' },
  },
  'when a canary was cancelled the next one is the canary': {
    plan: fleetOf(ONE, { canaryFirst: true }),
    members: { a: { phase: 'cancelled' }, b: {}, c: {} },
    want: { b: null, c: 'the canary of wave all must have baked: b' },
  },
  'when the canary has baked all others start': {
    plan: fleetOf(ONE, { canaryFirst: true }),
    members: { a: { phase: 'completed' }, b: {}, c: {} },
    want: { b: null, c: null },
  },
  'one of a config that is not in force yet waits for it': {
    plan: fleetOf({ all: ['a'] }),
    members: { a: {}, z: {} },
    want: { a: null, z: 'it is in no wave of the config in force' },
  },
}

describe('who may start', () => {
  test.each(Object.entries(CASES))('%s', (_name, { plan, members, at = 0, want }) => {
    const readings = fleetReadings(plan, membersOf(members), [], START + at * 1000)
    const waits = Object.fromEntries([...readings].map(([name, { waitsFor }]) => [name, waitsFor]))
    expect(waits).toMatchObject(want)
  })

  test('workloads of other migrations neither count nor are told anything', () => {
    const { plan, state } = memberOf('x', { phase: 'stepping' })
    const other = { state, plan: { ...plan, migration: 'other' } }
    const readings = fleetReadings(fleetOf({ all: ['a'] }, { concurrency: 1 }), [other, memberOf('a')], [], START)
    expect([...readings.keys()]).toEqual(['a'])
    expect(readings.get('a')?.waitsFor).toBeNull()
  })
})

describe('the breaker', () => {
  const plan = fleetOf({ all: ['a', 'b', 'c', 'd'] }, { breaker: { reverts: 2, withinSeconds: 3600 } })
  const minutes = (n: number) => START + n * 60_000
  const reverted = (minute: number): MemberSettings => ({ phase: 'reverted', intendedAtMs: minutes(minute) })
  const said = (members: Readonly<Record<string, MemberSettings>>, workload: string) => {
    const reading = fleetReadings(plan, membersOf(members), [], minutes(600)).get(workload)
    return { waitsFor: reading?.waitsFor, verdict: reading?.verdicts.find(({ gate }) => gate === 'breaker') ?? null }
  }

  test('two reverts within its time halt whoever is under way, and nobody starts', () => {
    const members = { a: reverted(10), b: reverted(70), c: { phase: 'stepping' }, d: {} } as const
    const sentence = '2 workloads reverted within 1 h: a, b'
    expect(said(members, 'c').verdict).toMatchObject({ outcome: 'halt', sentence, evidence: { reverts: 2 } })
    expect(said(members, 'd').waitsFor).toBe(`${sentence}: nothing starts until they are retried or cancelled`)
  })

  test('those that revert are not halted by it', () => {
    expect(said({ a: reverted(10), b: reverted(20), c: {} }, 'a').verdict).toBeNull()
  })

  test.each([
    ['two that began longer apart', { a: reverted(10), b: reverted(71) }],
    ['one alone', { a: reverted(10), b: { phase: 'completed' } }],
    ['when one was retried', { a: reverted(10), b: { judgeSinceMs: minutes(90) } }],
  ] as const)('it lets go on: %s', (_name, members) => {
    const all = { ...members, c: { phase: 'stepping' }, d: {} } as const
    expect(said(all, 'c').verdict).toBeNull()
    expect(said(all, 'd').waitsFor).toBeNull()
  })

  test('a revert that is under way counts from its beginning, and so does it when it has ended', () => {
    const c = { phase: 'baking', judgeSinceMs: START - 1 } as const
    const reverting = { a: { phase: 'reverting' }, b: reverted(60), c } as const
    expect(said(reverting, 'c').verdict?.outcome).toBe('halt')
  })

  test('a person who resumed a workload has seen the reverts before, not those after', () => {
    const members = { a: reverted(10), b: reverted(20), c: { phase: 'stepping', judgeSinceMs: minutes(30) } } as const
    expect(said(members, 'c').verdict).toBeNull()
    expect(said({ ...members, d: reverted(40) }, 'c').verdict).toBeNull()
    const again = { ...members, a: reverted(40), b: reverted(50) }
    expect(said(again, 'c').verdict?.outcome).toBe('halt')
  })
})

describe('signals of a migration', () => {
  const plan = fleetOf({ all: ['a', 'b'] }, { signals: [signalOf()] })
  const members = membersOf({ a: { phase: 'stepping' }, b: {} })
  const read = (value: number | null, badSinceMs: number | null = null) => [
    { id: 'queue', atMs: START, value: { old: 1, new: value ?? missing('empty', 'no data') }, badSinceMs },
  ]

  test.each([
    ['within its bound lets go on', read(10), 'pass', null],
    ['that was not read yet is blind', [], 'blind', 'queue: not read yet'],
    ['without data is blind', read(null, START - 3_600_000), 'blind', 'queue: green cannot be read: no data'],
    [
      'that has just become bad keeps others from starting',
      read(11, START - 59_000),
      'wait',
      'queue: green has 11 (at most 10) for 59 s, which halts after 1 min',
    ],
    ['that stays bad halts', read(11, START - 60_000), 'halt', 'queue: green has 11 (at most 10) for 1 min'],
  ])('one %s', (_name, signals, outcome, waitsFor) => {
    const readings = fleetReadings(plan, members, signals, START)
    expect(readings.get('a')).toMatchObject({ waitsFor: null, verdicts: [{ gate: 'signal/queue', outcome }] })
    expect(readings.get('b')?.waitsFor).toBe(waitsFor)
  })

  test('one of users’ requests says nothing before NEW has any, and nothing keeps the first from starting', () => {
    const relative = signalOf({ ofTraffic: true, bound: { timesOld: 2, plus: 0.1 }, unit: '%' })
    const ofTraffic = { ...plan, signals: [relative] }
    const before = fleetReadings(ofTraffic, members, read(null), START)
    expect(before.get('b')).toEqual({ waitsFor: null, verdicts: [] })
    const inForce = membersOf({ a: { phase: 'stepping', intendedWeightPercent: 1, inForceAtMs: START }, b: {} })
    expect(fleetReadings(ofTraffic, inForce, read(null), START).get('a')?.verdicts[0]?.outcome).toBe('blind')
    const [told] = fleetReadings(ofTraffic, inForce, read(2.2, START - 60_000), START).get('a')?.verdicts ?? []
    expect(told).toMatchObject({ outcome: 'halt', evidence: { newValue: 2.2, oldValue: 1, badSeconds: 60 } })
    expect(told?.sentence).toBe('queue: green has 2.2 % (at most 2.1 %, by 1 % of blue) for 1 min')
  })

  test('one against OLD ends when OLD serves nobody any more', () => {
    const moved = membersOf({
      a: { phase: 'completed', intendedWeightPercent: 100, confirmedWeightPercent: 100 },
    })
    const relative = { ...plan, signals: [signalOf({ ofTraffic: true, bound: { timesOld: 2, plus: 0 } })] }
    expect(fleetReadings(relative, moved, read(50, START - 900_000), START).get('a')?.verdicts).toEqual([])
    expect(fleetView(relative, moved, read(50), START).signals).toMatchObject([
      { outcome: 'wait', sentence: 'queue: no workload has traffic on blue to compare with' },
    ])
  })
})

test('the view of a migration counts each workload once', () => {
  const plan = fleetOf({ one: ['a', 'b', 'c'], two: ['d', 'e'] }, { breaker: { reverts: 1, withinSeconds: 60 } })
  const members = membersOf({
    a: { phase: 'completed' },
    b: { phase: 'reverted' },
    c: { phase: 'cancelled' },
    d: { phase: 'baking' },
  })
  const view = fleetView(plan, members, [], START)
  expect(view.waves.map(({ counts }) => counts)).toEqual([
    { waiting: 0, underWay: 0, baked: 1, reverted: 1, cancelled: 1 },
    { waiting: 1, underWay: 1, baked: 0, reverted: 0, cancelled: 0 },
  ])
  expect(view.breaker).toMatchObject({ reverted: ['b'], tripped: '1 workload reverted within 1 min: b' })
})

function membersOf(members: Readonly<Record<string, MemberSettings>>): readonly Member[] {
  return Object.entries(members).map(([name, settings]) => memberOf(name, settings))
}
