import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan, Sides } from '../../core/plan.ts'
import type { ClusterWorkload } from '../../ports/cluster.ts'
import { type Finding, fail, nameOf, objectsOf, unseen } from '../check.ts'
import type { World } from '../world.ts'

/** The workload's object as each cluster tells of it; null: it is not there. */
export type SeenWorkloads = Sides<ClusterWorkload | Missing | null>

export async function askBoth(plan: Plan, world: World): Promise<SeenWorkloads> {
  const objects = objectsOf(plan)
  const [old, fresh] = await Promise.all([world.workload('old', objects.old), world.workload('new', objects.new)])
  return { old, new: fresh }
}

/** Both objects; or what is to be said where one of them is not there, or not seen. */
export function bothOf(seen: SeenWorkloads, plan: Plan): Sides<ClusterWorkload> | Finding {
  const objects = objectsOf(plan)
  const { old } = seen
  if (seen.new === null) return fail(`NEW has no ${nameOf(objects.new)}`, 'deploy it in NEW, or correct its name')
  if (old === null) return fail(`OLD has no ${nameOf(objects.old)}`, 'correct its name under `kubernetes`')
  if (isMissing(seen.new)) return unseen(`${nameOf(objects.new)} of NEW`, seen.new)
  if (isMissing(old)) return unseen(`${nameOf(objects.old)} of OLD`, old)
  return { old, new: seen.new }
}
