import { type Kubeconfig, writeKubeconfig } from '../../support/kubeconfig.ts'
import type { Json } from './json-patch.ts'
import { acceptedBy } from './resources.ts'
import { FakeApiServer, typeOf } from './server.ts'
import type { ApiObject } from './store.ts'

/** The token of the kubeconfig's user. */
export const CANARY = 'canary-6b1d0'

/** A fake API server with a kubeconfig that leads to it, and a controller that accepts every route at once. */
export interface FakeCluster {
  readonly server: FakeApiServer
  readonly kubeconfig: Kubeconfig
  /** Another kubeconfig that leads there; its path. */
  writeKubeconfig(): string
  /** Puts an object there, as a person with kubectl would. */
  create(plural: string, name: string, parts: { readonly [key: string]: Json }, manager?: string): void
  get(plural: string, name: string): ApiObject
  /** Changes an object behind Headgate's back. */
  change(plural: string, name: string, change: (object: ApiObject) => void, manager?: string): void
  /** From now on the controller says this of every object, and has said it of those that are there. */
  reconcileBy(controller: (object: ApiObject) => Json): void
  remove(): Promise<void>
}

export const NAMESPACE = 'shop'

export async function startFakeCluster(user: object = { token: CANARY }): Promise<FakeCluster> {
  const server = new FakeApiServer(CANARY)
  await server.start()
  server.controller = acceptedBy('public')
  const write = () => writeKubeconfig({ edge: server.url }, user)
  const kubeconfig = write()
  const others: Kubeconfig[] = []
  const created: (readonly [plural: string, name: string])[] = []
  return {
    server,
    kubeconfig,
    writeKubeconfig() {
      const other = write()
      others.push(other)
      return other.path
    },
    create(plural, name, parts, manager = 'kubectl-create') {
      const type = typeOf(plural)
      const { metadata, ...rest } = parts
      const extra = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? metadata : {}
      server.store.create(type, NAMESPACE, { ...rest, metadata: { ...extra, name } }, { manager, isDryRun: false })
      server.reconcile(type, NAMESPACE, name)
      created.push([plural, name])
    },
    get: (plural, name) => server.store.get(typeOf(plural), NAMESPACE, name),
    change(plural, name, change, manager = 'kubectl-edit') {
      const type = typeOf(plural)
      const place = { namespace: NAMESPACE, name, subresource: '' as const }
      server.store.update(
        type,
        place,
        (object) => {
          change(object)
          return object
        },
        { manager, isDryRun: false },
      )
      server.reconcile(type, NAMESPACE, name)
    },
    reconcileBy(controller) {
      server.controller = controller
      for (const [plural, name] of created) server.reconcile(typeOf(plural), NAMESPACE, name)
    },
    async remove() {
      for (const one of [kubeconfig, ...others]) one.remove()
      await server.stop()
    },
  }
}
