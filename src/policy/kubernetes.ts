import type { CapacityRule, ObjectRef, Side, Sides } from '../core/plan.ts'
import type { PickSetting } from './evidence.ts'
import type { Finding } from './finding.ts'
import type { Workload } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'
import type { ObjectsSettings } from './schema-kubernetes.ts'

/** A policy's rule of capacity; null: replicas are not looked at. */
export type ResolvedCapacity = Omit<CapacityRule, 'fullReplicas'> | null

export function resolveCapacity(pick: PickSetting): ResolvedCapacity {
  // The nearest policy that says anything of it says whether it is on.
  if (pick(({ capacity }) => capacity) === 'off') return null
  return {
    headroomPercent: pick(({ capacity }) => (capacity === 'off' ? undefined : capacity?.headroom)),
    scale: pick(({ capacity }) => (capacity === 'off' ? undefined : capacity?.scale)),
    oldAfterwards: pick(({ capacity }) => {
      const asked = capacity === 'off' ? undefined : capacity?.scaleDownOld
      return asked === 'off' ? null : asked
    }),
  }
}

/** A workload's object in each cluster; null: it names none. */
export function objectsOf({ kubernetes }: Workload): Sides<ObjectRef> | null {
  return kubernetes === undefined ? null : { old: refOf(kubernetes, 'old'), new: refOf(kubernetes, 'new') }
}

/** Which replicas the workload needs; null: it names no objects, or its policy does not look at them. */
export function capacityOf(workload: Workload, policy: ResolvedCapacity): CapacityRule | null {
  if (policy === null || workload.kubernetes === undefined) return null
  return { fullReplicas: workload.capacity?.replicas ?? null, ...policy }
}

function refOf(settings: ObjectsSettings, side: Side): ObjectRef {
  const own = settings[side]
  // What one cluster calls otherwise replaces the name there, whatever kind it has elsewhere.
  const named = own?.deployment === undefined && own?.statefulSet === undefined ? settings : own
  const { deployment, statefulSet } = named
  const namespace = own?.namespace ?? settings.namespace
  if (deployment !== undefined) return { kind: 'Deployment', namespace, name: deployment }
  if (statefulSet !== undefined) return { kind: 'StatefulSet', namespace, name: statefulSet }
  throw new Error('no object: the schema let a workload pass that it should not')
}

/** The rules for objects: there is access to them, and each of them is one workload's in one cluster. */
export function checkKubernetes({ kubernetes, workloads }: ParsedConfig): Finding[] {
  const isOneServer = kubernetes !== undefined && JSON.stringify(kubernetes.old) === JSON.stringify(kubernetes.new)
  const taken = new Map<string, number>()
  return workloads.flatMap((workload, index): Finding[] => {
    const path = ['workloads', index]
    const objects = objectsOf(workload)
    if (objects === null)
      return workload.capacity === undefined
        ? []
        : [
            {
              code: 'CONFIG_MISSING_KEY',
              cause: "replicas are counted at the workload's objects, and it names none",
              hint: 'add `kubernetes: { namespace: …, deployment: … }`, or remove `capacity`',
              path: [...path, 'capacity'],
              on: 'key',
            },
          ]
    const at = { path: [...path, 'kubernetes'], on: 'key' } as const
    if (kubernetes === undefined)
      return [
        {
          code: 'CONFIG_MISSING_KEY',
          cause: `"${workload.name}" names its objects, but nothing says how to reach the API servers`,
          hint: 'add `kubernetes: { old: { context: … }, new: { context: … } }` at the top',
          ...at,
        },
      ]
    if (isOneServer && JSON.stringify(objects.old) === JSON.stringify(objects.new))
      return [
        {
          code: 'CONFIG_DUPLICATE',
          cause: 'OLD and NEW are the same object of the same API server',
          hint: 'give `kubernetes.old` and `kubernetes.new` contexts of their own',
          ...at,
        },
      ]
    const keys = [`old ${JSON.stringify(objects.old)}`, `new ${JSON.stringify(objects.new)}`]
    const first = keys.map((key) => taken.get(key)).find((one) => one !== undefined)
    for (const key of keys) if (!taken.has(key)) taken.set(key, index)
    if (first === undefined) return []
    return [
      {
        code: 'CONFIG_DUPLICATE',
        cause: 'another workload has this object',
        hint: 'give each workload an object of its own',
        ...at,
        other: { path: ['workloads', first, 'kubernetes'], on: 'key' },
      },
    ]
  })
}
