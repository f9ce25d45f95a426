import type { Urgency } from '../core/effect.ts'
import { Problem } from '../core/problem.ts'
import type { WeightChange, WriteResult } from '../ports/traffic.ts'
import { failed, unknownTarget } from './failure.ts'

/**
 * Gets what all targets of a scope are part of, once, and finds each target in it. Nothing is got for strangers
 * alone.
 */
export async function findEach<Settings, Whole, Found>(
  targetIds: readonly string[],
  settingsById: ReadonlyMap<string, Settings>,
  get: () => Promise<Whole | Problem>,
  find: (settings: Settings, whole: Whole) => Found | Problem,
): Promise<ReadonlyMap<string, Found | Problem>> {
  const isKnown = targetIds.some((id) => settingsById.has(id))
  const whole = isKnown ? await get() : null
  return new Map(
    targetIds.map((id) => {
      const settings = settingsById.get(id)
      if (settings === undefined || whole === null) return [id, unknownTarget(id)]
      return [id, whole instanceof Problem ? whole : find(settings, whole)]
    }),
  )
}

/** What a write's calls are for: a revert among the changes goes first, and has the whole quota. */
export function urgencyOf(changes: readonly WeightChange[]): Urgency {
  return changes.some(({ urgency }) => urgency === 'revert') ? 'revert' : 'forward'
}

/**
 * Carries out the first change that needs it, reverts before others. The rest is deferred: what it was planned from
 * is out of date then. `plan` says what to send, null for nothing, or why the change cannot be.
 */
export async function writeOne<Plan>(
  changes: readonly WeightChange[],
  plan: (change: WeightChange) => Plan | null | Problem,
  send: (plan: Plan, urgency: Urgency) => Promise<Problem | null>,
): Promise<ReadonlyMap<string, WriteResult>> {
  const results = new Map<string, WriteResult>()
  let isTurnLeft = true
  for (const urgency of ['revert', 'forward'] satisfies Urgency[])
    for (const change of changes.filter((one) => one.urgency === urgency)) {
      const next = plan(change)
      if (next instanceof Problem) results.set(change.targetId, failed(next))
      else if (next === null) results.set(change.targetId, { kind: 'applied' })
      else if (!isTurnLeft) results.set(change.targetId, { kind: 'deferred' })
      else {
        isTurnLeft = false
        const why = await send(next, urgency)
        results.set(change.targetId, why === null ? { kind: 'applied' } : failed(why))
      }
    }
  return results
}
