import { change, type Draft, emit, spendElapsed } from './draft.ts'
import { formatSpan } from './format.ts'
import type { PlanTarget } from './plan.ts'

/**
 * Lowers the TTLs before traffic moves, and waits until no resolver can still hold an answer from before: propagation,
 * and the longest of the old TTLs. True when nothing is left to wait for.
 */
export function prepareTtls(draft: Draft): boolean {
  const high = draft.plan.targets.flatMap((target) => {
    const seconds = ttlOf(draft, target)
    const toSeconds = target.movingTtlSeconds
    return seconds !== null && toSeconds !== null && seconds > toSeconds
      ? [{ targetId: target.id, fromSeconds: seconds, toSeconds }]
      : []
  })
  if (high.length > 0) {
    lower(draft, high)
    return false
  }
  if (Object.keys(draft.state.ttlsBefore).length === 0) return true
  const elapsedMs = spendElapsed(draft)
  // They may have been lowered at the very end of the time before the first read-back.
  const ttlWaitedMs = draft.state.ttlWaitedMs === null ? 0 : draft.state.ttlWaitedMs + elapsedMs
  change(draft, { ttlWaitedMs })
  return ttlWaitedMs >= waitSeconds(draft) * 1000
}

/** One sentence on what was waited for. */
export function preparation(draft: Draft): string {
  const lowered = Object.keys(draft.state.ttlsBefore)
  if (lowered.length === 0) return 'the providers in use need no preparation'
  return `the TTL of ${lowered.join(', ')} was lowered, and ${formatSpan(waitSeconds(draft))} waited out`
}

/** Puts the TTLs back as they were. One that somebody has changed since is left to them. */
export function restoreTtls(draft: Draft): void {
  const { ttlsBefore } = draft.state
  if (Object.keys(ttlsBefore).length === 0) return
  const lowered = draft.plan.targets.filter(({ id }) => ttlsBefore[id] !== undefined)
  // A target that cannot be read now is asked again.
  if (lowered.some(({ id }) => draft.observation.targets[id]?.kind !== 'weight')) return
  if (lowered.some((target) => ttlToRestore(draft, target) !== null)) return
  change(draft, { ttlsBefore: {}, ttlWaitedMs: null })
  const targets = lowered.map((target) => ({
    targetId: target.id,
    beforeSeconds: ttlsBefore[target.id] ?? null,
    ttlSeconds: ttlOf(draft, target),
  }))
  emit(draft, { type: 'ttls-restored', targets })
}

/** The TTL that this target is to be written with now, seconds; null: leave it as it is. */
export function wantedTtl(draft: Draft, target: PlanTarget): number | null {
  const { name } = draft.state.phase
  if (name === 'completed' || name === 'reverted') return ttlToRestore(draft, target)
  const seconds = ttlOf(draft, target)
  if (name !== 'preparing' || target.movingTtlSeconds === null || seconds === null) return null
  return seconds > target.movingTtlSeconds ? target.movingTtlSeconds : null
}

/** Notes the TTL that answers have now: as long as a target cannot be read, the longest that was seen. */
export function followTtl(draft: Draft): void {
  const known = draft.plan.targets.map((target) => ttlOf(draft, target))
  const readings = draft.plan.targets.map(({ id }) => draft.observation.targets[id])
  const before = readings.every((reading) => reading?.kind === 'weight') ? 0 : draft.state.ttlSeconds
  const ttlSeconds = Math.max(before, ...known.map((seconds) => seconds ?? 0))
  if (ttlSeconds !== draft.state.ttlSeconds) change(draft, { ttlSeconds })
}

function lower(draft: Draft, high: readonly { targetId: string; fromSeconds: number; toSeconds: number }[]): void {
  const { ttlsBefore } = draft.state
  const fresh = high.filter(({ targetId }) => ttlsBefore[targetId] === undefined)
  change(draft, { ttlWaitedMs: null })
  if (fresh.length === 0) return
  // What it was is committed before it is changed: a crash in between must not forget it.
  const noted = Object.fromEntries(fresh.map(({ targetId, fromSeconds }) => [targetId, fromSeconds]))
  change(draft, { ttlsBefore: { ...ttlsBefore, ...noted } })
  emit(draft, { type: 'ttls-lowered', targets: fresh, waitSeconds: waitSeconds(draft) })
}

/** The old TTL as long as the lowered one is read. */
function ttlToRestore(draft: Draft, target: PlanTarget): number | null {
  const before = draft.state.ttlsBefore[target.id]
  if (before === undefined) return null
  return ttlOf(draft, target) === target.movingTtlSeconds ? before : null
}

function ttlOf({ observation }: Draft, { id }: PlanTarget): number | null {
  const reading = observation.targets[id]
  return reading?.kind === 'weight' ? (reading.ttlSeconds ?? null) : null
}

/** How long the old TTLs are waited out once the lowered ones are read back, seconds: propagation, and the longest of them. */
export function waitSeconds({ plan, state }: Pick<Draft, 'plan' | 'state'>): number {
  const propagation = plan.targets.map((target) =>
    state.ttlsBefore[target.id] === undefined ? 0 : target.propagationSeconds,
  )
  return Math.max(...propagation, 0) + Math.max(...Object.values(state.ttlsBefore), 0)
}
