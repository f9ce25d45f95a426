import type { Privilege } from '../../ports/kind.ts'
import type { CloudwatchSettings } from './settings.ts'

/** An IAM policy that lets metrics be read; one more to assume the role. CloudWatch knows no smaller resource than all. */
export function cloudwatchPrivileges({ role }: CloudwatchSettings): readonly Privilege[] {
  const reading = policyOf('cloudwatch:GetMetricData', '*')
  return [
    {
      title: `IAM policy of ${role?.arn ?? 'the user or role that Headgate runs with'}`,
      format: 'json',
      document: reading,
    },
    ...(role
      ? [
          {
            title: 'IAM policy of the user or role that Headgate runs with',
            format: 'json' as const,
            document: policyOf('sts:AssumeRole', role.arn),
          },
        ]
      : []),
  ]
}

function policyOf(action: string, resource: string): Privilege['document'] {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: [resource] }] }
}
