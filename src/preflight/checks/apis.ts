import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import type { ClusterWorkload } from '../../ports/cluster.ts'
import { defineCheck, type Finding, fail, listed, nameOf, objectsOf, pass, unseen, withoutObjects } from '../check.ts'

export interface SeenApis {
  /** OLD's; null: it is not there. */
  readonly workload: ClusterWorkload | Missing | null
  /** By NEW. */
  readonly served: ReadonlySet<string> | Missing
}

export const apis = defineCheck({
  skip: withoutObjects,
  ask: async (plan, world): Promise<SeenApis> => {
    const [workload, served] = await Promise.all([world.workload('old', objectsOf(plan).old), world.servedKinds('new')])
    return { workload, served }
  },
  judge: judgeApis,
})

/** NEW serves each API version and kind that the workload's objects in OLD have. */
export function judgeApis({ workload, served }: SeenApis, plan: Plan): Finding {
  const name = nameOf(objectsOf(plan).old)
  if (workload === null) return fail(`OLD has no ${name}`, 'correct its name under `kubernetes`')
  if (isMissing(workload)) return unseen(`${name} of OLD`, workload)
  if (isMissing(served)) return unseen('what NEW serves', served)
  const unserved = workload.kinds.filter((kind) => !served.has(kind))
  return unserved.length > 0
    ? fail(
        `NEW does not serve ${listed(unserved)}`,
        'install the CRDs, or write the objects in a version that NEW serves',
      )
    : pass(`NEW serves ${listed(workload.kinds)}`)
}
