import { z } from 'zod'
import { parseJson } from '../shared/json.ts'
import { listOf, words } from './api.ts'

/** What of an object's metadata tells which API versions it needs. */
export const metadataSchema = z.object({
  name: z.string(),
  annotations: words(),
  ownerReferences: listOf(z.object({ apiVersion: z.string(), kind: z.string() })),
  managedFields: listOf(
    z.object({
      operation: z.string().default(''),
      apiVersion: z.string().default(''),
      subresource: z.string().default(''),
    }),
  ),
})

type Metadata = z.output<typeof metadataSchema>

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const appliedSchema = z.object({ apiVersion: z.string() })

/**
 * API versions and kinds that a cluster must serve so that this object can be there, as `apps/v1/Deployment`: its own,
 * the one that its manifest was last applied in, and its owners', which are custom objects where an operator makes it.
 */
export function kindsOf(apiVersion: string, kind: string, metadata: Metadata): readonly string[] {
  const applied = appliedSchema.safeParse(parseJson(metadata.annotations[LAST_APPLIED] ?? '')).data?.apiVersion
  // Of updates the entries of manifests long gone stay behind; an apply has one entry, of its newest version.
  const managed = metadata.managedFields.flatMap((one) =>
    one.operation === 'Apply' && one.subresource === '' && one.apiVersion !== '' ? [one.apiVersion] : [],
  )
  const versions = [apiVersion, ...(applied === undefined ? [] : [applied]), ...managed]
  return [
    ...versions.map((version) => `${version}/${kind}`),
    ...metadata.ownerReferences.map((owner) => `${owner.apiVersion}/${owner.kind}`),
  ]
}
