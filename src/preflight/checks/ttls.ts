import { formatSpan } from '../../core/format.ts'
import { isMissing, type Missing, missing, type TargetReading } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import { defineCheck, type Finding, fail, listed, pass, skipped, unseen } from '../check.ts'

export interface SeenTtl {
  readonly id: string
  /** To what Headgate lowers it, seconds; null: it does not. */
  readonly loweredToSeconds: number | null
  /** null: it is not kept by resolvers. */
  readonly ttlSeconds: number | Missing | null
}

export const ttls = defineCheck({
  skip: () => null,
  ask: async ({ targets }, world): Promise<readonly SeenTtl[]> =>
    targets.map(({ id, movingTtlSeconds }) => ({
      id,
      loweredToSeconds: movingTtlSeconds,
      ttlSeconds: ttlOf(world.target(id)),
    })),
  judge: judgeTtls,
})

function ttlOf(reading: TargetReading | undefined): SeenTtl['ttlSeconds'] {
  if (reading === undefined) return missing('no-baseline', 'not read yet')
  return isMissing(reading) ? reading : (reading.ttlSeconds ?? null)
}

/** Each weight, and each revert, takes a TTL to come into force. */
export function judgeTtls(seen: readonly SeenTtl[], { checkRules }: Pick<Plan, 'checkRules'>): Finding {
  const names = seen.filter(({ ttlSeconds }) => ttlSeconds !== null)
  if (names.length === 0) return skipped('no target is a DNS name')
  const max = checkRules.ttlSeconds
  const moving = names.flatMap(({ id, ttlSeconds, loweredToSeconds }) => {
    if (typeof ttlSeconds !== 'number') return []
    return [{ id, seconds: Math.min(ttlSeconds, loweredToSeconds ?? ttlSeconds) }]
  })
  const long = moving.filter(({ seconds }) => seconds > max)
  if (long.length > 0)
    return fail(
      `${listed(long.map(({ id, seconds }) => `${id} has a TTL of ${formatSpan(seconds)}`))}, and nobody lowers it`,
      `lower it to at most ${formatSpan(max)}, or have Headgate do so (the target's \`ttl\`): a revert takes that long`,
    )
  for (const { id, ttlSeconds } of names)
    if (typeof ttlSeconds === 'object' && ttlSeconds) return unseen(id, ttlSeconds)
  return pass(`clients follow within ${formatSpan(Math.max(...moving.map(({ seconds }) => seconds)))}`)
}
