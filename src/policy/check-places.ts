import type { Finding, Path } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import { targetsOf, type Workload } from './resolve.ts'

/** No place is claimed twice: two writers of one split would fight. */
export function checkPlaces(workloads: readonly Workload[], kinds: readonly TrafficKindConfig[]): Finding[] {
  const claims = new Map<string, { readonly path: Path; readonly workload: string }>()
  const found: Finding[] = []
  for (const [index, workload] of workloads.entries()) {
    for (const target of targetsOf(workload, kinds)) {
      const path = ['workloads', index, ...target.path]
      const key = JSON.stringify([target.scope, target.place])
      const earlier = claims.get(key)
      if (!earlier) {
        claims.set(key, { path, workload: workload.name })
        continue
      }
      found.push({
        code: 'CONFIG_SCOPE_CLAIMED',
        cause: `${target.kind} ${target.place} is already a target of "${earlier.workload}"`,
        hint: earlier.workload === workload.name ? 'remove one of the two' : 'give each workload a place of its own',
        path,
        on: 'key',
        other: { path: earlier.path, on: 'key' },
      })
    }
  }
  return found
}
