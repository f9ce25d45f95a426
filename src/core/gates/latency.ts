import { formatCount, formatNumber, formatShare } from '../format.ts'
import { type Latencies, NO_COUNTS } from '../observation.ts'
import type { LatencyGate } from '../plan.ts'
import type { LatencyState, SlowerCounts } from '../state.ts'
import { rounded, sure, type TestTick } from './harm.ts'
import { alternatives, evidenceOf, type HarmRule, LEAST, raise, type Stakes, stored } from './harm-test.ts'
import { NO_RESTARTS, type Restarts, restart } from './restarts.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const ALTERNATIVES = alternatives([1.5, 1 / 3], [3, 1 / 3], [8, 1 / 3])

/** Only boundaries beyond which OLD has such a share of its events are looked at: the tail, but not the odd outlier. */
const TAIL = { least: 0.0005, most: 0.6 } as const

/** A boundary that was never looked at. */
const UNSEEN: Stakes = []
/** What was staked in other buckets is lost, or the error bound would be given away twice. */
const LOST: Stakes = ALTERNATIVES.map(() => LEAST)

/** A tick of both clusters with its latencies. */
export interface LatencyTick extends TestTick {
  readonly latencies: Latencies
}

/**
 * The gate's tests after one more tick: one at every boundary, each of "NEW has no greater share beyond it". Which
 * boundaries count is decided by what OLD showed before the tick. O(boundaries).
 */
export function weighLatency(gate: LatencyGate, last: LatencyState | null, tick: LatencyTick): LatencyState {
  const { boundsSeconds, slower } = tick.latencies
  // Other buckets are another histogram: nothing can be added to what was counted in the old ones.
  const known = last && isSame(last.boundsSeconds, boundsSeconds) ? last : null
  const restartsBefore = last?.restarts ?? NO_RESTARTS
  const { share, restarts } = restart(restartsBefore, tick.stage)
  const isNewStage = known?.restarts.stage !== tick.stage.index
  const phi = known && !isNewStage ? known.phi : tick.phi
  const { old, new: fresh } = tick.counts
  const rule = ruleOf(gate)
  const look = (slowNew: number, slowOld: number) => ({
    counts: { old: { total: old.total, bad: slowOld }, new: { total: fresh.total, bad: slowNew } },
    share,
    dispersion: phi,
  })
  const idle = { counts: { old: NO_COUNTS, new: NO_COUNTS }, share, dispersion: phi }
  const stakes = boundsSeconds.map((_, index) => {
    const before = known ? (known.stakes[index] ?? UNSEEN) : last ? LOST : UNSEEN
    if (isTail(known?.seen.old, index))
      return raise(inHand(before, restartsBefore), rule, look(slower.new?.[index] ?? 0, slower.old?.[index] ?? 0))
    return before.length === 0 ? before : raise(before, rule, idle)
  })
  const byBound = stakes.map((one) => evidenceAt(one, gate, restarts))
  return {
    kind: 'latency',
    untilMs: tick.atMs,
    restarts,
    phi,
    boundsSeconds,
    stakes,
    against: rounded(byBound.reduce((sum, one) => sum + one, 0) / Math.max(1, byBound.length)),
    seen: {
      old: addSlower(known?.seen.old, old.total, slower.old, boundsSeconds.length),
      new: addSlower(isNewStage ? undefined : known?.seen.new, fresh.total, slower.new, boundsSeconds.length),
    },
  }
}

/** What the tail of latencies says of NEW. */
export function judgeLatency(gate: LatencyGate, state: LatencyState): Verdict {
  const { against, boundsSeconds, seen, phi } = state
  const evidence = {
    newRequests: seen.new.total,
    oldRequests: seen.old.total,
    haltEvidence: against,
    haltNeeds: 1 / gate.alpha.halt,
    newP95Seconds: quantile(boundsSeconds, seen.new, 0.95),
    oldP95Seconds: quantile(boundsSeconds, seen.old, 0.95),
    newP99Seconds: quantile(boundsSeconds, seen.new, 0.99),
    oldP99Seconds: quantile(boundsSeconds, seen.old, 0.99),
    dispersion: phi,
  }
  const verdict = verdictOf(gate.id)
  const isRevert = gate.worst === 'revert' && against >= 1 / gate.alpha.revert
  if (!isRevert && against < 1 / gate.alpha.halt)
    return verdict('pass', `${gate.sli}: nothing shows new to be slower than old`, evidence)
  const byBound = state.stakes.map((one) => evidenceAt(one, gate, state.restarts))
  const worst = byBound.indexOf(Math.max(...byBound))
  const [bound = 0] = boundsSeconds.slice(worst)
  const told =
    `new has ${formatShare(shareOf(seen.new, worst))} of ${formatCount(seen.new.total)} requests slower than ` +
    `${formatNumber(bound)} s, old ${formatShare(shareOf(seen.old, worst))}`
  return verdict(isRevert ? 'revert' : 'halt', `${gate.sli}: ${told}${sure(against)}`, evidence)
}

/** True when the test has proven OLD faster, beyond a revert's doubt. */
export function provesOldFaster(gate: LatencyGate, { against }: LatencyState): boolean {
  return against >= 1 / gate.alpha.revert
}

/**
 * The latency below which a share `q` of the events lies, seconds, straight between the boundaries, as Prometheus's
 * `histogram_quantile` does; null: no events, or beyond the last boundary.
 */
export function quantile(boundsSeconds: readonly number[], { total, slower }: SlowerCounts, q: number): number | null {
  if (total === 0) return null
  const wanted = (1 - q) * total
  const index = slower.findIndex((count) => count <= wanted)
  const upper = boundsSeconds[index]
  if (index < 0 || upper === undefined) return null
  const [lower, above] = index === 0 ? [0, total] : [boundsSeconds[index - 1] ?? 0, slower[index - 1] ?? total]
  const within = slower[index] ?? 0
  return above === within ? upper : lower + ((above - wanted) / (above - within)) * (upper - lower)
}

/** Every restart's share is still in hand, so it need not be written down. */
function inHand(stakes: Stakes, { spent }: Restarts): Stakes {
  return stakes.length === 0 ? ALTERNATIVES.map(() => stored(Math.log(spent))) : stakes
}

function evidenceAt(stakes: Stakes, gate: LatencyGate, { spent }: Restarts): number {
  return stakes.length === 0 ? 1 : evidenceOf(stakes, ruleOf(gate), spent)
}

function ruleOf({ margin }: LatencyGate): HarmRule {
  return { ratio: 1, margin, alternatives: ALTERNATIVES }
}

function isTail(old: SlowerCounts | undefined, index: number): boolean {
  const share = old === undefined ? 0 : shareOf(old, index)
  return share >= TAIL.least && share <= TAIL.most
}

function shareOf({ total, slower }: SlowerCounts, index: number): number {
  return total === 0 ? 0 : (slower[index] ?? 0) / total
}

function addSlower(
  before: SlowerCounts | undefined,
  total: number,
  slower: readonly number[] | null,
  length: number,
): SlowerCounts {
  const sums: number[] = []
  for (let index = 0; index < length; index++) sums.push((before?.slower[index] ?? 0) + (slower?.[index] ?? 0))
  return { total: (before?.total ?? 0) + total, slower: sums }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
