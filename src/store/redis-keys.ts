/** Everything stands under one hash tag, so that a Redis Cluster keeps it on one node, where a script can reach all of it. */
export interface RedisKeys {
  /** Hash: version, identity, revision, lease, journal head, counters. */
  readonly head: string
  /** Stream: a row n has the id n-1, and the fields hash, event, and workload where there is one. */
  readonly journal: string
  /** Hash: workload → state. */
  readonly rollouts: string
  /** Sorted set: workloads in the order in which they came. */
  readonly order: string
  /** Hash: plan's hash → plan. Kept for good: the journal names them. */
  readonly plans: string
  /** Hash: id → fact, consumed or not. */
  readonly facts: string
  /** Sorted set: ids of the facts that wait, in the order in which they came. */
  readonly inbox: string
  /** Hash: id of a consumed fact → the revision that took it in. */
  readonly consumed: string
  /** Hash: channel → cursor. */
  readonly cursors: string
  /** Sorted set: numbers of the journal rows of a workload. */
  rowsOf(workload: string): string
}

export function redisKeys(prefix: string): RedisKeys {
  const key = (name: string) => `{${prefix}}:${name}`
  return {
    head: key('head'),
    journal: key('journal'),
    rollouts: key('rollouts'),
    order: key('order'),
    plans: key('plans'),
    facts: key('facts'),
    inbox: key('inbox'),
    consumed: key('consumed'),
    cursors: key('cursors'),
    rowsOf: (workload) => key(`rows:${workload}`),
  }
}
