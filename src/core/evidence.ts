import { change, type Draft } from './draft.ts'
import { addCounts, type CountsReading, NO_COUNTS, type ProbeReading } from './observation.ts'
import type { Plan } from './plan.ts'
import type { ProbeEvidence, RolloutState, SliEvidence } from './state.ts'
import { weighGates } from './weigh.ts'

/**
 * Takes the new readings into the rollout's accumulators. A tick counts once, and only if it began when the weight was
 * already in force: what happened before proves nothing about this weight.
 */
export function takeIn(draft: Draft): void {
  change(draft, { evidence: nextEvidence(draft), probes: nextProbes(draft), ...weighGates(draft) })
}

function nextEvidence({ state, observation }: Draft): RolloutState['evidence'] {
  const { inForceAtMs } = state
  if (inForceAtMs === null) return state.evidence
  const taken = Object.entries(observation.slis).flatMap(([name, reading]): [string, SliEvidence][] => {
    if (reading.kind !== 'counts' || reading.sinceMs < inForceAtMs) return []
    const before = state.evidence[name] ?? { untilMs: 0, counts: { old: NO_COUNTS, new: NO_COUNTS } }
    return reading.atMs > before.untilMs ? [[name, addTick(before, reading)]] : []
  })
  return { ...state.evidence, ...Object.fromEntries(taken) }
}

/** A side whose tick is missing adds nothing; the gate says `blind` of it. */
export function addTick(before: SliEvidence, { tick, atMs }: CountsReading): SliEvidence {
  const { old, new: fresh } = tick
  return {
    untilMs: atMs,
    counts: {
      old: 'kind' in old ? before.counts.old : addCounts(before.counts.old, old),
      new: 'kind' in fresh ? before.counts.new : addCounts(before.counts.new, fresh),
    },
  }
}

function nextProbes({ state, observation }: Draft): RolloutState['probes'] {
  const taken = Object.entries(observation.probes).flatMap(([name, reading]): [string, ProbeEvidence][] => {
    const before = state.probes[name]
    return reading.atMs > (before?.untilMs ?? state.judgeSinceMs)
      ? [[name, addProbe(before, reading, state.inForceAtMs)]]
      : []
  })
  return { ...state.probes, ...Object.fromEntries(taken) }
}

/** Failures count at any time; passes only in force. A missing answer neither passes nor fails. */
function addProbe(before: ProbeEvidence | undefined, reading: ProbeReading, inForceAtMs: number | null): ProbeEvidence {
  const { new: fresh, old } = reading.outcome
  const base = before ?? { untilMs: 0, passes: 0, failures: 0, oldFailures: null, lastWhy: null }
  const counted = { ...base, untilMs: reading.atMs, oldFailures: nextOldFailures(base.oldFailures, old) }
  if (fresh === null || fresh.kind === 'missing') return counted
  if (fresh.kind === 'failed') return { ...counted, passes: 0, failures: base.failures + 1, lastWhy: fresh.why }
  const isCounted = inForceAtMs !== null && reading.atMs >= inForceAtMs
  return { ...counted, passes: isCounted ? base.passes + 1 : 0, failures: 0, lastWhy: null }
}

function nextOldFailures(before: number | null, old: ProbeReading['outcome']['old']): number | null {
  if (old === null || old.kind === 'missing') return before
  return old.kind === 'failed' ? (before ?? 0) + 1 : 0
}

/** The SLI whose requests tell the observed share: the first one that counts events; null: none does. */
export function shareSli(plan: Plan): string | null {
  return plan.slis.find((spec) => spec.objectivePercent !== null)?.name ?? null
}
