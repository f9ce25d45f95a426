import { z } from 'zod'
import type { Json } from '../core/plan.ts'
import type { PlannedWrite } from './forecast-workload.ts'

/** What a migration asks of one provider's account. */
export interface AccountForecast {
  /** Kind of provider; a config has one account of each. */
  readonly kind: string
  /** Calls that change something. */
  readonly writes: number
  /** The most of them within a minute. */
  readonly busiestMinute: { readonly fromMs: number; readonly writes: number }
  /** Calls that steps may make within a minute, half of the quota; null: no quota is known. */
  readonly minuteLimit: number | null
}

const MINUTE_MS = 60_000
/** The other half is kept for reverts (`engine/quotas.ts`). */
const SHARE_OF_STEPS = 0.5

const accountSchema = z.object({ quota: z.object({ callsPerSecond: z.number(), burst: z.number() }) })

/** By kind, in the order of their first writes. Calls that only read come on top: they take turns with steps. */
export function forecastAccounts(
  writes: readonly PlannedWrite[],
  providers: Readonly<Record<string, Json>>,
): readonly AccountForecast[] {
  const kinds = [...new Set(writes.map(({ kind }) => kind))]
  return kinds.map((kind) => {
    const times = writes.filter((write) => write.kind === kind).map(({ atMs }) => atMs)
    const account = accountSchema.safeParse(providers[kind])
    const quota = account.success ? account.data.quota : null
    const minuteLimit = quota && Math.floor((quota.burst + quota.callsPerSecond * 60) * SHARE_OF_STEPS)
    return { kind, writes: times.length, busiestMinute: busiestMinute(times), minuteLimit }
  })
}

function busiestMinute(times: readonly number[]): AccountForecast['busiestMinute'] {
  const sorted = times.toSorted((a, b) => a - b)
  let busiest = { fromMs: sorted[0] ?? 0, writes: 0 }
  let end = 0
  for (const [start, fromMs] of sorted.entries()) {
    while (end < sorted.length && (sorted[end] ?? 0) < fromMs + MINUTE_MS) end++
    if (end - start > busiest.writes) busiest = { fromMs, writes: end - start }
  }
  return busiest
}
