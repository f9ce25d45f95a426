import type { Missing } from '../observation.ts'

export const OUTCOMES = ['pass', 'wait', 'blind', 'halt', 'revert'] as const

/** What a gate says, worst last. */
export type Outcome = (typeof OUTCOMES)[number]

/** A gate's judgement, with the numbers that it rests on and one sentence for people. */
export interface Verdict {
  readonly gate: string
  readonly outcome: Outcome
  /** Numbers with their units in the names. */
  readonly evidence: Readonly<Record<string, number | string | null>>
  readonly sentence: string
}

/** What NEW does where an event is bad, as sentences say it. */
export type Verb = 'fails' | 'is slow on'

/** The worse of two outcomes. */
export function worse(a: Outcome, b: Outcome): Outcome {
  return OUTCOMES.indexOf(a) >= OUTCOMES.indexOf(b) ? a : b
}

/** What a gate judges by: the newest reading, and whether its evidence counts towards a raise yet. */
export interface GateContext {
  readonly inForce: boolean
  readonly minRequests: number
}

/**
 * The verdict on a side's missing data. Before the weight is in force NEW may well have served nothing yet, and so have
 * no series: that is no blindness, or the first step would wait for itself.
 */
export function missingVerdict(
  gate: string,
  what: string,
  { why, detail }: Missing,
  { inForce }: GateContext,
): Verdict {
  const isEarly = !inForce && (why === 'empty' || why === 'no-baseline')
  return verdictOf(gate)(isEarly ? 'wait' : 'blind', `${what} cannot be read: ${detail}`)
}

/** Makes verdicts of one gate, so that each carries its id. */
export function verdictOf(gate: string) {
  return (outcome: Outcome, sentence: string, evidence: Verdict['evidence'] = {}): Verdict => ({
    gate,
    outcome,
    evidence,
    sentence,
  })
}
