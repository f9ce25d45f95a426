import { z } from 'zod'
import type { Missing } from '../core/observation.ts'
import { mapBounded } from '../shared/bounded.ts'
import type { KubernetesClient } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { ask, listOf } from './api.ts'
import { missingFor } from './failure.ts'

const GROUPS_AT_ONCE = 8

const coreSchema = z.object({ versions: listOf(z.string()) })
const groupsSchema = z.object({
  groups: listOf(z.object({ versions: listOf(z.object({ groupVersion: z.string() })) })),
})
const resourcesSchema = z.object({ resources: listOf(z.object({ name: z.string(), kind: z.string() })) })

/**
 * What a server serves, as `apps/v1/Deployment`. A group whose own server does not answer (an aggregated API such as
 * `metrics.k8s.io`) is not served now, and says nothing of the others.
 */
export async function servedKinds(
  client: KubernetesClient,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | Missing> {
  const [core, groups] = await Promise.all([
    ask(client, { method: 'GET', path: '/api' }, coreSchema, signal),
    ask(client, { method: 'GET', path: '/apis' }, groupsSchema, signal),
  ])
  if (core instanceof KubernetesFailure) return missingFor('get /api', core)
  if (groups instanceof KubernetesFailure) return missingFor('get /apis', groups)
  const versions = [
    ...core.versions.map((version) => ({ path: `/api/${version}`, version })),
    ...groups.groups.flatMap((group) =>
      group.versions.map(({ groupVersion }) => ({ path: `/apis/${groupVersion}`, version: groupVersion })),
    ),
  ]
  const kinds = new Set<string>()
  const answers = await mapBounded(versions, GROUPS_AT_ONCE, async ({ path, version }) => ({
    path,
    version,
    answer: await ask(client, { method: 'GET', path }, resourcesSchema, signal),
  }))
  for (const { path, version, answer } of answers) {
    if (!(answer instanceof KubernetesFailure)) {
      for (const { name, kind } of answer.resources) if (!name.includes('/')) kinds.add(`${version}/${kind}`)
    } else if (answer.status !== 404 && answer.status !== 503) return missingFor(`get ${path}`, answer)
  }
  return kinds
}
