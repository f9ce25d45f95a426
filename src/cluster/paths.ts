import type { ObjectRef } from '../core/plan.ts'

/** The URL path of a namespace's objects of one resource, and of one of them. */
export function pathOf(apiVersion: string, namespace: string, resource: string, name?: string): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api'
  const tail = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${root}/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${resource}${tail}`
}

/** The URL path of a workload's object. */
export function objectPath({ kind, namespace, name }: ObjectRef): string {
  return pathOf('apps/v1', namespace, kind === 'Deployment' ? 'deployments' : 'statefulsets', name)
}

/** `Deployment shop/checkout`. */
export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`
}
