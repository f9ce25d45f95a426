import { onTestFinished } from 'vitest'
import type { TrafficScope, WeightChange, WeightReading, WriteResult } from '../../src/ports/traffic.ts'
import { gatewayApi } from '../../src/traffic/gateway-api/kind.ts'
import { type FakeCluster, NAMESPACE, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import type { Json } from '../fakes/kubernetes/json-patch.ts'
import type { ApiObject } from '../fakes/kubernetes/store.ts'
import { adapterContext } from './adapter-context.ts'

/** A backendRef of a Service. */
export function ref(name: string, weight?: number): Json {
  return { group: '', kind: 'Service', name, port: 8080, ...(weight !== undefined && { weight }) }
}

/** A route of one rule. */
export function oneRule(...backendRefs: readonly Json[]): { [key: string]: Json } {
  return { spec: { rules: [{ backendRefs: [...backendRefs] }] } }
}

/** A route with one rule a name, all traffic at OLD. */
export function rulesOf(...names: readonly string[]): { [key: string]: Json } {
  return {
    spec: {
      parentRefs: [{ name: 'public' }],
      rules: names.map((name) => ({
        name,
        matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }],
        backendRefs: [ref('blue', 1), ref('green', 0)],
      })),
    },
  }
}

/** The backends of one of a route's rules, to be looked at or changed. */
export function backendsOf(object: ApiObject, rule = 0): Record<string, Json>[] {
  const { rules } = object.spec as { rules: { backendRefs: Record<string, Json>[] }[] }
  return rules[rule]?.backendRefs ?? []
}

/** Opens a scope with targets of the route `checkout` of these settings, by id. */
export function openRoute(kubeconfig: string, targets: Readonly<Record<string, object>>): TrafficScope {
  const settings = { namespace: NAMESPACE, route: 'checkout', old: 'blue', new: 'green' }
  return gatewayApi.open(
    Object.entries(targets).map(([id, parts]) => ({
      id,
      settings: gatewayApi.settings.parse({ ...settings, ...parts }),
    })),
    { kubeconfig },
    adapterContext(),
  )
}

/** One target `a` of the HTTPRoute `checkout`, on a fake cluster. */
export interface RouteUser {
  readonly cluster: FakeCluster
  read(): Promise<WeightReading | undefined>
  write(weightPercent: number, urgency?: WeightChange['urgency']): Promise<WriteResult | undefined>
  inspect(): ReturnType<TrafficScope['inspect']>
  /** The backends of its first rule. */
  backends(): Record<string, Json>[]
  /** How many patches have come in, but for dry runs. */
  patches(): number
}

/** Starts a cluster with this route (null: without one), and opens the target; both end with the test. */
export async function useRoute(route: { [key: string]: Json } | null, settings: object = {}): Promise<RouteUser> {
  const cluster = await startFakeCluster()
  if (route !== null) cluster.create('httproutes', 'checkout', route)
  const scope = openRoute(cluster.kubeconfig.path, { a: settings })
  onTestFinished(async () => {
    await scope.close()
    await cluster.remove()
  })
  const signal = () => AbortSignal.timeout(120_000)
  return {
    cluster,
    read: async () => (await scope.read(['a'], signal())).get('a'),
    write: async (weightPercent, urgency = 'forward') =>
      (await scope.write([{ targetId: 'a', weightPercent, ttlSeconds: null, urgency }], signal())).get('a'),
    inspect: () => scope.inspect(['a'], signal()),
    backends: () => backendsOf(cluster.get('httproutes', 'checkout')),
    patches: () =>
      cluster.server.calls.filter(({ method, url }) => method === 'PATCH' && !url.includes('dryRun=All')).length,
  }
}
