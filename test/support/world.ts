import { startLoad } from '../../examples/demo/load.ts'
import type { Sides } from '../../src/core/plan.ts'
import { type ClusterService, startClusterService } from './cluster-service.ts'
import { type RealHaproxy, startHaproxy } from './haproxy.ts'
import { type Alerting, type RealPrometheus, startPrometheus } from './prometheus.ts'

/** As Prometheus's label `cluster` names them. */
export const CLUSTERS = { old: 'blue', new: 'green' } as const

const REQUESTS_PER_SECOND = 50
/** Far more than any test needs: the load ends by itself. */
const MAX_REQUESTS = 20_000

/** Real servers with real traffic: services in two clusters, HAProxy before them, Prometheus scraping them. */
export interface World {
  readonly haproxy: RealHaproxy
  readonly prometheus: RealPrometheus
  /** By name, in both clusters. */
  service(name: string): Sides<ClusterService>
  /** Ends the traffic. */
  stopLoad(): Promise<void>
  stop(): Promise<void>
}

/** Starts it all; what was started is ended again when the rest fails. */
export async function startWorld(
  binaries: { readonly haproxy: string; readonly prometheus: string },
  names: readonly string[],
  traffic: 'from the start' | 'none' = 'from the start',
  alerting: Alerting | null = null,
): Promise<World> {
  await using starting = new AsyncDisposableStack()
  const services = new Map<string, Sides<ClusterService>>()
  for (const name of names) {
    const old = await startClusterService(name, CLUSTERS.old)
    starting.defer(old.stop)
    const fresh = await startClusterService(name, CLUSTERS.new)
    starting.defer(fresh.stop)
    services.set(name, { old, new: fresh })
  }
  const haproxy = await startHaproxy(
    binaries.haproxy,
    [...services].map(([name, { old, new: fresh }]) => ({ name, ports: { old: old.port, new: fresh.port } })),
  )
  starting.defer(haproxy.stop)
  const prometheus = await startPrometheus(
    binaries.prometheus,
    [...services.values()].flatMap(({ old, new: fresh }) => [
      { port: old.port, labels: { cluster: CLUSTERS.old } },
      { port: fresh.port, labels: { cluster: CLUSTERS.new } },
    ]),
    null,
    alerting,
  )
  starting.defer(prometheus.stop)
  const stopLoad = traffic === 'none' ? async () => {} : sendLoad(names, haproxy)
  starting.defer(stopLoad)
  const everything = starting.move()
  return {
    haproxy,
    prometheus,
    service: (name) => {
      const service = services.get(name)
      if (!service) throw new Error(`the world has no service ${name}`)
      return service
    },
    stopLoad,
    stop: () => everything.disposeAsync(),
  }
}

/** Sends requests to every service until the returned function is called. */
function sendLoad(names: readonly string[], haproxy: RealHaproxy): () => Promise<void> {
  const stopping = new AbortController()
  const load = startLoad({
    urls: new Map(names.map((name) => [name, `http://127.0.0.1:${haproxy.port(name)}/`])),
    requestsPerSecond: REQUESTS_PER_SECOND,
    slowerThanMs: 500,
    maxRequests: MAX_REQUESTS,
    signal: stopping.signal,
  })
  return () => {
    stopping.abort()
    return load.done
  }
}
