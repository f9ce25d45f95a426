import { isMissing, type Missing } from '../../core/observation.ts'
import type { Side } from '../../core/plan.ts'
import type { ClusterAction } from '../../ports/cluster.ts'
import { actionsOf } from '../../ports/cluster-actions.ts'
import { defineCheck, type Finding, fail, listed, pass, unseen } from '../check.ts'

export interface SeenRight {
  readonly side: Side
  readonly action: ClusterAction
  readonly answer: boolean | Missing
}

export const permissions = defineCheck({
  skip: (plan, { hasClusters }) => {
    if (!hasClusters) return 'access to the API servers is not configured (`kubernetes`)'
    return actionsOf(plan, 'old').length + actionsOf(plan, 'new').length === 0
      ? 'the plan needs nothing of the API servers'
      : null
  },
  ask: (plan, world): Promise<readonly SeenRight[]> => {
    const wanted = (['old', 'new'] as const).flatMap((side) =>
      actionsOf(plan, side).map((action) => ({ side, action })),
    )
    return Promise.all(
      wanted.map(async ({ side, action }) => ({ side, action, answer: await world.mayDo(side, action) })),
    )
  },
  judge: judgePermissions,
})

/** The API servers allow all that the plan will need, so that it doesn't end half-way. */
export function judgePermissions(rights: readonly SeenRight[]): Finding {
  const refused = rights.filter(({ answer }) => answer === false)
  if (refused.length > 0)
    return fail(`not allowed: ${listed(refused.map(told))}`, 'headgate doctor --privileges prints what to grant')
  for (const right of rights) {
    const { answer } = right
    if (typeof answer === 'object' && isMissing(answer)) return unseen(told(right), answer)
  }
  return pass(`all ${rights.length} rights that the plan needs are there`)
}

function told({ side, action: { verb, group, resource, namespace } }: SeenRight): string {
  const where = namespace === '' ? '' : ` in namespace ${namespace}`
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${where} of ${side.toUpperCase()}`
}
