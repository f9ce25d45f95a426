import { randomBytes } from 'node:crypto'
import { KubernetesClient, type KubernetesRequest } from '../../src/shared/kubernetes/client.ts'
import { KubernetesFailure } from '../../src/shared/kubernetes/failure.ts'
import { startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { until } from './until.ts'

/** An API server, fake or real, that knows the CRD `widgets.test.headgate`. */
export interface ApiServer {
  /** How far its clock may be from this machine's. */
  readonly clockToleranceMs: number
  /** Path of a kubeconfig that leads to it. */
  readonly kubeconfig: string
  readonly client: KubernetesClient
  /** Makes a namespace with nothing in it; its name. */
  makeNamespace(): Promise<string>
  remove(): Promise<void>
}

export async function startFakeApiServer(): Promise<ApiServer> {
  const cluster = await startFakeCluster()
  cluster.server.controller = null
  const client = new KubernetesClient({ kubeconfig: cluster.kubeconfig.path, context: null })
  return {
    kubeconfig: cluster.kubeconfig.path,
    clockToleranceMs: 2000,
    client,
    // It has all namespaces.
    makeNamespace: async () => `headgate-test-${randomBytes(4).toString('hex')}`,
    async remove() {
      await client.close()
      await cluster.remove()
    },
  }
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** The CRD whose like the fake knows from the start. */
const WIDGETS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.headgate' },
  spec: {
    group: 'test.headgate',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { ...OPEN, properties: { size: { type: 'integer', maximum: 10 } } }, status: OPEN },
          },
        },
      },
    ],
  },
}

/** A real one. Namespaces and CRD are made, and removed in the end: its user must be allowed to. */
export async function useRealApiServer(kubeconfig: string): Promise<ApiServer> {
  const client = new KubernetesClient({ kubeconfig, context: null })
  const namespaces: string[] = []
  const call = (request: KubernetesRequest) => client.ask(request, AbortSignal.timeout(120_000))
  const make = async (path: string, value: unknown) => {
    const answer = await call({ method: 'POST', path, body: { type: 'application/json', value } })
    if (answer instanceof KubernetesFailure && answer.kind !== 'conflict') throw new Error(answer.detail)
  }
  await make(CRDS, WIDGETS)
  await until('the CRD is served', async () => {
    const answer = await call({ method: 'GET', path: '/apis/test.headgate/v1/namespaces/default/widgets' })
    return !(answer instanceof KubernetesFailure)
  })
  return {
    kubeconfig,
    clockToleranceMs: 60_000,
    client,
    async makeNamespace() {
      const name = `headgate-test-${randomBytes(4).toString('hex')}`
      await make('/api/v1/namespaces', { metadata: { name } })
      namespaces.push(name)
      return name
    },
    async remove() {
      for (const name of namespaces) await call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` })
      await call({ method: 'DELETE', path: `${CRDS}/${WIDGETS.metadata.name}` })
      await client.close()
    },
  }
}
