import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isMissing, type Missing } from '../core/observation.ts'
import type { ObjectRef } from '../core/plan.ts'
import type { ClusterWorkload } from '../ports/cluster.ts'
import { mapBounded } from '../shared/bounded.ts'
import type { KubernetesClient } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { ask, listAll, listOf, words } from './api.ts'
import { missingFor } from './failure.ts'
import { kindsOf, metadataSchema } from './kinds.ts'
import { nameOf, objectPath, pathOf } from './paths.ts'
import { claimNames, configNames, podTemplateSchema } from './pod-template.ts'
import type { Recent } from './recent.ts'

/** Lists and ConfigMaps of one sweep's checks are one moment. */
const KEEP_MS = 5000
const CONFIGS_AT_ONCE = 8

// The server leaves out counts that are 0, and writes 1 into `replicas` where a manifest says nothing.
const count = z.int().min(0).default(0)

const objectSchema = z.object({
  metadata: metadataSchema.extend({ generation: z.int().default(0) }),
  spec: z.object({
    replicas: z.int().min(0).default(1),
    template: podTemplateSchema,
    volumeClaimTemplates: listOf(z.object({ metadata: z.object({ name: z.string() }) })),
  }),
  status: z
    .object({ readyReplicas: count, updatedReplicas: count, observedGeneration: z.int().default(0) })
    .default({ readyReplicas: 0, updatedReplicas: 0, observedGeneration: 0 }),
})

const autoscalerSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({
    scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
    minReplicas: z.int().default(1),
    maxReplicas: z.int(),
  }),
})

const selectorSchema = z.object({ matchLabels: words(), matchExpressions: listOf(z.unknown()) })

export const budgetSchema = z.object({
  metadata: metadataSchema,
  // Without a selector it covers no pod; an empty one covers all.
  spec: z.object({ selector: selectorSchema.nullish() }),
  status: z.object({ disruptionsAllowed: count }).default({ disruptionsAllowed: 0 }),
})

const serviceSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ selector: words() }).default({ selector: {} }),
})

const backendSchema = z.object({ service: z.object({ name: z.string() }).nullish() })

const ingressSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({
    defaultBackend: backendSchema.nullish(),
    rules: listOf(z.object({ http: z.object({ paths: listOf(z.object({ backend: backendSchema })) }).nullish() })),
  }),
})

const configSchema = z.object({ data: words(), binaryData: words() })

type Budget = z.output<typeof budgetSchema>
type Labels = Readonly<Record<string, string>>

/** Reads workloads of one cluster. */
export class WorkloadReader {
  readonly #client: KubernetesClient
  readonly #recent: Recent

  constructor(client: KubernetesClient, recent: Recent) {
    this.#client = client
    this.#recent = recent
  }

  async read(ref: ObjectRef, signal: AbortSignal): Promise<ClusterWorkload | Missing | null> {
    const object = await ask(this.#client, { method: 'GET', path: objectPath(ref) }, objectSchema, signal)
    if (object instanceof KubernetesFailure)
      return object.kind === 'not-found' && !object.isUnknownResource ? null : missingFor(`get ${nameOf(ref)}`, object)
    const { metadata, spec, status } = object
    const { template } = spec
    const podLabels = template.metadata.labels
    const [configs, around] = await Promise.all([
      this.#configs(ref.namespace, configNames(template), signal),
      this.#around(ref, podLabels, signal),
    ])
    if ('kind' in configs) return configs
    if (isMissing(around)) return around
    return {
      ref,
      wantedReplicas: spec.replicas,
      readyReplicas: status.readyReplicas,
      updatedReplicas: status.updatedReplicas,
      isObserved: status.observedGeneration >= metadata.generation,
      autoscaler: around.autoscaler,
      containers: [...template.spec.initContainers, ...template.spec.containers].map(({ name, image }) => ({
        name,
        image,
      })),
      configs,
      claims: [...claimNames(template), ...spec.volumeClaimTemplates.map((claim) => claim.metadata.name)],
      podLabels,
      kinds: [...new Set([...kindsOf('apps/v1', ref.kind, metadata), ...around.kinds])].sort(),
    }
  }

  /** All objects of one resource in a namespace. */
  async list<T>(
    apiVersion: string,
    namespace: string,
    resource: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<readonly T[] | Missing> {
    const path = pathOf(apiVersion, namespace, resource)
    const listed = await this.#recent.get(path, KEEP_MS, () => listAll(this.#client, path, schema, signal))
    return listed instanceof KubernetesFailure ? missingFor(`list ${resource} in ${namespace}`, listed) : listed.items
  }

  /** What else belongs to the workload: its autoscaler, budgets and ingresses. */
  async #around(ref: ObjectRef, podLabels: Labels, signal: AbortSignal) {
    const { namespace } = ref
    // Version 1 of autoscalers is served by all clusters, and has all that is asked here.
    const [autoscalers, budgets, services, ingresses] = await Promise.all([
      this.list('autoscaling/v1', namespace, 'horizontalpodautoscalers', autoscalerSchema, signal),
      this.list('policy/v1', namespace, 'poddisruptionbudgets', budgetSchema, signal),
      this.list('v1', namespace, 'services', serviceSchema, signal),
      this.list('networking.k8s.io/v1', namespace, 'ingresses', ingressSchema, signal),
    ])
    if ('kind' in autoscalers) return autoscalers
    if ('kind' in budgets) return budgets
    if ('kind' in services) return services
    if ('kind' in ingresses) return ingresses
    const own = autoscalers.find(
      ({ spec: { scaleTargetRef: target } }) => target.kind === ref.kind && target.name === ref.name,
    )
    const serviceNames = services
      .filter(({ spec: { selector } }) => Object.keys(selector).length > 0 && isSubset(selector, podLabels))
      .map(({ metadata }) => metadata.name)
    return {
      autoscaler:
        own === undefined
          ? null
          : { name: own.metadata.name, minReplicas: own.spec.minReplicas, maxReplicas: own.spec.maxReplicas },
      kinds: [
        ...(own === undefined ? [] : kindsOf('autoscaling/v1', 'HorizontalPodAutoscaler', own.metadata)),
        ...budgets
          .filter((budget) => covers(budget, podLabels))
          .flatMap(({ metadata }) => kindsOf('policy/v1', 'PodDisruptionBudget', metadata)),
        ...ingresses
          .filter((ingress) => servicesOf(ingress).some((name) => serviceNames.includes(name)))
          .flatMap(({ metadata }) => kindsOf('networking.k8s.io/v1', 'Ingress', metadata)),
      ],
    }
  }

  async #configs(namespace: string, names: readonly string[], signal: AbortSignal) {
    const configs = await mapBounded(names, CONFIGS_AT_ONCE, async (name) => {
      const path = pathOf('v1', namespace, 'configmaps', name)
      const found = await this.#recent.get(path, KEEP_MS, () =>
        ask(this.#client, { method: 'GET', path }, configSchema, signal),
      )
      if (!(found instanceof KubernetesFailure)) return { name, digest: digestOf(found) }
      if (found.kind === 'not-found') return { name, digest: null }
      return missingFor(`get ConfigMap ${namespace}/${name}`, found)
    })
    return configs.find((one) => 'why' in one) ?? configs.flatMap((one) => ('why' in one ? [] : [one]))
  }
}

function servicesOf({ spec: { defaultBackend, rules } }: z.output<typeof ingressSchema>): readonly string[] {
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))]
  return backends.flatMap((backend) => (backend?.service ? [backend.service.name] : []))
}

/** Whether a budget may cover these pods: expressions are not weighed, so one with them may. */
function covers({ spec: { selector } }: Budget, podLabels: Labels): boolean {
  return selector ? isSubset(selector.matchLabels, podLabels) : false
}

function isSubset(labels: Labels, of: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => of[key] === value)
}

/** SHA-256 of a ConfigMap's data, hex, first 16 digits: the same for the same data in any order. */
function digestOf(config: z.output<typeof configSchema>): string {
  const sorted = [config.data, config.binaryData].map((part) =>
    Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16)
}
