import type { Household } from '../core/household.ts'
import { type Layout, MAIN_SHARD } from '../ports/store.ts'

/** What is there, for the change of a layout. */
export interface Laid extends Layout {
  /** In the order in which they came; the main one is the first. */
  readonly shards: readonly string[]
  /** By workload, and by scope (`homeOfScope`): a migration of its shard. */
  readonly homes: ReadonlyMap<string, string>
  /** Workloads of the main shard's rollouts. */
  readonly inMain: ReadonlySet<string>
}

export interface LayoutChange {
  readonly made: readonly string[]
  /** In this order. */
  readonly merges: readonly { readonly from: string; readonly into: string }[]
  readonly homes: ReadonlyMap<string, string>
  readonly shardOf: ReadonlyMap<string, string>
}

/**
 * What has to change so that each household is within one shard; null: nothing has. The first household of all goes to the main shard,
 * another to a shard with the name of its first migration; what is in several shards already makes them one, the oldest of them.
 */
export function changeOf(laid: Laid, households: readonly Household[]): LayoutChange | null {
  const shardOf = new Map(laid.shardOf)
  const homes = new Map(laid.homes)
  const made: string[] = []
  const merges: { from: string; into: string }[] = []
  for (const { migrations, workloads, scopes } of households) {
    const [first] = migrations
    // A rollout under way writes to the scopes of the config that it began with: who has one of them now joins it.
    const members = [...workloads, ...scopes.map(homeOfScope)]
    const known = [...migrations, ...members.flatMap((member) => homes.get(member) ?? [])]
    const touched = new Set(known.flatMap((migration) => shardOf.get(migration) ?? []))
    // Begun before anybody said where it belongs.
    if (workloads.some((workload) => laid.inMain.has(workload) && !homes.has(workload))) touched.add(MAIN_SHARD)
    const shards = [...laid.shards, ...made]
    const [into = shardOf.size === 0 ? MAIN_SHARD : first, ...others] = shards.filter((shard) => touched.has(shard))
    if (!shards.includes(into)) made.push(into)
    for (const from of others) {
      merges.push({ from, into })
      for (const [migration, shard] of shardOf) if (shard === from) shardOf.set(migration, into)
    }
    for (const migration of migrations) shardOf.set(migration, into)
    for (const member of members) if (!homes.has(member)) homes.set(member, first)
  }
  const isSame = isSubset(shardOf, laid.shardOf) && homes.size === laid.homes.size
  return isSame ? null : { made, merges, homes: newIn(homes, laid.homes), shardOf: newIn(shardOf, laid.shardOf) }
}

/** Its name among the homes: no workload has a name with a space. */
function homeOfScope(scope: string): string {
  return `scope ${scope}`
}

function newIn(after: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...after].filter(([key, value]) => before.get(key) !== value))
}

function isSubset(after: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): boolean {
  return newIn(after, before).size === 0
}

/** The shard of a workload: that of its home, and the main one where there is none. */
export function shardOfWorkload({ homes, shardOf }: Pick<Laid, 'homes' | 'shardOf'>, workload: string | null): string {
  const home = workload === null ? undefined : homes.get(workload)
  return (home === undefined ? undefined : shardOf.get(home)) ?? MAIN_SHARD
}
