import type { JournalRow } from '../core/event.ts'
import { explain, severityOf } from '../core/explain.ts'
import type { ServiceStatus, WorkloadView } from '../ports/control.ts'
import { sortHolds, whyOf, worstOutcome } from './why.ts'
import type { JournalRowJson, StatusJson, WorkloadDetailJson, WorkloadJson } from './wire.ts'

/** A journal row with its sentence and how loud it is. */
export function toJournalRow({ seq, event }: JournalRow): JournalRowJson {
  return { seq, severity: severityOf(event), sentence: explain(event), event: { ...event } }
}

export function toStatus(status: ServiceStatus): StatusJson {
  const { migrations, notReady } = status
  return { ...status, migrations: [...migrations], ready: notReady.length === 0, notReady: [...notReady] }
}

/** One line's worth of a workload. */
export function toWorkload(view: WorkloadView): WorkloadJson {
  const { state, plan } = view
  return {
    name: state.workload,
    migration: plan.migration,
    runId: state.runId,
    policy: plan.policy,
    phase: state.phase,
    phaseSinceMs: state.phaseSinceMs,
    stepNumber: state.phase.name === 'stepping' ? state.phase.stepIndex + 1 : null,
    stepCount: plan.steps.length,
    intendedWeightPercent: state.intendedWeightPercent,
    confirmedWeightPercent: state.confirmedWeightPercent,
    observedSharePercent: state.share.lastPercent,
    inForceAtMs: state.inForceAtMs,
    heldSeconds: state.heldMs / 1000,
    holds: [...sortHolds(state.holds)],
    outcome: worstOutcome(state),
    why: whyOf(view),
  }
}

/** Everything about a workload that a person may ask for. */
export function toWorkloadDetail(view: WorkloadView): WorkloadDetailJson {
  const { state, plan, verdicts, observation } = view
  return {
    ...toWorkload(view),
    verdicts: verdicts && [...verdicts],
    evidence: { ...state.evidence },
    readings: observation,
    times: {
      intendedAtMs: state.intendedAtMs,
      confirmedAtMs: state.confirmedAtMs,
      inForceAtMs: state.inForceAtMs,
      judgeSinceMs: state.judgeSinceMs,
      blindSinceMs: state.blindSinceMs,
      lastStepMs: state.lastStepMs,
    },
    plan,
    planPinned: state.planHash !== null,
  }
}
