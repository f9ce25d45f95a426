import type { Registry } from 'prom-client'
import type { Verdict } from '../core/gates/verdict.ts'
import { isTerminal } from '../core/state.ts'
import type { WorkloadView } from '../ports/control.ts'
import { leastSecondsLeft } from './least-time.ts'
import type { MetricName } from './names.ts'
import { registerScraped, type Sample } from './samples.ts'

const SIDES = ['old', 'new'] as const

/** Each gives what is known; the names of migration and workload are added. */
const GAUGES = {
  headgate_rollout_info: ({ state, plan }) => one({ policy: plan.policy, run_id: state.runId }, 1),
  headgate_weight_percent: ({ state }) =>
    known([
      [{ kind: 'intended' }, state.intendedWeightPercent],
      [{ kind: 'confirmed' }, state.confirmedWeightPercent],
      [{ kind: 'in-force' }, state.inForceAtMs === null ? null : state.intendedWeightPercent],
      [{ kind: 'observed' }, state.share.lastPercent],
    ]),
  headgate_phase: ({ state }) => one({ phase: state.phase.name }, 1),
  headgate_phase_entered_timestamp_seconds: ({ state }) => one({}, state.phaseSinceMs / 1000),
  headgate_hold: ({ state }) => state.holds.map(({ cause }) => ({ labels: { cause }, value: 1 })),
  headgate_hold_since_timestamp_seconds: ({ state }) =>
    state.holds.map(({ cause, sinceMs }) => ({ labels: { cause }, value: sinceMs / 1000 })),
  headgate_attention: ({ state }) =>
    Object.entries(state.told).map(([about, isTold]) => ({ labels: { about }, value: isTold ? 1 : 0 })),
  headgate_step: ({ state: { phase } }) => (phase.name === 'stepping' ? one({}, phase.stepIndex + 1) : []),
  headgate_steps: ({ plan }) => one({}, plan.steps.length),
  headgate_least_seconds_left: ({ plan, state }) => known([[{}, leastSecondsLeft(plan, state)]]),
  headgate_gate_outcome: ({ state }) =>
    Object.entries(state.outcomes).map(([gate, outcome]) => ({ labels: { gate, outcome }, value: 1 })),
  headgate_sli_requests_total: ({ state }) =>
    Object.entries(state.totals).flatMap(([sli, { counts }]) =>
      SIDES.flatMap((side) => [
        { labels: { sli, side, outcome: 'all' }, value: counts[side].total },
        { labels: { sli, side, outcome: 'bad' }, value: counts[side].bad },
      ]),
    ),
  headgate_sli_objective_percent: ({ plan }) =>
    known(plan.slis.map(({ name, objectivePercent }) => [{ sli: name }, objectivePercent])),
  headgate_latency_seconds: ({ verdicts }) =>
    ofVerdicts(verdicts, [
      ['newP95Seconds', { side: 'new', quantile: '0.95' }],
      ['oldP95Seconds', { side: 'old', quantile: '0.95' }],
      ['newP99Seconds', { side: 'new', quantile: '0.99' }],
      ['oldP99Seconds', { side: 'old', quantile: '0.99' }],
    ]),
  headgate_evidence: ({ verdicts }) =>
    ofVerdicts(verdicts, [
      ['revertEvidence', { test: 'revert' }],
      ['haltEvidence', { test: 'halt' }],
      ['absoluteEvidence', { test: 'absolute' }],
      ['proof', { test: 'proof' }],
      ['newValue', { test: 'value' }],
    ]),
  headgate_evidence_limit: ({ verdicts }) =>
    ofVerdicts(verdicts, [
      ['revertNeeds', { test: 'revert' }],
      ['haltNeeds', { test: 'halt' }],
      ['absoluteNeeds', { test: 'absolute' }],
      ['proofNeeds', { test: 'proof' }],
      ['max', { test: 'value' }],
      ['min', { test: 'value' }],
    ]),
  headgate_budget_spent_percent: ({ verdicts }) => ofVerdicts(verdicts, [['spentPercent', {}]]),
  headgate_budget_limit_percent: ({ plan }) =>
    plan.gates.flatMap((gate) =>
      gate.kind === 'budget'
        ? [
            { labels: { gate: gate.id, outcome: 'halt' }, value: gate.haltPercent },
            { labels: { gate: gate.id, outcome: 'revert' }, value: gate.revertPercent },
          ]
        : [],
    ),
  // A check that was looked at before the start alone says nothing of a workload that has ended.
  headgate_check: ({ state, observation }) =>
    isTerminal(state.phase)
      ? []
      : Object.entries(observation.checks).map(([check, { outcome }]) => ({ labels: { check, outcome }, value: 1 })),
  headgate_tasks: ({ state }) => {
    const outcomes = Object.values(state.tasks).map(({ outcome }) => outcome ?? 'running')
    return (['running', 'passed', 'failed'] as const).map((outcome) => ({
      labels: { outcome },
      value: outcomes.filter((each) => each === outcome).length,
    }))
  },
  headgate_replicas: ({ observation: { replicas } }) =>
    SIDES.flatMap((side) => {
      const reading = replicas?.[side]
      if (reading?.kind !== 'replicas') return []
      return [
        { labels: { side, kind: 'ready' }, value: reading.ready },
        { labels: { side, kind: 'wanted' }, value: reading.wanted },
      ]
    }),
} as const satisfies Partial<Record<MetricName, (view: WorkloadView) => readonly Sample[]>>

/**
 * Metrics that are made anew from the views at each scrape, so that they never tell of a phase that is over or of a
 * workload that is gone.
 */
export function registerWorkloadGauges(registry: Registry, views: () => readonly WorkloadView[]): void {
  for (const [name, samplesOf] of Object.entries(GAUGES)) {
    const samples = () =>
      views().flatMap((view) => {
        const whose = { migration: view.plan.migration, workload: view.state.workload }
        return samplesOf(view).map(({ labels, value }) => ({ labels: { ...whose, ...labels }, value }))
      })
    registerScraped(registry, name as keyof typeof GAUGES, samples)
  }
}

function one(labels: Sample['labels'], value: number): readonly Sample[] {
  return [{ labels, value }]
}

/** What is not known has no sample: it is not told as zero. */
function known(all: readonly (readonly [Sample['labels'], number | null])[]): readonly Sample[] {
  return all.flatMap(([labels, value]) => (value === null ? [] : [{ labels, value }]))
}

/** The numbers of these names among the verdicts' evidence; none where nothing was judged since the start. */
function ofVerdicts(
  verdicts: readonly Verdict[] | null,
  wanted: readonly (readonly [string, Sample['labels']])[],
): readonly Sample[] {
  return (verdicts ?? []).flatMap(({ gate, evidence }) =>
    wanted.flatMap(([key, labels]) => {
      const value = evidence[key]
      return typeof value === 'number' ? [{ labels: { gate, ...labels }, value }] : []
    }),
  )
}
