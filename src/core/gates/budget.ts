import { formatCount, formatPercent } from '../format.ts'
import { addCounts, type Counts, NO_COUNTS } from '../observation.ts'
import type { BudgetGate, Sides } from '../plan.ts'
import type { BudgetState } from '../state.ts'
import { isProvenAbove } from './chernoff.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const MONTH_SECONDS = 30 * 86_400
/** Less is too little to reckon a month's traffic from. */
const LEAST_SECONDS = 60

/** One more tick of the ledger. */
export interface BudgetTick {
  readonly sinceMs: number
  readonly atMs: number
  readonly counts: Sides<Counts>
  readonly stageIndex: number
  /** OLD's newest rate of bad events, over a window long enough to have one; null: OLD serves nothing. */
  readonly oldRate: number | null
}

/**
 * The ledger after one more tick: what NEW failed beyond what OLD would have failed of the same requests, Σ max(0, e1 −
 * p̂0·n1), the sum within a stage first. Tick by tick the max would make a debt of chance: on little traffic each lone
 * failure, which OLD would have had as well, would count almost whole.
 */
export function weighBudget(before: BudgetState | null, tick: BudgetTick): BudgetState {
  const isNewStage = before?.stage !== tick.stageIndex
  const { old, new: fresh } = tick.counts
  const oldRate = tick.oldRate ?? before?.oldRate ?? null
  const counts = isNewStage ? NO_COUNTS : (before?.counts ?? NO_COUNTS)
  const expectedBad = isNewStage ? 0 : (before?.expectedBad ?? 0)
  return {
    kind: 'budget',
    untilMs: tick.atMs,
    stage: tick.stageIndex,
    spentBefore: before && isNewStage ? short(before.spentBefore + excessOf(before)) : (before?.spentBefore ?? 0),
    counts: addCounts(counts, fresh),
    // Without any word of OLD nothing can be laid at NEW's door.
    expectedBad: short(expectedBad + (oldRate === null ? fresh.bad : oldRate * fresh.total)),
    oldRate,
    requests: (before?.requests ?? 0) + old.total + fresh.total,
    seconds: (before?.seconds ?? 0) + (tick.atMs - tick.sinceMs) / 1000,
  }
}

/** How much of 30 days' budget the migration spent so far. */
export function judgeBudget(gate: BudgetGate, state: BudgetState, budget: number): Verdict {
  const monthly = (state.requests / Math.max(LEAST_SECONDS, state.seconds)) * MONTH_SECONDS
  const spentBad = state.spentBefore + excessOf(state)
  const spentPercent = monthly === 0 ? 0 : (spentBad / (monthly * budget)) * 100
  const evidence = {
    spentPercent,
    spentBad,
    haltPercent: gate.haltPercent,
    revertPercent: gate.revertPercent,
    monthlyRequests: monthly,
  }
  const verdict = verdictOf(gate.id)
  const told = `${gate.sli}: the migration has spent ${spentOf(spentBad, spentPercent)}`
  if (state.seconds < LEAST_SECONDS || spentPercent < gate.haltPercent || !spendsMore(state))
    return verdict('pass', told, evidence)
  const isRevert = gate.worst === 'revert' && spentPercent >= gate.revertPercent
  const limit = isRevert ? gate.revertPercent : gate.haltPercent
  return verdict(isRevert ? 'revert' : 'halt', `${told}; the limit is ${formatPercent(limit)}`, evidence)
}

function spentOf(bad: number, percent: number): string {
  if (Math.round(bad) === 0) return "none of 30 days' error budget"
  const requests = Math.round(bad) === 1 ? '1 request' : `${formatCount(bad)} requests`
  return `${formatPercent(percent)} of 30 days' error budget: ${requests} bad on new that would have been good on old`
}

/** True when NEW is proven to fail more than OLD would, so that bringing the traffic back stops the spending. */
export function spendsMore({ counts, expectedBad }: BudgetState): boolean {
  // One failure more or less is chance, even beside an OLD that never failed.
  return counts.total > 0 && isProvenAbove(counts, Math.max(1, expectedBad) / counts.total)
}

function excessOf({ counts, expectedBad }: BudgetState): number {
  return Math.max(0, counts.bad - expectedBad)
}

/** A millionth of a request more or less is nothing, and a row of the store stays short. */
function short(requests: number): number {
  return Math.round(requests * 1e6) / 1e6
}
