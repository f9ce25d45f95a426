/** What the processes of `bench:fleet` agree on. */

export const CLUSTERS = { old: 'blue', new: 'green' } as const

/** In `configOf`. */
export const SLIS = 3

/** Requests in a sweep, of one workload: a quarter of them comes to NEW, as the weight says. */
export const TOTALS_PER_TICK = { old: 3000, new: 1000 } as const

/** As the default buckets of the clients of Prometheus. */
export const LATENCY_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Each has two records; a zone may have 10,000. */
const WORKLOADS_PER_ZONE = 2500

export interface Zone {
  readonly id: string
  readonly domain: string
  readonly labels: readonly string[]
}

export function namesOf(workloads: number): readonly string[] {
  return Array.from({ length: workloads }, (_, index) => `service-${index + 1}`)
}

export function zonesOf(workloads: number): readonly Zone[] {
  const names = namesOf(workloads)
  return Array.from({ length: Math.ceil(workloads / WORKLOADS_PER_ZONE) }, (_, index) => ({
    id: `ZFLEET${index + 1}`,
    domain: `fleet${index + 1}.example`,
    labels: names.slice(index * WORKLOADS_PER_ZONE, (index + 1) * WORKLOADS_PER_ZONE),
  }))
}

/** What a config says beside its workloads. */
export interface Setting {
  readonly sweepSeconds: number
  readonly sourceUrl: string
  readonly providerUrl: string
}

/** The migration, as a person would write it. The only step that matters holds for longer than any benchmark runs. */
export function configText(zones: readonly Zone[], { sweepSeconds, sourceUrl, providerUrl }: Setting): string {
  return `apiVersion: headgate/v1
migration: fleet
clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }
sweep: ${sweepSeconds}s
api: { port: 0 }
sources:
  prometheus: { url: ${sourceUrl} }
providers:
  route53: { endpoint: ${providerUrl} }
slis:
  availability:
    objective: 99.9%
    total: http_requests_total
    bad: http_requests_total{code=~"5.."}
  writes:
    objective: 99.9%
    total: http_requests_total{method="POST"}
    bad: http_requests_total{method="POST",code=~"5.."}
  latency:
    objective: 99%
    histogram: http_request_duration_seconds
    slowerThan: 500ms
policies:
  fleet:
    steps:
      - { weight: 25%, hold: 24h }
      - { weight: 100%, hold: 24h }
policy: fleet
workloads:
${zones.flatMap(({ id, domain, labels }) => labels.map((name) => workloadText(name, id, domain))).join('')}`
}

function workloadText(name: string, zone: string, domain: string): string {
  return `  - name: ${name}
    traffic:
      route53: { zone: ${zone}, record: ${name}.${domain}, old: blue, new: green, ttl: keep }
`
}
