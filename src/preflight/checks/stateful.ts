import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import type { ClusterWorkload } from '../../ports/cluster.ts'
import { defineCheck, type Finding, fail, listed, nameOf, objectsOf, pass, unseen, withoutObjects } from '../check.ts'

export const stateful = defineCheck({
  skip: withoutObjects,
  ask: (plan, world) => world.workload('old', objectsOf(plan).old),
  judge: judgeStateful,
})

/** Traffic can be moved by weights, data in volumes can not: a person says how it comes along. */
export function judgeStateful(seen: ClusterWorkload | Missing | null, plan: Plan): Finding {
  const ref = objectsOf(plan).old
  const name = nameOf(ref)
  const { stateful: acknowledged } = plan.checkRules
  if (acknowledged !== null) return pass(`acknowledged: ${acknowledged}`)
  const hint = 'move its data first, then say so: `stateful: { acknowledged: … }` of the workload'
  // By its kind alone, whatever the API server says.
  if (ref.kind === 'StatefulSet') return fail(`${name} keeps data${claims(seen)}, and nobody acknowledged it`, hint)
  if (seen === null) return fail(`OLD has no ${name}`, 'correct its name under `kubernetes`')
  if (isMissing(seen)) return unseen(`${name} of OLD`, seen)
  return seen.claims.length > 0
    ? fail(`${name} keeps data${claims(seen)}, and nobody acknowledged it`, hint)
    : pass(`${name} has no volumes that keep data`)
}

function claims(seen: ClusterWorkload | Missing | null): string {
  return seen === null || isMissing(seen) || seen.claims.length === 0 ? '' : ` in ${listed(seen.claims)}`
}
