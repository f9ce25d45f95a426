import type { Json } from '../../core/plan.ts'
import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import { escapedName } from './names.ts'
import type { Route53Account, Route53Settings } from './settings.ts'

/** An IAM policy that allows these very records to be changed and nothing else; one more to assume the role. */
export function privilegesFor(
  targets: readonly TrafficTarget<Route53Settings>[],
  account: Route53Account,
): readonly Privilege[] {
  const arn = `arn:${partitionOf(account.region)}`
  const settings = targets.map((target) => target.settings)
  const byZone = [...Map.groupBy(settings, ({ zone }) => zone)]
  const zoneArns = byZone.map(([zone]) => `${arn}:route53:::hostedzone/${zone}`)
  const healthChecks = [...new Set(settings.flatMap(({ failover }) => failover?.healthCheck ?? []))]
  const statements = [
    allow('route53:ListResourceRecordSets', zoneArns),
    allow('route53:GetChange', [`${arn}:route53:::change/*`]),
    ...(healthChecks.length > 0
      ? [
          allow(
            'route53:GetHealthCheck',
            healthChecks.map((id) => `${arn}:route53:::healthcheck/${id}`),
          ),
        ]
      : []),
    ...byZone.map(([zone, members]) => ({
      ...allow('route53:ChangeResourceRecordSets', [`${arn}:route53:::hostedzone/${zone}`]),
      Condition: { 'ForAllValues:StringEquals': conditionsFor(members) },
    })),
  ]
  return [
    {
      title: `IAM policy of ${account.role?.arn ?? 'the user or role that Headgate runs with'}`,
      format: 'json',
      document: policy(statements),
    },
    ...(account.role
      ? [
          {
            title: 'IAM policy of the user or role that Headgate runs with',
            format: 'json' as const,
            document: policy([allow('sts:AssumeRole', [account.role.arn])]),
          },
        ]
      : []),
  ]
}

/** The names as IAM compares them, and the least of actions: records are created or deleted only where the config says so. */
function conditionsFor(settings: readonly Route53Settings[]): Record<string, string[]> {
  const creates = settings.some(({ newValues, newAlias }) => newValues !== undefined || newAlias !== undefined)
  const types = settings.flatMap(({ type }) => (type === undefined ? ['A', 'AAAA', 'CNAME'] : [type]))
  return {
    'route53:ChangeResourceRecordSetsActions': creates ? ['CREATE', 'DELETE', 'UPSERT'] : ['UPSERT'],
    'route53:ChangeResourceRecordSetsNormalizedRecordNames': [
      ...new Set(settings.map(({ record }) => escapedName(record))),
    ].sort(),
    'route53:ChangeResourceRecordSetsRecordTypes': [...new Set(types)].sort(),
  }
}

function allow(action: string, resources: string[]): { Effect: string; Action: string; Resource: string[] } {
  return { Effect: 'Allow', Action: action, Resource: resources }
}

function policy(statements: Json[]): Json {
  return { Version: '2012-10-17', Statement: statements }
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
