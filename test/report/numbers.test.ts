import { beforeAll, describe, expect, test } from 'vitest'
import { HOLD_CAUSES, type SliEvidence } from '../../src/core/state.ts'
import { buildReport, type ReportInput } from '../../src/report/build.ts'
import type { Report, WorkloadReport } from '../../src/report/model.ts'
import { EMPTY_JOURNAL } from '../../src/shared/journal-chain.ts'
import { playMigration, type Recording } from './play.ts'
import { keepRun } from './recorded.ts'

const COSTS = { currency: 'EUR', oldPerHour: 36, newPerHour: 72 }
let run: Recording
let report: Report

beforeAll(async () => {
  run = await playMigration()
  // RECORD=1 keeps this run for the example of the docs.
  if (process.env['RECORD'] === '1') keepRun(run)
  report = reportOf({})
})

function reportOf(changes: Partial<ReportInput>): Report {
  const plans = new Map(run.plans.map((plan) => [plan.hash, plan]))
  return buildReport({
    migration: 'm',
    clusters: { old: 'blue', new: 'green' },
    costs: COSTS,
    madeAtMs: run.madeAtMs,
    subjects: run.rollouts.map((state) => ({ state, plan: plans.get(state.planHash ?? '') ?? null })),
    rows: run.rows,
    journal: { head: EMPTY_JOURNAL, fault: null },
    ...changes,
  })
}

function part(name: string): WorkloadReport {
  const found = report.workloads.find(({ workload }) => workload === name)
  if (!found) throw new Error(`no ${name} in the report`)
  return found
}

function withState(name: string, changes: Partial<Recording['rollouts'][number]>): ReportInput['subjects'] {
  const plan = run.plans[0] ?? null
  return run.rollouts.map((state) => ({ state: state.workload === name ? { ...state, ...changes } : state, plan }))
}

describe('what was served', () => {
  test('of each workload is what the backends themselves counted', () => {
    const told = report.workloads.map(({ workload, served }) => [workload, served[0]?.counts])
    expect(Object.fromEntries(told)).toEqual(run.served)
    expect(run.served['checkout']?.new.bad).toBeGreaterThan(20)
  })

  test('in all is the sum over the workloads', () => {
    const sides = Object.values(run.served)
    const sum = (of: (one: (typeof sides)[number]) => number) => sides.reduce((total, one) => total + of(one), 0)
    expect(report.served).toMatchObject([
      {
        sli: 'availability',
        counts: {
          old: { total: sum((one) => one.old.total), bad: sum((one) => one.old.bad) },
          new: { total: sum((one) => one.new.total), bad: sum((one) => one.new.bad) },
        },
        unknown: [],
      },
    ])
  })

  test('bad by the migration is what NEW failed beyond what OLD would have, each workload by itself', () => {
    let all = 0
    for (const [name, { old, new: fresh }] of Object.entries(run.served)) {
      const want = Math.max(0, fresh.bad - (old.bad / old.total) * fresh.total)
      expect(part(name).served[0]?.attributedBad).toBeCloseTo(want, 9)
      all += want
    }
    expect(report.served[0]?.attributedBad).toBeCloseTo(all, 9)
    expect(all).toBeGreaterThan(50)
  })

  test('is not known where no total is there, and the sum is not known either: never 0', () => {
    const partly = reportOf({ subjects: withState('checkout', { totals: {} }) })
    const missing = partly.workloads.find(({ workload }) => workload === 'checkout')
    expect(missing?.served).toMatchObject([{ sli: 'availability', counts: null, attributedBad: null }])
    expect(partly.served).toEqual([{ sli: 'availability', counts: null, attributedBad: null, unknown: ['checkout'] }])
  })

  test('cannot be laid at anybody’s door where OLD served nothing, unless NEW did not either', () => {
    const counts = { old: { total: 0, bad: 0 }, new: { total: 10, bad: 3 } }
    const served = (totals: Pick<SliEvidence, 'counts'>) => {
      const made = reportOf({ subjects: withState('search', { totals: { availability: { untilMs: 1, ...totals } } }) })
      return made.workloads.find(({ workload }) => workload === 'search')?.served[0]
    }
    expect(served({ counts })).toMatchObject({ counts, attributedBad: null })
    expect(served({ counts: { old: counts.old, new: counts.old } })).toMatchObject({ attributedBad: 0 })
  })
})

describe('weights, decisions and holds', () => {
  const eventsOf = (name: string) => run.rows.flatMap(({ event }) => (event.workload === name ? [event] : []))

  test('every weight that was decided is there, each until the next', () => {
    expect(part('catalog').weights.map(({ toPercent }) => toPercent)).toEqual([10, 50, 100])
    expect(part('checkout').weights.map(({ toPercent, isRevert }) => [toPercent, isRevert])).toEqual([
      [10, false],
      [50, false],
      [0, true],
    ])
    for (const { weights } of report.workloads)
      expect(weights.map(({ untilMs }) => untilMs)).toEqual([...weights.slice(1).map(({ atMs }) => atMs), null])
    for (const change of part('catalog').weights) {
      expect(change.confirmedAfterSeconds).toBeGreaterThanOrEqual(0)
      expect(change.inForceAfterSeconds).toBeGreaterThanOrEqual(change.confirmedAfterSeconds ?? Number.NaN)
    }
  })

  test('every raise, halt and revert comes with what the gates said at that moment', () => {
    expect(part('checkout').decisions.map(({ kind }) => kind)).toEqual(['raise', 'raise', 'halt', 'revert'])
    for (const name of ['catalog', 'checkout', 'search'])
      for (const { kind, verdicts, atMs } of part(name).decisions) {
        const told = eventsOf(name).filter((event) => event.atMs === atMs && 'evidence' in event)
        if (kind === 'revert' || kind === 'halt') expect(verdicts.length).toBeGreaterThan(0)
        expect(told.map((event) => 'evidence' in event && event.evidence)).toContainEqual(verdicts)
      }
  })

  test('holds last as long as the journal says, and one that is not over lasts until the report', () => {
    for (const { workload, holds } of report.workloads) {
      const removed = eventsOf(workload).flatMap((event) => (event.type === 'hold-removed' ? [event.heldSeconds] : []))
      expect(holds.map(({ seconds }) => seconds).sort()).toEqual(removed.sort())
      for (const { fromMs, untilMs, seconds, cause } of holds) {
        expect(HOLD_CAUSES).toContain(cause)
        expect(((untilMs ?? Number.NaN) - fromMs) / 1000).toBe(seconds)
      }
    }
    const rows = run.rows.filter(({ event }) => event.type !== 'hold-removed')
    const open = reportOf({ rows }).workloads.flatMap(({ holds }) => holds)
    expect(open.length).toBeGreaterThan(2)
    for (const { fromMs, untilMs, seconds } of open)
      expect([untilMs, seconds]).toEqual([null, (run.madeAtMs - fromMs) / 1000])
  })

  test('the error budget is the one that the gate itself judged by', () => {
    const ledger = run.rollouts.find(({ workload }) => workload === 'search')?.tests['budget/availability']
    if (ledger?.kind !== 'budget') throw new Error('the run has no ledger')
    const spentBad = ledger.spentBefore + Math.max(0, ledger.counts.bad - ledger.expectedBad)
    const monthly = (ledger.requests / ledger.seconds) * 30 * 86_400
    const [spent] = part('search').budget
    expect(spent?.spentBad).toBeCloseTo(spentBad, 6)
    expect(spent?.spentPercent).toBeCloseTo((spentBad / (monthly * 0.01)) * 100, 6)
    expect(reportOf({ subjects: withState('search', { tests: {} }) }).workloads[2]?.budget[0]?.spentPercent).toBeNull()
  })
})

describe('people, time and money', () => {
  test('the timeline has every row of the journal, in its order', () => {
    expect(report.timeline.map(({ seq, atMs, type }) => [seq, atMs, type])).toEqual(
      run.rows.map(({ seq, event }) => [seq, event.atMs, event.type]),
    )
  })

  test('who said what is there, refusals too, and Headgate is nobody', () => {
    expect(report.actors.map(({ actor }) => actor)).toEqual(['ann'])
    const said = run.rows.filter(({ event }) => event.type === 'command-done' || event.type === 'command-refused')
    expect(report.actors[0]?.deeds.map(({ seq }) => seq)).toEqual(said.map(({ seq }) => seq))
    expect(report.actors[0]?.deeds.map(({ type }) => type)).toContain('command-refused')
  })

  test('both clusters run from the first start until the last close, and cost what the prices say', () => {
    const fromMs = Math.min(...run.rollouts.map(({ startedAtMs }) => startedAtMs ?? Number.NaN))
    const seconds = (run.madeAtMs - fromMs) / 1000
    const cost = { currency: 'EUR', old: seconds / 100, new: seconds / 50 }
    expect(report.bothRunning).toEqual({ fromMs, untilMs: null, seconds, cost })

    const closed = run.rollouts.map((state, index) => ({
      state: { ...state, closed: { atMs: fromMs + index * 50_000, actor: 'ann' } },
      plan: null,
    }))
    expect(reportOf({ subjects: closed, costs: null }).bothRunning).toEqual({
      fromMs,
      untilMs: fromMs + 100_000,
      seconds: 100,
      cost: null,
    })
  })

  test('a migration that has not begun says so instead of numbers', () => {
    const [first] = run.rollouts
    if (!first) throw new Error('the run has no rollouts')
    const waiting = { ...first, startedAtMs: null, totals: {}, planHash: null }
    const made = reportOf({ rows: [], subjects: [{ state: waiting, plan: null }] })
    expect([made.span, made.bothRunning, made.served]).toEqual([
      { startedAtMs: null, endedAtMs: expect.anything() },
      null,
      [],
    ])
  })

  test('rows of workloads of another migration are left out', () => {
    const only = reportOf({ subjects: withState('search', {}).filter(({ state }) => state.workload === 'search') })
    expect(new Set(only.timeline.map(({ workload }) => workload))).toEqual(new Set([null, 'search']))
  })
})

test('an adopted weight is where the weights begin, although nobody wrote it', () => {
  const before = run.rows.filter(({ event }) => event.workload === 'checkout').slice(0, 1)
  const [first] = before
  if (!first) throw new Error('checkout has no row')
  const event = {
    ...{ runId: first.event.runId, workload: 'checkout', actor: 'ann', atMs: first.event.atMs + 1000 },
    ...{ type: 'weight-adopted' as const, weightPercent: 25, stepIndex: 1, steps: 3 },
    found: [{ targetId: 'lb', weightPercent: 25 }],
  }
  const told = reportOf({ rows: [...before, { seq: first.seq + 1, event }] })
  expect(told.workloads.find(({ workload }) => workload === 'checkout')?.weights).toMatchObject([
    { fromPercent: 25, toPercent: 25, isRevert: false, actor: 'ann', reason: 'adopted as it was found', untilMs: null },
  ])
})
