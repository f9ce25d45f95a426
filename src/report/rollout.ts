import type { EventType, HeadgateEvent, JournalRow } from '../core/event.ts'
import { explain } from '../core/explain.ts'
import type { Plan } from '../core/plan.ts'
import { isHalt, isTerminal, type RolloutState } from '../core/state.ts'
import type { Decision, HoldSpan, WeightChange, WorkloadReport } from './model.ts'
import { budgetOf, servedOf } from './served.ts'

/** A workload, and the plan that it goes by; null: none is known yet. */
export interface Subject {
  readonly state: RolloutState
  readonly plan: Plan | null
}

type EventOf<T extends EventType> = Extract<HeadgateEvent, { type: T }>

/** One workload's part of the report, from its own rows of the journal, oldest first. */
export function reportOf({ state, plan }: Subject, rows: readonly JournalRow[], madeAtMs: number): WorkloadReport {
  const { phase } = state
  return {
    workload: state.workload,
    runId: state.runId,
    policy: state.planHash === null ? null : (plan?.policy ?? null),
    planHash: state.planHash,
    phase: phase.name,
    phaseReason: 'reason' in phase ? phase.reason : null,
    round: state.round,
    startedAtMs: startOf(rows) ?? state.startedAtMs,
    endedAtMs: isTerminal(phase) ? state.phaseSinceMs : null,
    closed: state.closed,
    intendedWeightPercent: state.intendedWeightPercent,
    confirmedWeightPercent: state.confirmedWeightPercent,
    weights: weightsOf(rows),
    decisions: rows.flatMap(decisionOf),
    holds: holdsOf(rows, madeAtMs),
    served: servedOf(state, plan),
    budget: budgetOf(state, plan),
  }
}

/** The journal's word, since a retry begins a new round in the state. */
function startOf(rows: readonly JournalRow[]): number | null {
  const first = rows.find(({ event }) => event.type === 'phase-entered' && event.from === 'waiting')
  return first?.event.atMs ?? null
}

function weightsOf(rows: readonly JournalRow[]): readonly WeightChange[] {
  const changes: WeightChange[] = []
  const amend = (more: Partial<WeightChange>) => {
    const newest = changes.pop()
    if (newest) changes.push({ ...newest, ...more })
  }
  for (const { seq, event } of rows) {
    if (event.type === 'weight-intended') {
      amend({ untilMs: event.atMs })
      changes.push(changeOf(seq, event))
    } else if (event.type === 'weight-adopted') {
      amend({ untilMs: event.atMs })
      changes.push(adoptionOf(seq, event))
    } else if (event.type === 'weight-confirmed') {
      amend({ confirmedAfterSeconds: event.secondsSinceIntended })
    } else if (event.type === 'weight-in-force') {
      const { secondsSinceIntended, observedSharePercent } = event
      amend({ inForceAfterSeconds: secondsSinceIntended, observedSharePercent })
    }
  }
  return changes
}

function changeOf(seq: number, event: EventOf<'weight-intended'>): WeightChange {
  const { atMs, fromPercent, toPercent, urgency, trial, actor, reason } = event
  return {
    seq,
    atMs,
    fromPercent,
    toPercent,
    isRevert: urgency === 'revert',
    trial: trial === null ? null : trial.kind === 'marked' ? 'marked requests' : `copies of ${trial.percent} %`,
    actor,
    reason,
    confirmedAfterSeconds: null,
    inForceAfterSeconds: null,
    observedSharePercent: null,
    untilMs: null,
  }
}

/** Nothing was written: the weight was there, and counts from here on. */
function adoptionOf(seq: number, { atMs, weightPercent, actor }: EventOf<'weight-adopted'>): WeightChange {
  return {
    ...{ seq, atMs, fromPercent: weightPercent, toPercent: weightPercent, isRevert: false, trial: null, actor },
    reason: 'adopted as it was found',
    confirmedAfterSeconds: 0,
    inForceAfterSeconds: null,
    observedSharePercent: null,
    untilMs: null,
  }
}

function decisionOf({ seq, event }: JournalRow): Decision[] {
  const { atMs, actor } = event
  const head = { seq, atMs, actor }
  switch (event.type) {
    case 'weight-intended': {
      // What a revert writes is told by the revert itself, with its evidence.
      if (event.urgency === 'revert') return []
      const { fromPercent, toPercent, reason, evidence: verdicts, trial } = event
      return [{ ...head, kind: trial === null ? 'raise' : 'trial', fromPercent, toPercent, reason, verdicts }]
    }
    case 'revert-started': {
      const { fromPercent, toPercent, reason, evidence: verdicts } = event
      return [{ ...head, kind: 'revert', fromPercent, toPercent, reason, verdicts }]
    }
    case 'revert-refused': {
      const { reason, evidence: verdicts } = event
      return [{ ...head, kind: 'revert refused', fromPercent: null, toPercent: null, reason, verdicts }]
    }
    case 'hold-added': {
      if (!isHalt(event.hold.cause)) return []
      const { hold, evidence: verdicts } = event
      return [{ ...head, kind: 'halt', fromPercent: null, toPercent: null, reason: hold.detail, verdicts }]
    }
    default:
      return []
  }
}

/** A hold runs from the row that added it to the one that removed it; a rollout has at most one of each cause. */
function holdsOf(rows: readonly JournalRow[], madeAtMs: number): readonly HoldSpan[] {
  const spans: HoldSpan[] = []
  for (const { event } of rows) {
    if (event.type === 'hold-added') {
      const { cause, detail, actor, sinceMs } = event.hold
      const seconds = secondsBetween(sinceMs, madeAtMs)
      spans.push({ cause, detail, actor, fromMs: sinceMs, untilMs: null, seconds, endedBecause: null })
    } else if (event.type === 'hold-removed') {
      const at = spans.findLastIndex(({ cause, untilMs }) => cause === event.cause && untilMs === null)
      const span = spans[at]
      if (span) spans[at] = { ...span, untilMs: event.atMs, seconds: event.heldSeconds, endedBecause: event.reason }
    } else if (event.type === 'phase-entered' && event.to === 'waiting') {
      // A retry begins with no hold.
      for (const [at, span] of spans.entries())
        if (span.untilMs === null)
          spans[at] = {
            ...span,
            untilMs: event.atMs,
            seconds: secondsBetween(span.fromMs, event.atMs),
            endedBecause: explain(event),
          }
    }
  }
  return spans
}

export function secondsBetween(fromMs: number, untilMs: number): number {
  return Math.max(0, (untilMs - fromMs) / 1000)
}
