import type { Draft } from './draft.ts'
import { weighBudget } from './gates/budget.ts'
import { phiOf } from './gates/dispersion.ts'
import { type TestTick, weighHarm } from './gates/harm.ts'
import { mayLackOld, raiseOf } from './gates/judge.ts'
import { weighLatency } from './gates/latency.ts'
import { weighProof } from './gates/proof.ts'
import type { Proof } from './gates/proof-test.ts'
import type { Stage } from './gates/restarts.ts'
import {
  type Counts,
  type CountsReading,
  isMissing,
  type Missing,
  NO_COUNTS,
  type ProbeOutcome,
} from './observation.ts'
import type { Gate, HarmGate, Sides } from './plan.ts'
import type { RolloutState, TestState } from './state.ts'
import { trialOf } from './targets.ts'

/**
 * Takes new ticks into the gates' tests and proofs. A tick counts once. The tests take every tick of a rollout under way,
 * since they judge by what NEW really served; a proof takes those alone that began when its weight was in force.
 */
export function weighGates(draft: Draft): Pick<RolloutState, 'tests' | 'proofs'> {
  const { plan, state } = draft
  const tests: Record<string, TestState> = { ...state.tests }
  const proofs: Record<string, Proof> = { ...state.proofs }
  const stage = stageOf(draft)
  for (const gate of plan.gates) {
    const test = nextTest(gate, draft, stage)
    if (test) tests[gate.id] = test
    const proof = gate.kind === 'proof' ? nextProof(gate, draft) : null
    if (proof) proofs[gate.id] = proof
  }
  return { tests, proofs }
}

/** The step, or the bake, as a stage of the whole plan. */
function stageOf({ plan, state: { phase }, sweepSeconds }: Draft): Stage {
  const index = phase.name === 'stepping' ? phase.stepIndex : plan.steps.length
  const seconds = plan.steps[index]?.holdSeconds ?? plan.bakeSeconds
  return { index, count: plan.steps.length + 1, plannedTicks: Math.max(1, Math.round(seconds / sweepSeconds)) }
}

/** null: there is no new tick for this gate, or it has no test. */
function nextTest(gate: Gate, draft: Draft, stage: Stage): TestState | null {
  const before = draft.state.tests[gate.id] ?? null
  switch (gate.kind) {
    case 'harm': {
      const last = before?.kind === 'harm' ? before : null
      const tick = harmTick(gate, draft, last?.untilMs ?? 0, stage)
      return tick && weighHarm(gate, last, tick)
    }
    case 'latency': {
      const last = before?.kind === 'latency' ? before : null
      const reading = newReading(draft, gate.sli, last?.untilMs ?? 0)
      const counts = reading && bothOf(reading, draft.state)
      if (!counts || !reading.latencies?.slower.old || !reading.latencies.slower.new) return null
      const phi = phiOf(reading.dispersion, gate.dispersion)
      return weighLatency(gate, last, { atMs: reading.atMs, counts, stage, phi, latencies: reading.latencies })
    }
    case 'budget': {
      // What fails in a trial fails no user.
      if (trialOf(draft) !== null) return null
      const last = before?.kind === 'budget' ? before : null
      const reading = newReading(draft, gate.sli, last?.untilMs ?? 0)
      const counts = reading && bothOf(reading, draft.state)
      if (!counts) return null
      const { sinceMs, atMs } = reading
      return weighBudget(last, { sinceMs, atMs, counts, stageIndex: stage.index, oldRate: oldRateOf(reading) })
    }
    case 'burnRate':
    case 'threshold':
    case 'probe':
    case 'proof':
      return null
  }
}

function nextProof(gate: Extract<Gate, { kind: 'proof' }>, draft: Draft): Proof | null {
  const { plan, state } = draft
  // The state is still the one before this tick, so what `evidence` has counted is what the proof rests on.
  const reading = newReading(draft, gate.sli, state.evidence[gate.sli]?.untilMs ?? 0)
  const counts = reading && bothOf(reading, draft.state)
  if (!counts || state.inForceAtMs === null || reading.sinceMs < state.inForceAtMs) return null
  const phi = phiOf(reading.dispersion, gate.dispersion)
  return weighProof(gate, state.proofs[gate.id] ?? null, { counts, raise: raiseOf(plan, state), phi })
}

function newReading({ observation, state }: Draft, sli: string, untilMs: number): CountsReading | null {
  const reading = observation.slis[sli]
  if (reading?.kind !== 'counts' || reading.atMs <= untilMs || reading.sinceMs < state.judgeSinceMs) return null
  return reading
}

/**
 * Both clusters' counts of the tick; null: one is missing that ought to be there. Without OLD a comparison stands still,
 * and its gate is blind.
 */
function bothOf({ tick: { old, new: fresh } }: CountsReading, state: RolloutState): Sides<Counts> | null {
  if (isMissing(fresh) || (isMissing(old) && !mayLackOld(state, old))) return null
  return { old: isMissing(old) ? NO_COUNTS : old, new: fresh }
}

/** From the shortest window in which OLD served anything. */
function oldRateOf({ windows }: CountsReading): number | null {
  let shortest = Number.POSITIVE_INFINITY
  let rate: number | null = null
  for (const { seconds, counts } of windows) {
    if (seconds >= shortest || isMissing(counts.old) || counts.old.total === 0) continue
    shortest = seconds
    rate = counts.old.bad / counts.old.total
  }
  return rate
}

function harmTick(gate: HarmGate, draft: Draft, untilMs: number, stage: Stage): TestTick | null {
  if ('sli' in gate.of) {
    const reading = newReading(draft, gate.of.sli, untilMs)
    if (!reading || isMissing(reading.tick.new)) return null
    // Without OLD the comparison learns nothing from the tick, but what NEW may have whatever OLD does is still tested.
    const old = isMissing(reading.tick.old) ? NO_COUNTS : reading.tick.old
    const phi = phiOf(reading.dispersion, gate.dispersion)
    return { atMs: reading.atMs, counts: { old, new: reading.tick.new }, stage, phi }
  }
  const reading = draft.observation.probes[gate.of.probe]
  if (!reading || reading.atMs <= Math.max(untilMs, draft.state.judgeSinceMs)) return null
  const [old, fresh] = [roundOf(reading.outcome.old), roundOf(reading.outcome.new)]
  return fresh && { atMs: reading.atMs, counts: { old: old ?? NO_COUNTS, new: fresh }, stage, phi: 1 }
}

/** A round of a probe as a count; null: it has no answer, or was not asked. */
function roundOf(outcome: ProbeOutcome | Missing | null): Counts | null {
  if (outcome === null || outcome.kind === 'missing') return null
  return { total: 1, bad: outcome.kind === 'failed' ? 1 : 0 }
}
