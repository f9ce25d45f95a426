import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, Histogram, Registry } from 'prom-client'

/** One service in one cluster: it answers requests, and tells its metrics at `/metrics`. */
export interface ClusterService {
  readonly port: number
  /** Answered so far. */
  readonly requests: number
  /** Answered 500 so far. */
  readonly failures: number
  /** When the first 500 was sent, milliseconds since 1970; null: none yet. */
  readonly firstFailedAtMs: number | null
  /** From now on every request is answered 500. */
  breakDown(): void
  stop(): Promise<void>
}

/** Starts a service on a free port. The scraper adds the cluster's name to its series, as Prometheus does in life. */
export async function startClusterService(service: string, cluster: string): Promise<ClusterService> {
  const { registry, count } = createMetrics(service)
  let isBroken = false
  let requests = 0
  let failures = 0
  let firstFailedAtMs: number | null = null
  const server = createServer((request, response) => {
    request.resume()
    if (request.url === '/metrics') {
      void registry.metrics().then((text) => response.setHeader('content-type', registry.contentType).end(text))
      return
    }
    const startedMs = performance.now()
    const code = isBroken ? 500 : 200
    // The load generator reads from this header who answered.
    response.writeHead(code, { 'x-cluster': cluster }).end(`${service}\n`)
    requests += 1
    count(code, (performance.now() - startedMs) / 1000, clientOf(request))
    if (code === 200) return
    failures += 1
    firstFailedAtMs ??= Date.now()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    get requests() {
      return requests
    },
    get failures() {
      return failures
    },
    get firstFailedAtMs() {
      return firstFailedAtMs
    },
    breakDown: () => {
      isBroken = true
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Who asks, when they don't say. */
const USERS = 'users'

function clientOf({ headers }: IncomingMessage): string {
  const client = headers['x-client']
  return typeof client === 'string' ? client : USERS
}

function createMetrics(service: string) {
  const registry = new Registry()
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames: ['service', 'code', 'client'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer.',
    labelNames: ['service'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1],
    registers: [registry],
  })
  // Series that are there from the start give the first requests a baseline to count from.
  requests.inc({ service, code: '200', client: USERS }, 0)
  durations.zero({ service })
  const count = (code: number, seconds: number, client: string) => {
    requests.inc({ service, code: String(code), client })
    durations.observe({ service }, seconds)
  }
  return { registry, count }
}
