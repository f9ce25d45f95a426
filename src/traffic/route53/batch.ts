import type { Change } from '@aws-sdk/client-route-53'
import type { Plan } from './plan.ts'

export interface BatchLimits {
  /** Values, those of an UPSERT counted twice. */
  readonly records: number
  /** Characters of all values, those of an UPSERT counted twice. */
  readonly characters: number
}

/** How much room the changes take. An alias has no values; it is counted as one, which is never too little. */
export function sizeOf(changes: readonly Change[]): BatchLimits {
  let [records, characters] = [0, 0]
  for (const { Action, ResourceRecordSet: set } of changes) {
    const times = Action === 'UPSERT' ? 2 : 1
    const values = set?.ResourceRecords ?? []
    records += times * Math.max(1, values.length)
    for (const { Value } of values) characters += times * (Value?.length ?? 0)
  }
  return { records, characters }
}

/**
 * Which of these plans one call takes, in their order. `maxTogether` is how many plans may be in a call with this one:
 * those that were refused together are tried in halves. The first plan always goes, however big: Route 53 is to judge.
 */
export function fillBatch(
  plans: readonly Plan[],
  limits: BatchLimits,
  maxTogether: (targetId: string) => number,
): readonly Plan[] {
  const batch: Plan[] = []
  let most = Number.POSITIVE_INFINITY
  let [records, characters] = [0, 0]
  for (const plan of plans) {
    const size = sizeOf(plan.changes)
    const together = Math.min(most, maxTogether(plan.targetId))
    const fits =
      records + size.records <= limits.records &&
      characters + size.characters <= limits.characters &&
      batch.length < together
    if (batch.length > 0 && !fits) continue
    batch.push(plan)
    most = together
    records += size.records
    characters += size.characters
  }
  return batch
}
