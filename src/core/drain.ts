import { followBlindness, missingTargets } from './blind.ts'
import { change, type Draft, emit, spendElapsed } from './draft.ts'
import { shareSli } from './evidence.ts'
import { isMissing } from './observation.ts'
import type { DrainState } from './state.ts'

/** A quiet time that ends before this part of the drain time is not worth telling. */
const TOLD_SHARE = 0.1

const NOTHING: DrainState = { quietMs: 0, untilMs: 0, requests: 0, lastRequestAtMs: null }

/**
 * Watches what still comes to OLD. True once it was quiet for the whole drain time: time in which OLD could not be seen
 * counts for nothing. Without an SLI that counts requests, nothing can be watched, and false is all that it can say.
 */
export function isDrained(draft: Draft): boolean {
  const blind = watchOld(draft)
  followBlindness(draft, [...missingTargets(draft), ...blind])
  const { drain } = draft.state
  return drain !== null && blind.length === 0 && drain.quietMs >= draft.plan.drainSeconds * 1000
}

/** Tells that OLD was quiet, and by how much. */
export function tellQuiet(draft: Draft): void {
  const { drain } = draft.state
  if (drain === null) return
  const { quietMs, requests } = drain
  emit(draft, { type: 'old-quiet', seconds: quietMs / 1000, requests, allowed: draft.plan.drain.maxRequests })
}

/** Whether there is anything to watch OLD by. */
export function canWatchOld({ plan }: Pick<Draft, 'plan'>): boolean {
  return shareSli(plan) !== null
}

/** What cannot be seen, a clause each. */
function watchOld(draft: Draft): readonly string[] {
  const sli = shareSli(draft.plan)
  const reading = sli === null ? undefined : draft.observation.slis[sli]
  const before = draft.state.drain ?? NOTHING
  if (reading === undefined) return []
  if (reading.kind === 'missing') return [`${sli} cannot be read: ${reading.detail}`]
  if (reading.kind === 'value') throw new Error(`${sli} counts no requests`)
  const { old } = reading.tick
  if (isMissing(old)) return [`${sli} of old cannot be read: ${old.detail}`]
  const connections = tooManyConnections(draft)
  if (typeof connections === 'string') return [connections]
  if (reading.atMs <= before.untilMs) return []

  const elapsedMs = spendElapsed(draft)
  const requests = before.requests + old.total
  const isQuiet = requests <= draft.plan.drain.maxRequests && !connections
  const lastRequestAtMs = old.total > 0 ? reading.atMs : before.lastRequestAtMs
  if (!isQuiet) tellNoise(draft, before, requests)
  change(draft, {
    drain: {
      // The first look begins the time; what was before it was not seen.
      quietMs: isQuiet && draft.state.drain !== null ? before.quietMs + elapsedMs : 0,
      untilMs: reading.atMs,
      requests: isQuiet ? requests : 0,
      lastRequestAtMs,
    },
  })
  return []
}

/** Text: they cannot be counted. */
function tooManyConnections({ plan, observation }: Draft): boolean | string {
  const rule = plan.drain.connections
  if (rule === null) return false
  const reading = observation.slis[rule.sli]
  if (reading?.kind !== 'value') return `${rule.sli} of old cannot be read${reading ? `: ${detailOf(reading)}` : ''}`
  const { old } = reading.value
  return typeof old === 'number' ? old > rule.max : `${rule.sli} of old cannot be read: ${old.detail}`
}

function detailOf(reading: object): string {
  return 'detail' in reading ? String(reading.detail) : 'it counts events'
}

function tellNoise(draft: Draft, { quietMs }: DrainState, requests: number): void {
  const quietSeconds = quietMs / 1000
  if (quietSeconds > 0 && quietSeconds >= draft.plan.drainSeconds * TOLD_SHARE)
    emit(draft, { type: 'old-not-quiet', requests, quietSeconds })
}
