import type { ObjectRef, Plan } from '../../src/core/plan.ts'
import { type Config, plansOf } from '../../src/policy/config.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { NAMESPACE } from '../fakes/kubernetes/cluster.ts'
import { kinds } from '../policies/kinds.ts'

/** A config of one workload, `m` the migration, whose object has its name in both clusters. `more` is JSON. */
export function objectConfig(
  name: string,
  { kind = 'Deployment', workload = {}, top = {} }: { kind?: ObjectRef['kind']; workload?: object; top?: object } = {},
): Config {
  const key = kind === 'Deployment' ? 'deployment' : 'statefulSet'
  const text = JSON.stringify({
    apiVersion: 'headgate/v1',
    migration: 'm',
    clusters: { old: 'blue', new: 'green' },
    kubernetes: { old: { context: 'blue' }, new: { context: 'green' } },
    workloads: [
      {
        name,
        traffic: { proxy: { socket: '/run/proxy.sock', backend: name } },
        probes: [{ url: 'http://shop.example.com/', address: { new: '203.0.113.9' } }],
        kubernetes: { namespace: NAMESPACE, [key]: name },
        ...workload,
      },
    ],
    ...top,
  })
  const parsed = parseConfig(text, 'm.yaml', kinds, {})
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.config
}

/** The plan of such a workload. */
export function planFor(name: string, kind: ObjectRef['kind'] = 'Deployment'): Plan {
  const [plan] = plansOf(objectConfig(name, { kind }))
  if (plan === undefined) throw new Error('a config without a plan')
  return plan
}
