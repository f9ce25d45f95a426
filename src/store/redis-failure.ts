import { Problem, problem } from '../core/problem.ts'

/** What Redis says first in a refusal, and what to do about it. */
const HINTS: Readonly<Record<string, string>> = {
  OOM: 'give Redis more memory (maxmemory); nothing was lost, and Headgate goes on by itself',
  READONLY: 'this is a replica: the URL must lead to the primary; after a failover it does by itself',
  LOADING: 'Redis is starting and reads its data; Headgate goes on by itself',
  MISCONF: 'Redis cannot write to its disk: see its log',
  NOAUTH: 'give `redis.password`',
  WRONGPASS: 'check `redis.username` and `redis.password`',
  NOPERM: 'the user may not do this: docs/redis.md lists what Headgate needs',
  NOREPLICAS: 'too few replicas are connected to Redis (min-replicas-to-write)',
  CLUSTERDOWN: 'the Redis Cluster has no owner for its slots: see `CLUSTER INFO`',
  MOVED: 'another node of the cluster owns the keys: the URL must lead to that one',
  WRONGTYPE: 'something else has written under this prefix: stop, keep a copy, and restore a backup',
}

/**
 * What a use of Redis threw, as STORE_UNAVAILABLE. Of the error only its words are kept: beside them it may carry the command with
 * its arguments, a password among them. `lastTrouble` is what the connection said last; null: nothing.
 */
export function redisProblem(place: string, error: unknown, lastTrouble: string | null): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error
  const message = causeOf(error).message
  const [, word = ''] = /^([A-Z]+)\b/.exec(message) ?? []
  const isOffline = message.startsWith('Stream isn') || message === 'Connection is closed.'
  const said = isOffline ? (lastTrouble ?? 'there is no connection') : message
  const hint = HINTS[word] ?? 'check that Redis runs and can be reached; Headgate goes on by itself once it can'
  return problem('STORE_UNAVAILABLE', `Redis at ${place}: ${said}`, { hint })
}

/** A transaction is given up for what one of its commands met. */
function causeOf(error: Error): Error {
  const previous: unknown = 'previousErrors' in error ? error.previousErrors : null
  return Array.isArray(previous) && previous[0] instanceof Error ? previous[0] : error
}
