import { isMissing, type Missing, NO_COUNTS, type Observation, type SliReading } from '../observation.ts'
import type { Gate, Plan } from '../plan.ts'
import type { RolloutState } from '../state.ts'
import { unreachable } from '../unreachable.ts'
import { judgeBudget, spendsMore } from './budget.ts'
import { judgeBurn, oldHealth, oldServes } from './burn.ts'
import { judgeHarm, provesOldBetter, showsOldBetter } from './harm.ts'
import { judgeLatency, provesOldFaster } from './latency.ts'
import { judgeProbe } from './probe.ts'
import { judgeProof, type Raise } from './proof.ts'
import { judgeThreshold, oldIsWithin } from './threshold.ts'
import { type GateContext, missingVerdict, type Verb, type Verdict, verdictOf } from './verdict.ts'

interface JudgeContext extends GateContext {
  readonly mayLackOld: (old: Missing) => boolean
}

/** One verdict a gate, in the plan's order, of what this state and these readings show. */
export function judge(plan: Plan, state: RolloutState, observation: Observation): readonly Verdict[] {
  const context: JudgeContext = {
    inForce: state.inForceAtMs !== null,
    minRequests: plan.minRequests,
    mayLackOld: (old) => mayLackOld(state, old),
  }
  return plan.gates.map(
    (gate) => judgeGate(gate, plan, state, observation, context) ?? verdictOf(gate.id)('wait', 'nothing was read yet'),
  )
}

function judgeGate(
  gate: Gate,
  plan: Plan,
  state: RolloutState,
  observation: Observation,
  context: JudgeContext,
): Verdict | null {
  switch (gate.kind) {
    case 'burnRate': {
      const reading = newReading(state, observation, gate.sli)
      const counted = state.evidence[gate.sli]?.counts.new ?? NO_COUNTS
      const minRequests = probesCount(gate.sli, plan, state) ? 0 : context.minRequests
      return reading ? judgeBurn(gate, budgetOf(plan, gate.sli), reading, counted, { ...context, minRequests }) : null
    }
    case 'threshold': {
      const reading = newReading(state, observation, gate.sli)
      return reading ? judgeThreshold(gate, reading, context) : null
    }
    case 'probe': {
      const [reading, counted] = [observation.probes[gate.probe], state.probes[gate.probe]]
      return reading && counted ? judgeProbe(gate, reading, counted, context) : null
    }
    case 'harm': {
      const test = state.tests[gate.id]
      if ('probe' in gate.of) return test?.kind === 'harm' ? judgeHarm(gate, test, 'fails') : null
      const { sli } = gate.of
      const reading = newReading(state, observation, sli)
      return (
        reading &&
        judgeTest(
          gate.id,
          sli,
          reading,
          context,
          test?.kind === 'harm' ? () => judgeHarm(gate, test, verbOf(plan, sli)) : null,
        )
      )
    }
    case 'latency': {
      const test = state.tests[gate.id]
      const reading = newReading(state, observation, gate.sli)
      if (!reading) return null
      const judgement = test?.kind === 'latency' ? () => judgeLatency(gate, test) : null
      const verdict = judgeTest(gate.id, gate.sli, reading, context, judgement)
      // Without buckets nothing is compared, and what was found before says nothing of now.
      const isHarm = verdict.outcome === 'halt' || verdict.outcome === 'revert'
      if (isHarm || reading.kind !== 'counts' || reading.latencies !== null) return verdict
      if (isMissing(reading.tick.old) || isMissing(reading.tick.new)) return verdict
      return verdictOf(gate.id)('blind', `${gate.sli}: the clusters have no bucket in common`)
    }
    case 'budget': {
      const test = state.tests[gate.id]
      const reading = newReading(state, observation, gate.sli)
      const budget = budgetOf(plan, gate.sli)
      return (
        reading &&
        judgeTest(
          gate.id,
          gate.sli,
          reading,
          context,
          test?.kind === 'budget' ? () => judgeBudget(gate, test, budget) : null,
        )
      )
    }
    case 'proof': {
      const reading = newReading(state, observation, gate.sli)
      const at = {
        raise: raiseOf(plan, state),
        heldSeconds: state.heldMs / 1000,
        isProbed: isProbed(plan, state),
        verb: verbOf(plan, gate.sli),
      }
      const counted = state.evidence[gate.sli]?.counts ?? { old: NO_COUNTS, new: NO_COUNTS }
      const proof = state.proofs[gate.id] ?? null
      return reading && judgeTest(gate.id, gate.sli, reading, context, () => judgeProof(gate, proof, counted, at))
    }
    default:
      return unreachable(gate)
  }
}

function verbOf(plan: Plan, sli: string): Verb {
  const measure = plan.slis.find(({ name }) => name === sli)?.measure
  return measure !== undefined && 'slowerThanSeconds' in measure ? 'is slow on' : 'fails'
}

/** A test's verdict, unless its data is missing; null instead of a judgement: the test has no tick yet. */
function judgeTest(
  gate: string,
  sli: string,
  reading: SliReading,
  context: JudgeContext,
  judgement: (() => Verdict) | null,
): Verdict {
  const verdict = judgement?.() ?? verdictOf(gate)('wait', `${sli}: nothing was counted yet`)
  // Harm that was shown stays a fact, also while the newest tick is missing.
  if (verdict.outcome === 'halt' || verdict.outcome === 'revert') return verdict
  if (reading.kind === 'missing') return verdictOf(gate)('blind', `${sli} cannot be read: ${reading.detail}`)
  if (reading.kind === 'value') return verdictOf(gate)('blind', `${sli} gave a value where counts were expected`)
  const { new: fresh, old } = reading.tick
  if (isMissing(fresh)) return missingVerdict(gate, `${sli} of new`, fresh, context)
  // A comparison that lacks its other side shows nothing, and must not pass for one that found nothing.
  if (isMissing(old) && !context.mayLackOld(old))
    return verdictOf(gate)('blind', `${sli} of old cannot be read: ${old.detail}`)
  return verdict
}

/** Where all traffic goes to NEW, an OLD without series has nothing to tell; anywhere else its silence is a gap. */
export function mayLackOld({ intendedWeightPercent }: RolloutState, { why }: Missing): boolean {
  return intendedWeightPercent >= 100 && why === 'empty'
}

/** The weight now, and the one that a proof is for. */
export function raiseOf(plan: Plan, { phase, intendedWeightPercent }: RolloutState): Raise {
  const next = phase.name === 'stepping' ? plan.steps[phase.stepIndex + 1] : undefined
  return { nowPercent: intendedWeightPercent, nextPercent: next?.weightPercent ?? 100 }
}

/** Whether the plan has probes of NEW, and all of them pass as often as they must. */
function isProbed(plan: Plan, state: RolloutState): boolean {
  const probes = plan.gates.filter((gate) => gate.kind === 'probe')
  return probes.length > 0 && probes.every(({ probe, passes }) => (state.probes[probe]?.passes ?? 0) >= passes)
}

/** Whether the test of this SLI shows NEW worse than OLD, as strongly as a halt needs; null: it has no test. */
function comparesWorse(sli: string, plan: Plan, state: RolloutState): boolean | null {
  const gate = plan.gates.find((one) => one.kind === 'harm' && 'sli' in one.of && one.of.sli === sli)
  const test = gate && state.tests[gate.id]
  return gate?.kind === 'harm' && test?.kind === 'harm' ? showsOldBetter(gate, test) : null
}

/** Whether the policy lets the probes' passes count in place of requests that do not come. */
function probesCount(sli: string, plan: Plan, state: RolloutState): boolean {
  return plan.gates.some(
    (gate) =>
      gate.kind === 'proof' &&
      gate.sli === sli &&
      gate.lowTraffic.then === 'probes' &&
      state.heldMs >= gate.lowTraffic.afterSeconds * 1000 &&
      isProbed(plan, state),
  )
}

/** A reading that ends before a person's resume shows what that person has already seen. */
function newReading(state: RolloutState, observation: Observation, sli: string): SliReading | null {
  const reading = observation.slis[sli]
  if (!reading) return null
  return reading.kind === 'missing' || reading.atMs > state.judgeSinceMs ? reading : null
}

/** The share of events that may be bad, from the SLI's objective. The config check makes sure that it has one. */
function budgetOf(plan: Plan, sli: string): number {
  const objective = plan.slis.find((spec) => spec.name === sli)?.objectivePercent
  if (objective === undefined || objective === null) throw new Error(`SLI ${sli} has no objective`)
  return 1 - objective / 100
}

/** Whether OLD can take the traffic back, by what is known of it. */
export interface OldFitness {
  /** `fit`: shown to be healthier than NEW. `unfit`: shown to fail as well. `unknown`: neither. */
  readonly kind: 'fit' | 'unfit' | 'unknown'
  readonly sentence: string
}

/**
 * Weighs OLD against NEW over every gate. One gate that shows OLD as unfit outweighs the others: a revert would move
 * users from one failing cluster to another.
 * @param accusers gates that ask for the revert; empty: a person asks
 */
export function oldFitness(
  plan: Plan,
  state: RolloutState,
  observation: Observation,
  accusers: readonly string[],
): OldFitness {
  const opinions = plan.gates.map((gate) => ({ gate, kind: opinionOf(gate, plan, state, observation, accusers) }))
  const unfit = opinions.find(({ kind }) => kind === 'unfit')
  if (unfit)
    return {
      kind: 'unfit',
      sentence: `${unfit.gate.id} shows old failing as well: a shared dependency, which a revert would not mend`,
    }
  const comparing = opinions.filter(({ gate }) => accusers.includes(gate.id) && canCompare(gate, state))
  const fit = (comparing.length > 0 ? comparing : opinions).find(({ kind }) => kind === 'fit')
  if (fit) return { kind: 'fit', sentence: `${fit.gate.id} shows old healthier than new` }
  return { kind: 'unknown', sentence: 'nothing shows that old is healthier than new' }
}

/** An accuser that can look at OLD must itself find it better; only where none can do the other gates count. */
function canCompare(gate: Gate, state: RolloutState): boolean {
  return gate.kind !== 'probe' || (state.probes[gate.probe]?.oldFailures ?? null) !== null
}

function opinionOf(
  gate: Gate,
  plan: Plan,
  state: RolloutState,
  observation: Observation,
  accusers: readonly string[],
): OldFitness['kind'] {
  switch (gate.kind) {
    case 'burnRate': {
      const reading = observation.slis[gate.sli]
      if (!reading) return 'unknown'
      const health = oldHealth(gate, budgetOf(plan, gate.sli), reading, state.evidence[gate.sli]?.counts ?? null)
      if (health === 'unfit') return 'unfit'
      // Windows fill by chance, and often enough one looks lucky for OLD: who accuses by them needs the test's word.
      if (accusers.includes(gate.id))
        return (comparesWorse(gate.sli, plan, state) ?? health === 'better') ? 'fit' : 'unknown'
      return health === 'better' || oldServes(gate, reading) ? 'fit' : 'unknown'
    }
    case 'threshold': {
      const reading = observation.slis[gate.sli]
      return reading && oldIsWithin(gate, reading) ? 'fit' : 'unknown'
    }
    case 'probe': {
      const failures = state.probes[gate.probe]?.oldFailures ?? null
      if (failures === null) return 'unknown'
      return failures === 0 ? 'fit' : failures >= gate.failures ? 'unfit' : 'unknown'
    }
    case 'harm': {
      const test = state.tests[gate.id]
      return test?.kind === 'harm' && provesOldBetter(gate, test) ? 'fit' : 'unknown'
    }
    case 'latency': {
      const test = state.tests[gate.id]
      return test?.kind === 'latency' && provesOldFaster(gate, test) ? 'fit' : 'unknown'
    }
    case 'budget': {
      const test = state.tests[gate.id]
      return test?.kind === 'budget' && accusers.includes(gate.id) && spendsMore(test) ? 'fit' : 'unknown'
    }
    case 'proof':
      return 'unknown'
    default:
      return unreachable(gate)
  }
}
