/** Everything stands under one hash tag, so that a Redis Cluster keeps it on one node, where a script can reach all of it. */
export interface RedisKeys {
  /** Hash: version, identity, number of commits, journal head, counters, epoch of the layout. */
  readonly head: string
  /** Stream: a row n has the id n-1, and the fields hash, event, and workload where there is one. */
  readonly journal: string
  /** Hash: workload → where its rollout stands. */
  readonly rollouts: string
  /** Hash: workload → what its rollout's ticks add up to. */
  readonly tallies: string
  /** Hash: shape's hash → shape, which tallies name. */
  readonly shapes: string
  /** Hash: plan's hash → plan. Kept for good: the journal names them. */
  readonly plans: string
  /** Hash: id → fact, consumed or not. */
  readonly facts: string
  /** Hash: id of a consumed fact → the number of the commit that took it in. */
  readonly consumed: string
  /** Hash: channel → cursor. */
  readonly cursors: string
  /** Sorted set: shards in the order in which they came. */
  readonly shards: string
  /** Hash: migration → its shard. */
  readonly layout: string
  /** Hash: workload → a migration of its shard. */
  readonly homes: string
  /** Sorted set: replicas by when they count as dead. */
  readonly replicas: string
  ofShard(shard: string): ShardKeys
  /** Sorted set: numbers of the journal rows of a workload. */
  rowsOf(workload: string): string
}

export interface ShardKeys {
  /** Hash: revision, fence, lease. */
  readonly shard: string
  /** Sorted set: workloads in the order in which they came. */
  readonly order: string
  /** Sorted set: ids of the facts that wait, in the order in which they came. */
  readonly inbox: string
}

export function redisKeys(prefix: string): RedisKeys {
  const key = (name: string) => `{${prefix}}:${name}`
  return {
    head: key('head'),
    journal: key('journal'),
    rollouts: key('rollouts'),
    tallies: key('tallies'),
    shapes: key('shapes'),
    plans: key('plans'),
    facts: key('facts'),
    consumed: key('consumed'),
    cursors: key('cursors'),
    shards: key('shards'),
    layout: key('layout'),
    homes: key('homes'),
    replicas: key('replicas'),
    ofShard: (shard) => ({ shard: key(`shard:${shard}`), order: key(`order:${shard}`), inbox: key(`inbox:${shard}`) }),
    rowsOf: (workload) => key(`rows:${workload}`),
  }
}
