/** What deciders did in many runs of one scenario. */

export interface Tally {
  runs: number
  /** Runs with a revert; of faults: those that came after it began. */
  reverts: number
  /** Runs with a halt before any revert. */
  halts: number
  /** Runs of a fault with a revert, or a halt, before it began. */
  early: number
  /** Of a fault, one each run that had no early alarm; what was never found counts to the rollout's end. */
  readonly outcomes: Outcome[]
}

export interface Outcome {
  /** Ticks from the fault to the first halt or revert, 1: at the end of the fault's first tick; null: never. */
  readonly decisionTicks: number | null
  readonly revertTicks: number | null
  /** Requests that failed on NEW, from the fault to the first halt or revert. */
  readonly failedUntilDecision: number
  readonly failedUntilRevert: number
  /** Requests on NEW from the fault to the revert. */
  readonly requestsUntilRevert: number
  /** Requests that fail while the resolvers forget NEW; null: no revert. */
  readonly failedInDrain: number | null
}

export type Tallies = Readonly<Record<string, Tally>>

export function emptyTally(): Tally {
  return { runs: 0, reverts: 0, halts: 0, early: 0, outcomes: [] }
}

export function addTally(into: Tally, other: Tally): void {
  into.runs += other.runs
  into.reverts += other.reverts
  into.halts += other.halts
  into.early += other.early
  into.outcomes.push(...other.outcomes)
}

export function addTallies(into: Record<string, Tally>, other: Tallies): void {
  for (const [decider, tally] of Object.entries(other)) {
    into[decider] ??= emptyTally()
    addTally(into[decider], tally)
  }
}

export function perThousand(count: number, runs: number): number {
  return runs === 0 ? 0 : (count / runs) * 1000
}
