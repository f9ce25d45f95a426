import { formatCount, formatNumber, formatShare, formatSpan } from '../format.ts'
import { addCounts, type Counts, type CountsReading, isMissing, type SliReading } from '../observation.ts'
import type { BurnPair, Gate, Side, Sides } from '../plan.ts'
import { isProvenAbove, isProvenBetter } from './chernoff.ts'
import { type GateContext, missingVerdict, type Verdict, verdictOf } from './verdict.ts'

/**
 * Minimum traffic of a window, in requests × budget, for its burn to mean anything: below it, a healthy service reaches
 * the factor by chance. DESIGN §6; between two factors the lower one's counts, which asks for more. Where bad events
 * come in bursts, as many bursts are needed as events elsewhere.
 */
const GUARDS = [
  { factor: 14.4, expectedBad: 0.3 },
  { factor: 6, expectedBad: 1.2 },
  { factor: 3, expectedBad: 5.35 },
  { factor: 2, expectedBad: 17.65 },
] as const

/** A step passes while NEW's burn since the weight came in force is at most this. */
const PASS_BURN = 2

/** OLD is unfit to take traffic back when it is proven to burn faster than this. */
const UNFIT_BURN = 2

/** Requests × budget that a window needs before its burn is judged against `factor` (≥ 2). */
export function guardOf(factor: number): number {
  return (GUARDS.find((guard) => factor >= guard.factor) ?? GUARDS[3]).expectedBad
}

/** Times the even spending of the error budget; the counts must hold requests. */
export function burnOf(counts: Counts, budget: number): number {
  return counts.bad / counts.total / budget
}

type BurnGate = Extract<Gate, { kind: 'burnRate' }>

interface Fired {
  readonly pair: BurnPair
  readonly long: Counts
  readonly short: Counts
}

/**
 * Multi-window burn rate of NEW (Google SRE workbook, chapter 5): harm when both windows of a pair reach its factor;
 * a pass when enough requests since the weight came in force burned at most twice the budget.
 * @param counted what NEW served since the weight came in force
 */
export function judgeBurn(
  gate: BurnGate,
  budget: number,
  reading: SliReading,
  counted: Counts,
  context: GateContext,
): Verdict {
  const verdict = verdictOf(gate.id)
  if (reading.kind === 'missing') return verdict('blind', `${gate.sli} cannot be read: ${reading.detail}`)
  if (reading.kind === 'value') return verdict('blind', `${gate.sli} gave a value where counts were expected`)

  // Harm is judged even where the newest tick is missing: what the windows already hold is a fact.
  const fired = worstFired(gate.pairs, budget, reading)
  if (fired) return harmVerdict(gate, budget, fired, reading)
  const tick = reading.tick.new
  if (isMissing(tick)) return missingVerdict(gate.id, `${gate.sli} of new`, tick, context)

  const burn = counted.total === 0 ? null : burnOf(counted, budget)
  const evidence = {
    newRequests: counted.total,
    newBad: counted.bad,
    minRequests: context.minRequests,
    budgetPercent: budget * 100,
    burn,
  }
  if (!context.inForce) return verdict('wait', `${gate.sli}: the weight is not in force yet`, evidence)
  if (counted.total < context.minRequests)
    return verdict(
      'wait',
      `${gate.sli}: ${formatCount(counted.total)} of at least ${context.minRequests} requests on new so far`,
      evidence,
    )
  if (burn === null) return verdict('pass', `${gate.sli}: no requests on new, and none are asked for`, evidence)
  const told = `${formatCount(counted.bad)} of ${formatCount(counted.total)} requests bad on new (${formatShare(counted.bad / counted.total)}), ${formatNumber(burn)} × the budget`
  return burn <= PASS_BURN
    ? verdict('pass', `${gate.sli}: ${told}`, evidence)
    : verdict('wait', `${gate.sli}: ${told}; passes at ${PASS_BURN} × or less`, evidence)
}

function worstFired(pairs: readonly BurnPair[], budget: number, reading: CountsReading): Fired | null {
  const phi = reading.dispersion?.phi ?? 1
  let worst: Fired | null = null
  for (const pair of pairs) {
    const long = windowOf(reading, 'new', pair.longSeconds)
    if (!long || !burns(long, budget, pair.factor, phi)) continue
    const short = windowOf(reading, 'new', pair.shortSeconds)
    if (!short || !burns(short, budget, pair.factor, phi)) continue
    if (worst === null || (pair.then === 'revert' && worst.pair.then !== 'revert')) worst = { pair, long, short }
  }
  return worst
}

function burns(counts: Counts, budget: number, factor: number, phi: number): boolean {
  return counts.total * budget >= guardOf(factor) * phi && burnOf(counts, budget) >= factor
}

function harmVerdict(gate: BurnGate, budget: number, { pair, long, short }: Fired, reading: CountsReading): Verdict {
  const old = windowOf(reading, 'old', pair.shortSeconds)
  const oldLong = windowOf(reading, 'old', pair.longSeconds)
  const oldShare = old && old.total > 0 ? formatShare(old.bad / old.total) : null
  const evidence = {
    factor: pair.factor,
    budgetPercent: budget * 100,
    longSeconds: pair.longSeconds,
    shortSeconds: pair.shortSeconds,
    longBurn: burnOf(long, budget),
    // What all users together feel.
    blendedBurn: burnOf(oldLong ? addCounts(long, oldLong) : long, budget),
    shortBurn: burnOf(short, budget),
    newRequests: long.total,
    newBad: long.bad,
    oldRequests: old?.total ?? null,
    oldBad: old?.bad ?? null,
  }
  const sentence =
    `${gate.sli}: ${formatShare(long.bad / long.total)} of ${formatCount(long.total)} requests bad on new in ${formatSpan(pair.longSeconds)}, ` +
    `${formatNumber(evidence.longBurn)} × the budget (limit ${formatNumber(pair.factor)} ×); ` +
    `old: ${oldShare === null ? 'no requests to compare with' : `${oldShare} of ${formatCount(old?.total ?? Number.NaN)}`}`
  return verdictOf(gate.id)(pair.then, sentence, evidence)
}

/** What OLD's requests say about taking NEW's share back. */
export type OldHealth = 'better' | 'unfit' | 'unknown'

/**
 * Compares OLD with NEW, over the newest tick first, then since the weight came in force, then over the gate's windows:
 * what both saw at the same time and weight tells most. `better`: proven to fail less. `unfit`: proven to burn its own
 * budget, and not proven better.
 * @param counted what both served since the weight came in force
 */
export function oldHealth(
  gate: BurnGate,
  budget: number,
  reading: SliReading,
  counted: Sides<Counts> | null,
): OldHealth {
  if (reading.kind !== 'counts') return 'unknown'
  const seconds = [...new Set([...gate.pairs.map((p) => p.shortSeconds), ...gate.pairs.map((p) => p.longSeconds)])]
  const windows = seconds.map((window) => ({
    old: windowOf(reading, 'old', window),
    new: windowOf(reading, 'new', window),
  }))
  for (const { old, new: fresh } of [reading.tick, ...(counted ? [counted] : []), ...windows]) {
    if (old === null || isMissing(old)) continue
    if (fresh !== null && !isMissing(fresh) && isProvenBetter(old, fresh)) return 'better'
    if (isProvenAbove(old, budget * UNFIT_BURN)) return 'unfit'
  }
  return 'unknown'
}

/** True when OLD served requests in one of the gate's windows, and none of them proves it unfit. */
export function oldServes(gate: BurnGate, reading: SliReading): boolean {
  if (reading.kind !== 'counts') return false
  return gate.pairs.some((pair) => (windowOf(reading, 'old', pair.longSeconds)?.total ?? 0) > 0)
}

function windowOf(reading: CountsReading, side: Side, seconds: number): Counts | null {
  const counts = reading.windows.find((window) => window.seconds === seconds)?.counts[side]
  return counts === undefined || isMissing(counts) ? null : counts
}
