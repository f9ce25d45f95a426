import { isMap, type Json } from './json-patch.ts'
import { invalid } from './status.ts'
import type { ApiObject } from './store.ts'

/** What an object's scale subresource shows. */
export function readScale({ metadata, spec }: ApiObject): Json {
  const { name, namespace, uid, resourceVersion } = metadata
  const replicas = isMap(spec) ? (spec.replicas ?? 1) : 1
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion } as { [key: string]: Json },
    spec: { replicas },
    status: { replicas },
  }
}

/** The object with the replicas of a scale. */
export function writtenScale(object: ApiObject, scale: Json): ApiObject {
  const spec = isMap(scale) && isMap(scale.spec) ? scale.spec : {}
  const { replicas } = spec
  if (!Number.isInteger(replicas) || Number(replicas) < 0) {
    const about = { group: 'autoscaling', plural: 'scales', name: String(object.metadata.name) }
    throw invalid(about, 'spec.replicas', 'must be greater than or equal to 0')
  }
  return { ...object, spec: { ...(isMap(object.spec) ? object.spec : {}), replicas: Number(replicas) } }
}

/** What a controller says whose pods are all ready at once. */
export function allReady({ metadata, spec }: ApiObject): Json {
  const replicas = isMap(spec) ? (spec.replicas ?? 1) : 1
  const observedGeneration = metadata.generation ?? 1
  // As the server does, counts of 0 are left out.
  if (replicas === 0) return { observedGeneration }
  return { observedGeneration, replicas, readyReplicas: replicas, updatedReplicas: replicas }
}
