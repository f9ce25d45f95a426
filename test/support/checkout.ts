import { KubernetesFailure } from '../../src/shared/kubernetes/failure.ts'
import type { ApiServer } from './api-server.ts'

const PATH = '/apis/apps/v1/namespaces/shop/deployments'
const JSON_TYPE = 'application/json'
const MERGE_PATCH = 'application/merge-patch+json'

/** Puts the Deployment `shop/checkout` of two replicas into a cluster, or another image into it, as if it were ready. */
export async function deployCheckout(server: ApiServer, image: string): Promise<void> {
  const labels = { app: 'checkout' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } }
  const spec = { replicas: 2, selector: { matchLabels: labels }, template }
  const metadata = { name: 'checkout', namespace: 'shop' }
  const value = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }
  const isThere = await ask(server, 'GET', `${PATH}/checkout`).then(
    () => true,
    () => false,
  )
  if (isThere) await ask(server, 'PATCH', `${PATH}/checkout`, MERGE_PATCH, { spec: { template } })
  else await ask(server, 'POST', PATH, JSON_TYPE, value)
  const status = { replicas: 2, readyReplicas: 2, updatedReplicas: 2, observedGeneration: 99 }
  await ask(server, 'PATCH', `${PATH}/checkout/status`, MERGE_PATCH, { status })
}

async function ask(
  server: ApiServer,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  type?: typeof JSON_TYPE | typeof MERGE_PATCH,
  value?: object,
): Promise<unknown> {
  const request = type === undefined ? { method, path } : { method, path, body: { type, value } }
  const answer = await server.client.ask(request, AbortSignal.timeout(120_000))
  if (answer instanceof KubernetesFailure) throw new Error(`${path}: ${answer.detail}`)
  return answer
}
