import type { Counts } from '../observation.ts'
import type { Sides } from '../plan.ts'
import { stored } from './harm-test.ts'

/**
 * Proof that NEW is good enough: an e-process against "NEW is worse than allowed", H0: p1 ≥ ratio·p0 + margin
 * (DESIGN §6). It begins anew with each weight, so it needs no restarts within one.
 *
 *     ln A = −s·e1 + v·e0 + n1·margin·(1 − e^−s)    v = ln(1 + r·(n1/n0)·(1 − e^−s))
 *
 * Where OLD serves nothing, the ratio says nothing, and NEW is held to the margin alone.
 */
export interface ProofRule {
  /** Times OLD's rate that are allowed, ≥ 1. */
  readonly ratio: number
  /** Bad events per event that are allowed on top, > 0. */
  readonly margin: number
}

const STRENGTHS = [0.3, 0.7, 1.2, 2, 4].map((s) => ({ s, part: 1 - Math.exp(-s) }))

/** ln A for each strength, in their order; plain JSON. */
export type Proof = readonly number[]

export const NO_PROOF: Proof = STRENGTHS.map(() => 0)

/** The proof after one more tick, with overdispersion φ ≥ 1. */
export function prove(proof: Proof, { ratio, margin }: ProofRule, counts: Sides<Counts>, dispersion: number): number[] {
  const { total: n1, bad: e1 } = counts.new
  const { total: n0, bad: e0 } = counts.old
  return STRENGTHS.map(({ s, part }, index) => {
    const against = e0 === 0 || n0 === 0 ? 0 : e0 * Math.log(1 + ratio * (n1 / n0) * part)
    return stored((proof[index] ?? 0) + (-s * e1 + against + n1 * margin * part) / dispersion)
  })
}

/** How strong the proof is: a weight that is not good enough reaches x with a chance of at most 1/x. */
export function proofOf(proof: Proof): number {
  let sum = 0
  for (const logA of proof) sum += Math.exp(logA)
  return sum / STRENGTHS.length
}
