import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import { elbPlaceOf } from './place.ts'
import type { Elbv2Account, Elbv2Settings } from './settings.ts'

/** ELB's Describe actions know no resources; what changes actions is allowed for these rules and listeners alone. */
export function privilegesFor(
  targets: readonly TrafficTarget<Elbv2Settings>[],
  account: Elbv2Account,
): readonly Privilege[] {
  const arns = [...new Set(targets.map(({ settings }) => settings.arn))].sort()
  const rules = arns.filter((arn) => elbPlaceOf(arn)?.kind === 'rule')
  const listeners = arns.filter((arn) => elbPlaceOf(arn)?.kind === 'listener')
  const document = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          ...(rules.length > 0 ? ['elasticloadbalancing:DescribeRules'] : []),
          ...(listeners.length > 0 ? ['elasticloadbalancing:DescribeListeners'] : []),
          'elasticloadbalancing:DescribeTags',
          'elasticloadbalancing:DescribeTargetGroups',
          'elasticloadbalancing:DescribeTargetHealth',
        ],
        Resource: '*',
      },
      ...(rules.length > 0 ? [{ Effect: 'Allow', Action: 'elasticloadbalancing:ModifyRule', Resource: rules }] : []),
      ...(listeners.length > 0
        ? [{ Effect: 'Allow', Action: 'elasticloadbalancing:ModifyListener', Resource: listeners }]
        : []),
    ],
  }
  const who = account.role?.arn ?? 'the role or user that Headgate runs with'
  return [{ title: `IAM policy of ${who}, for load balancers`, format: 'json', document }]
}
