import { householdsOf } from '../src/core/household.ts'
import { initialState } from '../src/core/initial.ts'
import type { Plan } from '../src/core/plan.ts'
import type { RolloutState } from '../src/core/state.ts'
import { channelKinds } from '../src/notify/registry.ts'
import { plansOf } from '../src/policy/config.ts'
import { parseConfigs } from '../src/policy/parse.ts'
import { MAIN_SHARD, type ShardStore, type Shards } from '../src/ports/store.ts'
import { sourceKinds } from '../src/sources/registry.ts'
import { trafficKinds } from '../src/traffic/registry.ts'

const LEASE_MS = 60_000
/** Rollouts in one commit. */
const AT_ONCE = 1000

/** Fills a store with rollouts that have been at their first weight for a minute: to get there by itself takes a fleet many. */
export async function seedFleet(
  shards: Shards,
  texts: readonly { readonly file: string; readonly text: string }[],
): Promise<void> {
  const plans = plansIn(texts)
  const { shardOf } = await shards.join(householdsOf(plans))
  for (const [shard, own] of Map.groupBy(plans, ({ migration }) => shardOf.get(migration) ?? MAIN_SHARD))
    await seedShard(shards.of(shard).store, own)
}

async function seedShard(store: ShardStore, plans: readonly Plan[]): Promise<void> {
  const nowMs = Date.now()
  const lease = await store.lease('seed', nowMs, LEASE_MS)
  for (let from = 0; from < plans.length; from += AT_ONCE) {
    const some = plans.slice(from, from + AT_ONCE)
    const { revision } = await store.load()
    await store.commit({
      ...{ lease, revision, plans: some },
      rollouts: some.map((plan) => underWay(plan, nowMs - 60_000)),
      ...{ events: [], consumedFactIds: [] },
    })
  }
  await store.release(lease)
}

function plansIn(texts: readonly { file: string; text: string }[]): readonly Plan[] {
  const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }
  const read = parseConfigs(texts, kinds, process.env)
  if (!read.ok) throw new Error(`the benchmark's config is refused: ${JSON.stringify(read.problems.slice(0, 3))}`)
  return plansOf(read.config)
}

function underWay(plan: Plan, sinceMs: number): RolloutState {
  const weightPercent = plan.steps[0]?.weightPercent ?? 0
  return {
    ...initialState(plan.workload, 'fleet', sinceMs),
    planHash: plan.hash,
    startedAtMs: sinceMs,
    phase: { name: 'stepping', stepIndex: 0 },
    intendedWeightPercent: weightPercent,
    confirmedWeightPercent: weightPercent,
    confirmedAtMs: sinceMs,
    ttlSeconds: 60,
    settledMs: 60_000,
    inForceAtMs: sinceMs,
    share: {
      settledAtMs: sinceMs,
      untilMs: sinceMs,
      requests: { old: 1000 * (100 - weightPercent), new: 1000 * weightPercent },
      lastPercent: weightPercent,
    },
  }
}
