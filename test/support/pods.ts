import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The pods of the tests: whose they are. */
export const PODS = {
  a1: { cluster: 'prod-a', service: 'catalog' },
  a2: { cluster: 'prod-a', service: 'catalog' },
  b1: { cluster: 'prod-b', service: 'catalog' },
  c1: { cluster: 'prod-a', service: 'checkout' },
} as const

export type PodName = keyof typeof PODS
export const POD_NAMES: readonly PodName[] = ['a1', 'a2', 'b1', 'c1']

/** A process that counts its requests. */
export interface Pod {
  serve(requests: Requests): void
  /** Its counters begin at zero again. */
  restart(): void
  /** It still counts, but nobody can read it. */
  vanish(): void
  comeBack(): void
  /** Its histogram has these boundaries from now on, as they are printed; 0.5 and 1.0 at first. */
  useBounds(bounds: readonly string[]): void
}

export const FIRST_BOUNDS: readonly string[] = ['0.5', '1.0']

export interface Requests {
  readonly good?: number
  readonly bad?: number
  /** How many of them took longer than 0.5 s, but at most 1 s. */
  readonly slow?: number
  /** How many of them took longer than any boundary. Their histogram is one of its own, which is not there before. */
  readonly stuck?: number
}

export interface PodPages {
  readonly pods: Readonly<Record<PodName, Pod & { readonly isAway: boolean }>>
  /** The page of a pod's metrics; while it is away it answers 503. */
  url(name: PodName): string
  /** How often each page was asked for. */
  readonly reads: Readonly<Record<PodName, number>>
  /** How long a page takes, milliseconds. */
  delayMs: number
  /** Other processes from now on: all at zero, all there, their series with this value of the label `run`. */
  begin(run: string): void
  close(): Promise<void>
}

/** Serves the metrics of all pods, each at its own path, as a Go client prints them. */
export async function servePods(): Promise<PodPages> {
  const counters = { a1: new Counters(), a2: new Counters(), b1: new Counters(), c1: new Counters() }
  let label = 'run="first"'
  const reads: Record<PodName, number> = { a1: 0, a2: 0, b1: 0, c1: 0 }
  const server = createServer((request, response) => {
    const name = POD_NAMES.find((pod) => request.url === `/${pod}/metrics`)
    if (name === undefined) return void response.writeHead(404).end()
    reads[name] += 1
    setTimeout(() => {
      const pod = counters[name]
      if (pod.isAway) response.writeHead(503).end()
      else response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(pod.page(label))
    }, pages.delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const pages: PodPages = {
    pods: counters,
    url: (name) => `http://127.0.0.1:${port}/${name}/metrics`,
    reads,
    delayMs: 0,
    begin(run) {
      label = `run="${run}"`
      for (const pod of Object.values(counters)) {
        pod.restart()
        pod.comeBack()
        pod.useBounds(FIRST_BOUNDS)
      }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return pages
}

class Counters implements Pod {
  isAway = false
  good = 0
  bad = 0
  slow = 0
  stuck = 0
  bounds = FIRST_BOUNDS

  serve({ good = 0, bad = 0, slow = 0, stuck = 0 }: Requests): void {
    this.good += good
    this.bad += bad
    this.slow += slow
    this.stuck += stuck
  }
  restart(): void {
    this.good = 0
    this.bad = 0
    this.slow = 0
    this.stuck = 0
  }
  useBounds(bounds: readonly string[]): void {
    this.bounds = bounds
  }
  vanish(): void {
    this.isAway = true
  }
  comeBack(): void {
    this.isAway = false
  }

  /** The series of errors is not there before the first error, as with real clients. */
  page(run: string): string {
    const count = this.good + this.bad
    return [
      '# TYPE http_requests_total counter',
      `http_requests_total{code="200",${run}} ${this.good}`,
      ...(this.bad > 0 ? [`http_requests_total{code="500",${run}} ${this.bad}`] : []),
      '# TYPE http_request_duration_seconds histogram',
      ...this.histogram(`outcome="answered",${run}`, count - this.stuck, this.slow),
      ...(this.stuck > 0 ? this.histogram(`outcome="stuck",${run}`, this.stuck, this.stuck) : []),
      '# TYPE odd gauge',
      `odd{${run}} NaN`,
      '',
    ].join('\n')
  }
  private histogram(labels: string, count: number, slow: number): string[] {
    const slowerThan = (bound: string) => (labels.includes('stuck') ? count : Number(bound) < 1 ? slow : 0)
    return [
      ...this.bounds.map(
        (le) => `http_request_duration_seconds_bucket{le="${le}",${labels}} ${count - slowerThan(le)}`,
      ),
      `http_request_duration_seconds_bucket{le="+Inf",${labels}} ${count}`,
      `http_request_duration_seconds_sum{${labels}} ${count / 10}`,
      `http_request_duration_seconds_count{${labels}} ${count}`,
    ]
  }
}
