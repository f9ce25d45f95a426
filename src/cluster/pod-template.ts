import { z } from 'zod'
import { listOf, words } from './api.ts'

const named = z.object({ name: z.string().default('') })

const containerSchema = z.object({
  name: z.string(),
  image: z.string().default(''),
  env: listOf(z.object({ valueFrom: z.object({ configMapKeyRef: named.nullish() }).nullish() })),
  envFrom: listOf(z.object({ configMapRef: named.nullish() })),
})

/** A pod template, as far as Headgate reads it. */
export const podTemplateSchema = z.object({
  metadata: z.object({ labels: words() }).default({ labels: {} }),
  spec: z.object({
    containers: z.array(containerSchema),
    initContainers: listOf(containerSchema),
    volumes: listOf(
      z.object({
        configMap: named.nullish(),
        projected: z.object({ sources: listOf(z.object({ configMap: named.nullish() })) }).nullish(),
        persistentVolumeClaim: z.object({ claimName: z.string() }).nullish(),
      }),
    ),
  }),
})

export type PodTemplate = z.output<typeof podTemplateSchema>

/** Each cluster writes its own certificate into it. */
const OF_THE_CLUSTER = 'kube-root-ca.crt'

/** The ConfigMaps that pods mount or read, by name. */
export function configNames({ spec: { containers, initContainers, volumes } }: PodTemplate): readonly string[] {
  const read = [...initContainers, ...containers].flatMap(({ env, envFrom }) => [
    ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ...envFrom.map(({ configMapRef }) => configMapRef?.name),
  ])
  const mounted = volumes.flatMap(({ configMap, projected }) => [
    configMap?.name,
    ...(projected?.sources ?? []).map((source) => source.configMap?.name),
  ])
  const names = [...read, ...mounted].filter((name) => name !== undefined && name !== '' && name !== OF_THE_CLUSTER)
  return [...new Set(names)].filter((name) => name !== undefined).sort()
}

/** The PersistentVolumeClaims that pods mount, by name. */
export function claimNames({ spec: { volumes } }: PodTemplate): readonly string[] {
  return volumes.flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
  )
}
