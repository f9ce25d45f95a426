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

/** What a world has beside the usual. */
export interface WorldParts {
  /** For each service, from the start; 0: none comes but by `sendLoad`. */
  readonly requestsPerSecond?: number
  readonly alerting?: Alerting | null
}

/** Starts it all; what was started is ended again when the rest fails. */
export async function startWorld(
  binaries: { readonly haproxy: string; readonly prometheus: string },
  names: readonly string[],
  { requestsPerSecond = REQUESTS_PER_SECOND, alerting = null }: WorldParts = {},
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
  const stopLoad = requestsPerSecond === 0 ? async () => {} : sendLoad(haproxy, names, requestsPerSecond)
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

/** Sends requests to each of these services until the returned function is called, which resolves when all are answered. */
export function sendLoad(
  haproxy: RealHaproxy,
  names: readonly string[],
  requestsPerSecond: number = REQUESTS_PER_SECOND,
): () => Promise<void> {
  const stopping = new AbortController()
  const load = startLoad({
    urls: new Map(names.map((name) => [name, `http://127.0.0.1:${haproxy.port(name)}/`])),
    requestsPerSecond,
    slowerThanMs: 500,
    maxRequests: MAX_REQUESTS,
    signal: stopping.signal,
  })
  return () => {
    stopping.abort()
    return load.done
  }
}
