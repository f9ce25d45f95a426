import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import { badAwsAnswer } from '../aws-call.ts'
import { isGroup } from './place.ts'

/** A list of actions, and what its forward action says about the two target groups. */
export interface Forward {
  readonly actions: readonly Action[]
  /** The groups' ARNs; null: the forward does not have the group, and its weight is 0. */
  readonly arns: Sides<string | null>
  readonly weights: Sides<number>
  /** For how long a client stays with its group, seconds; null: no stickiness. 0: it does not say for how long. */
  readonly stickySeconds: number | null
}

/**
 * Finds the two groups in a list of actions. TRAFFIC_WRONG_TYPE: nothing is forwarded, or to others too, so that the
 * weights of the two would not be the share. A forward to one group only is all or nothing.
 */
export function forwardOf(place: string, actions: readonly Action[], names: Sides<string>): Forward | Problem {
  const action = actions.find(({ Type }) => Type === 'forward')
  if (!action)
    return problem('TRAFFIC_WRONG_TYPE', `${place} forwards nothing: it has ${typesOf(actions)}`, {
      hint: 'name a rule or listener with a forward action',
    })
  const groups = groupsOf(place, action)
  if (groups instanceof Problem) return groups
  const arns: { old: string | null; new: string | null } = { old: null, new: null }
  const weights = { old: 0, new: 0 }
  for (const { arn, weight } of groups) {
    const side = (['old', 'new'] satisfies Side[]).find((one) => arns[one] === null && isGroup(arn, names[one]))
    if (!side)
      return problem(
        'TRAFFIC_WRONG_TYPE',
        `${place} forwards to ${arn}, which is neither ${names.old} nor ${names.new}`,
        {
          hint: 'leave only these two target groups in the forward action, or name the ones that it has',
        },
      )
    arns[side] = arn
    weights[side] = weight
  }
  const sticky = action.ForwardConfig?.TargetGroupStickinessConfig
  return { actions, arns, weights, stickySeconds: sticky?.Enabled === true ? (sticky.DurationSeconds ?? 0) : null }
}

/** The whole list anew, with these weights: both calls that change actions replace all of them. */
export function withWeights(forward: Forward, arns: Sides<string>, weights: Sides<number>): Action[] {
  return forward.actions.map((action) => {
    if (action.AuthenticateOidcConfig) return keepingSecret(action, action.AuthenticateOidcConfig)
    if (action.Type !== 'forward') return action
    const { TargetGroupArn: _, ForwardConfig, ...rest } = action
    const groups: readonly Side[] =
      forward.arns.old === null && forward.arns.new !== null ? ['new', 'old'] : ['old', 'new']
    const TargetGroups = groups.map((side) => ({ TargetGroupArn: arns[side], Weight: weights[side] }))
    return { ...rest, ForwardConfig: { ...ForwardConfig, TargetGroups } }
  })
}

/** AWS never tells the client secret, and takes this in its place. */
function keepingSecret(action: Action, config: NonNullable<Action['AuthenticateOidcConfig']>): Action {
  const { ClientSecret: _, ...rest } = config
  return { ...action, AuthenticateOidcConfig: { ...rest, UseExistingClientSecret: true } }
}

interface Group {
  readonly arn: string
  readonly weight: number
}

function groupsOf(place: string, { ForwardConfig, TargetGroupArn }: Action): readonly Group[] | Problem {
  const listed = ForwardConfig?.TargetGroups ?? []
  if (listed.length === 0)
    return TargetGroupArn === undefined
      ? badAwsAnswer(`${place} forwards to no target group`)
      : [{ arn: TargetGroupArn, weight: 1 }]
  const groups: Group[] = []
  for (const { TargetGroupArn: arn, Weight } of listed) {
    // One group alone has no use for a weight, and may come without.
    const weight = Weight ?? (listed.length === 1 ? 1 : undefined)
    if (arn === undefined || weight === undefined || !Number.isInteger(weight) || weight < 0)
      return badAwsAnswer(`${place} has a target group ${arn ?? 'without ARN'} of weight ${String(weight)}`)
    groups.push({ arn, weight })
  }
  return groups
}

function typesOf(actions: readonly Action[]): string {
  return actions.map(({ Type }) => Type ?? 'an unknown action').join(', ') || 'no actions'
}
