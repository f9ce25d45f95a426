import { formatCount, formatNumber, formatShare, formatSpan } from '../format.ts'
import { type Counts, rateOf } from '../observation.ts'
import type { ProofGate, Sides } from '../plan.ts'
import { NO_PROOF, type Proof, proofOf, prove } from './proof-test.ts'
import { type Verb, type Verdict, verdictOf } from './verdict.ts'

/** What a proof is for: the weights now and next, percent. */
export interface Raise {
  readonly nowPercent: number
  readonly nextPercent: number
}

/**
 * What NEW may have on top of OLD to be good enough: at the next weight, all users together would feel no more of it
 * than of the gate's margin at 100 %. At 100 % there is little OLD left to compare with, so twice the margin counts.
 */
export function marginFor({ margin }: ProofGate, { nowPercent, nextPercent }: Raise): number {
  return nowPercent >= 100 ? 2 * margin : Math.min(0.5, (margin * 100) / nextPercent)
}

/** The proof after one more tick at this weight. */
export function weighProof(
  gate: ProofGate,
  before: Proof | null,
  tick: { readonly counts: Sides<Counts>; readonly raise: Raise; readonly phi: number },
): Proof {
  const rule = { ratio: gate.ratio, margin: marginFor(gate, tick.raise) }
  return prove(before ?? NO_PROOF, rule, tick.counts, tick.phi)
}

/**
 * Passes once it is proven; where traffic is too low for that, as the policy says.
 * @param counted what both served since the weight came in force
 */
export function judgeProof(
  gate: ProofGate,
  proof: Proof | null,
  counted: Sides<Counts>,
  at: { readonly raise: Raise; readonly heldSeconds: number; readonly isProbed: boolean; readonly verb: Verb },
): Verdict {
  const verdict = verdictOf(gate.id)
  const { old, new: fresh } = counted
  const strength = proofOf(proof ?? NO_PROOF)
  const margin = marginFor(gate, at.raise)
  const evidence = {
    newRequests: fresh.total,
    newBad: fresh.bad,
    oldRequests: old.total,
    oldBad: old.bad,
    marginPercent: margin * 100,
    proof: strength,
    proofNeeds: gate.need,
  }
  const told =
    fresh.total === 0
      ? 'new has served nothing yet'
      : `new ${at.verb} ${formatShare(rateOf(fresh))} of ${formatCount(fresh.total)} requests, old ${old.total === 0 ? 'serves none to compare with' : formatShare(rateOf(old))}`
  if (strength >= gate.need)
    return verdict('pass', `${gate.sli}: ${told}: good enough for ${formatNumber(at.raise.nextPercent)} %`, evidence)
  const still = `${gate.sli}: ${told}: not proven yet (${formatNumber(strength)} of ${formatNumber(gate.need)})`
  const { afterSeconds, then } = gate.lowTraffic
  if (then === 'wait' || at.heldSeconds < afterSeconds) return verdict('wait', still, evidence)
  const late = `${still} after ${formatSpan(at.heldSeconds)}`
  if (then === 'person')
    return verdict('wait', `${late}: a person decides, by \`headgate advance\``, { ...evidence, asks: 'person' })
  return at.isProbed
    ? verdict('pass', `${late}: the probes passed instead, as the policy says`, evidence)
    : verdict('wait', `${late}, and no probe has passed`, evidence)
}
