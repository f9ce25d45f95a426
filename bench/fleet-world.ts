/** What the processes of `bench:fleet` agree on. */

/** Of each migration. */
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

/** A part of a fleet, with clusters and zones of its own: a shard where there are replicas. */
export interface Migration {
  readonly name: string
  readonly clusters: { readonly old: string; readonly new: string }
  readonly workloads: readonly string[]
  readonly zones: readonly Zone[]
}

/** The fleet, in so many parts of one size, or of two that differ by one. */
export function migrationsOf(workloads: number, count: number): readonly Migration[] {
  const names = Array.from({ length: workloads }, (_, index) => `service-${index + 1}`)
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = [index, index + 1].map((part) => Math.round((part * workloads) / count))
    const number = index + 1
    return migrationOf(number, names.slice(from, to))
  })
}

function migrationOf(number: number, workloads: readonly string[]): Migration {
  const zones = Array.from({ length: Math.ceil(workloads.length / WORKLOADS_PER_ZONE) }, (_, index) => ({
    id: `ZFLEET${number}${index + 1}`,
    domain: `fleet${number}-${index + 1}.example`,
    labels: workloads.slice(index * WORKLOADS_PER_ZONE, (index + 1) * WORKLOADS_PER_ZONE),
  }))
  return { name: `fleet-${number}`, clusters: { old: `blue-${number}`, new: `green-${number}` }, workloads, zones }
}

/** What Headgate asks the cluster's label to be: the fake tells by it whose query it is. */
export function clusterPattern({ clusters }: Pick<Migration, 'clusters'>): string {
  return `${clusters.old}|${clusters.new}`
}

/** What a config says of the service. */
export interface Setting {
  readonly sweepSeconds: number
  readonly sourceUrl: string
  readonly providerUrl: string
  /** Left out: the store is a file. */
  readonly redisUrl?: string
}

/** The config: a file, or a folder's with one for each of several migrations and one for the service. */
export function configFiles(
  migrations: readonly Migration[],
  setting: Setting,
): readonly { readonly file: string; readonly text: string }[] {
  const [only, ...others] = migrations
  const of = (file: string, ...parts: readonly string[]) => ({
    file,
    text: ['apiVersion: headgate/v1\n', ...parts].join(''),
  })
  if (only && others.length === 0) return [of('headgate.yaml', serviceText(setting), migrationText(only))]
  return [
    ...migrations.map((one) => of(`${one.name}.yaml`, migrationText(one))),
    of('service.yaml', serviceText(setting)),
  ]
}

function serviceText({ sweepSeconds, sourceUrl, providerUrl, redisUrl }: Setting): string {
  return `sweep: ${sweepSeconds}s
api: { port: 0 }
sources:
  prometheus: { url: ${sourceUrl} }
providers:
  route53: { endpoint: ${providerUrl} }
${redisUrl === undefined ? '' : `redis: { url: ${redisUrl} }\n`}`
}

/** As a person would write it. The only step that matters holds for longer than any benchmark runs. */
function migrationText({ name, clusters, zones }: Migration): string {
  return `migration: ${name}
clusters: { old: ${clusters.old}, new: ${clusters.new} }
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
${zones.flatMap(({ id, domain, labels }) => labels.map((label) => workloadText(label, id, domain))).join('')}`
}

function workloadText(name: string, zone: string, domain: string): string {
  return `  - name: ${name}
    traffic:
      route53: { zone: ${zone}, record: ${name}.${domain}, old: blue, new: green, ttl: keep }
`
}
