import { change, type Draft, emit, spendElapsed } from './draft.ts'
import { shareSli } from './evidence.ts'
import { formatPercent, formatSpan } from './format.ts'
import type { CountsReading } from './observation.ts'
import { heardUntilMs } from './replay.ts'
import { readsAsWanted } from './targets.ts'
import { sameWeight } from './weights.ts'

/** Requests, of both clusters, that a judgement of the observed share needs. */
const SHARE_REQUESTS = 50
/** How many standard errors of a binomial share count as chance. */
const CHANCE_SIGMAS = 3

/**
 * Follows a weight from written to in force: read back from every target (confirmed), settle time over, and seen in
 * the share of requests that NEW really serves.
 */
export function followWeight(draft: Draft): void {
  confirm(draft)
  settle(draft)
  judgeShare(draft)
}

/** Notes when every target reads the intended weight. Finding it there before anything was written is no event. */
export function confirm(draft: Draft): void {
  const { state, nowMs } = draft
  const isConfirmed =
    state.confirmedWeightPercent !== null && sameWeight(state.confirmedWeightPercent, state.intendedWeightPercent)
  if (isConfirmed && state.unconfirmedPercents.length === 0) return
  if (!readsAsWanted(draft)) return
  change(draft, {
    confirmedWeightPercent: state.intendedWeightPercent,
    confirmedAtMs: nowMs,
    unconfirmedPercents: [],
  })
  if (state.unconfirmedPercents.length === 0) return
  const secondsSinceIntended = Math.max(0, (nowMs - state.intendedAtMs) / 1000)
  emit(draft, { type: 'weight-confirmed', weightPercent: state.intendedWeightPercent, secondsSinceIntended })
}

/** Settle time is counted as observed time, so that a jump of the clock cannot shorten it. */
function settle(draft: Draft): void {
  const { plan, state, nowMs } = draft
  if (!isConfirmedWeight(draft) || state.share.settledAtMs !== null) return
  const settleMs = settleSeconds(draft) * 1000
  // What the provider still has to do is no part of the settle time: it begins when that is done.
  if (pendingTargets(draft).length > 0) return
  const isFirst = state.confirmedAtMs === nowMs
  const elapsedMs = spendElapsed(draft)
  const settledMs = state.settledMs + (isFirst ? 0 : elapsedMs)
  change(draft, { settledMs })
  if (settledMs < settleMs) return
  change(draft, { share: { ...state.share, settledAtMs: nowMs } })
  // No user's request is part of a trial, or of a step that only waits before the first weight: no share can show it.
  const isUnseen = state.intendedWeightPercent === 0 || plan.shareTolerancePercent === null || shareSli(plan) === null
  if (isUnseen) bringInForce(draft, nowMs, null, 0)
}

/** What providers still have to do, a clause each. */
function pendingTargets({ plan, observation }: Draft): readonly string[] {
  return plan.targets.flatMap(({ id }) => {
    const reading = observation.targets[id]
    return reading?.kind === 'weight' && reading.pending !== undefined ? [`${id}: ${reading.pending}`] : []
  })
}

function judgeShare(draft: Draft): void {
  const { plan, state, observation } = draft
  const { settledAtMs } = state.share
  const sli = shareSli(plan)
  if (state.inForceAtMs !== null || settledAtMs === null || sli === null || plan.shareTolerancePercent === null) return
  const reading = observation.slis[sli]
  if (reading?.kind === 'counts' && reading.sinceMs >= settledAtMs && reading.atMs > state.share.untilMs)
    countShare(draft, reading)
  tellStuck(draft)
}

function countShare(draft: Draft, reading: CountsReading): void {
  const { state, plan } = draft
  const { old, new: fresh } = reading.tick
  if ('kind' in old || 'kind' in fresh) return
  const requests = { old: state.share.requests.old + old.total, new: state.share.requests.new + fresh.total }
  const total = requests.old + requests.new
  if (total < SHARE_REQUESTS) {
    change(draft, { share: { ...state.share, untilMs: reading.atMs, requests } })
    return
  }

  const share = requests.new / total
  const weight = state.intendedWeightPercent / 100
  const chance = CHANCE_SIGMAS * Math.sqrt((weight * (1 - weight)) / total)
  const isNear = Math.abs(share - weight) <= (plan.shareTolerancePercent ?? 0) / 100 + chance
  // A share that lags, as DNS makes it, must not be weighed down by its own past: each judgement counts afresh.
  const lastPercent = share * 100
  change(draft, { share: { ...state.share, untilMs: reading.atMs, requests: { old: 0, new: 0 }, lastPercent } })
  if (isNear) bringInForce(draft, reading.atMs, lastPercent, total)
}

function bringInForce(draft: Draft, seenAtMs: number, observedSharePercent: number | null, requests: number): void {
  const { state } = draft
  spendElapsed(draft)
  const inForceAtMs = Math.max(seenAtMs, heardUntilMs(state))
  change(draft, { inForceAtMs, heldMs: 0, evidence: {}, told: { ...state.told, stuck: false } })
  const settle = settleSeconds(draft)
  emit(draft, {
    type: 'weight-in-force',
    weightPercent: state.intendedWeightPercent,
    settleSeconds: settle,
    secondsSinceIntended: Math.max(0, (draft.nowMs - state.intendedAtMs) / 1000),
    observedSharePercent,
    requests,
  })
}

function tellStuck(draft: Draft): void {
  const { plan, state, nowMs } = draft
  const { settledAtMs, lastPercent } = state.share
  if (state.inForceAtMs !== null || state.told.stuck || settledAtMs === null) return
  const seconds = (nowMs - settledAtMs) / 1000
  if (seconds < plan.stuckAfterSeconds) return
  change(draft, { told: { ...state.told, stuck: true } })
  const weightPercent = state.intendedWeightPercent
  emit(draft, {
    type: 'share-stuck',
    weightPercent,
    observedSharePercent: lastPercent,
    seconds,
    likelyCause: likelyCause(draft, lastPercent),
  })
}

function likelyCause({ plan, state, observation }: Draft, lastPercent: number | null): string {
  const weightPercent = state.intendedWeightPercent
  if (lastPercent === null) return 'too few requests, or their metrics are missing: see the blind hold'
  const others = plan.targets.flatMap(({ id }) => {
    const reading = observation.targets[id]
    return reading?.kind === 'weight' && reading.otherWriter !== undefined ? [reading.otherWriter] : []
  })
  if (lastPercent > weightPercent)
    return `more than ${formatPercent(weightPercent)} comes from elsewhere: traffic inside new, or another route to it`
  const keeping =
    state.ttlSeconds > 0
      ? `resolvers that keep answers for longer than the TTL of ${formatSpan(state.ttlSeconds)}, or clients that keep connections open and never ask again`
      : 'clients that keep connections open, or sessions that stick to old'
  return [keeping, ...others].join('; or ')
}

/** True when every target was last read back to have the intended weight. */
export function isConfirmedWeight({ state }: Draft): boolean {
  return (
    state.confirmedWeightPercent !== null &&
    sameWeight(state.confirmedWeightPercent, state.intendedWeightPercent) &&
    state.unconfirmedPercents.length === 0
  )
}

/** From confirmed until the last client must have it: propagation, and the time that resolvers keep an answer. */
function settleSeconds({ plan, state }: Draft): number {
  const splits = plan.targets.filter(({ role }) => role === 'split')
  return Math.max(...splits.map((target) => target.propagationSeconds)) + state.ttlSeconds
}
