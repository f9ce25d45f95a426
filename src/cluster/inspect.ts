import type { Missing } from '../core/observation.ts'
import { type ProblemJson, problem } from '../core/problem.ts'
import type { Cluster, ClusterAction } from '../ports/cluster.ts'
import type { ClusterNeeds } from './privileges.ts'

/** Further apart than that, times in two logs cannot be laid beside each other, ms. */
const MAX_SKEW_MS = 5000

export interface ClusterFinding {
  readonly level: 'warn' | 'fail'
  readonly problem: ProblemJson
}

/** Looks, without writing, whether a cluster answers, allows what is needed, and has our time. */
export async function inspectCluster(
  cluster: Cluster,
  { needed, telling }: ClusterNeeds,
  signal: AbortSignal,
): Promise<readonly ClusterFinding[]> {
  const [aheadMs, mayDo, mayTell] = await Promise.all([
    cluster.clockAheadMs(signal),
    cluster.mayDo(needed, signal),
    cluster.mayDo(telling, signal),
  ])
  // Whoever does not answer at all is told once.
  if (typeof aheadMs !== 'number') return [noAnswer(aheadMs)]
  const gap = [...mayDo, ...mayTell].find((answer) => typeof answer === 'object')
  return [
    ...clockFindings(aheadMs),
    ...(gap === undefined ? [] : [noAnswer(gap)]),
    ...refused('fail', 'may not', needed, mayDo),
    ...refused('warn', 'cannot tell events on the workloads: may not', telling, mayTell),
  ]
}

function noAnswer({ why, detail }: Missing): ClusterFinding {
  return { level: 'fail', problem: problem('CLUSTER_NO_ANSWER', `${why}: ${detail}`).toJSON() }
}

function clockFindings(aheadMs: number): ClusterFinding[] {
  if (Math.abs(aheadMs) <= MAX_SKEW_MS) return []
  const cause = `its clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`
  return [{ level: 'warn', problem: problem('CLUSTER_CLOCK', cause).toJSON() }]
}

function refused(
  level: ClusterFinding['level'],
  what: string,
  actions: readonly ClusterAction[],
  answers: readonly (boolean | Missing)[],
): ClusterFinding[] {
  const names = actions.filter((_, index) => answers[index] === false).map(nameOf)
  if (names.length === 0) return []
  return [{ level, problem: problem('CLUSTER_FORBIDDEN', `${what} ${names.join(', ')}`).toJSON() }]
}

/** `watch deployments.apps in shop`. */
function nameOf({ verb, group, resource, namespace }: ClusterAction): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`} in ${namespace}`
}
