/**
 * The metric source of `bench:fleet`, a process of its own: `node fleet-prometheus.ts WORKLOADS MIGRATIONS` serves the parts
 * of Prometheus's query API that Headgate asks, for so many workloads, each in the two clusters of its migration, from texts that
 * are made once: what it costs must not hide what Headgate costs. `GET /stats` says when queries came, `POST /forget` begins anew, and after
 * `POST /amnesia` nothing is told of the past any more, as by a Prometheus that has just started.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { clusterPattern, LATENCY_BOUNDS_SECONDS, type Migration, migrationsOf, TOTALS_PER_TICK } from './fleet-world.ts'

const [workloads, parts] = process.argv.slice(2).map(Number)
const migrations = migrationsOf(workloads ?? 0, parts ?? 1)
/** One in so many requests fails, and is slower than each boundary but the last. */
const BAD_ONE_IN = 5000

/** A query that came, and the migration that it asks about; empty: the naive loop's. */
interface Arrival {
  readonly atMs: number
  readonly migration: string
}

/** A text in pieces, between which the time of the answer belongs. */
type Pieces = readonly string[]
/** What a query of the naive loop gives: one series. */
const ONE: Pieces = ['{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[', ',"42"]}]}}']
const cache = new Map<string, Pieces>()
const arrivals: Arrival[] = []
let pastQueries = 0
let hasPast = true

const server = createServer(async (incoming, response) => {
  const url = new URL(incoming.url ?? '', 'http://fake')
  const answer = (body: string) => response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  if (url.pathname === '/stats') return answer(JSON.stringify({ arrivals, pastQueries }))
  if (url.pathname === '/forget') {
    arrivals.length = 0
    pastQueries = 0
    return answer('{}')
  }
  if (url.pathname === '/amnesia') {
    hasPast = false
    return answer('{}')
  }
  const arrivedMs = Date.now()
  const asked = new URLSearchParams(await textOf(incoming))
  const param = (name: string) => asked.get(name) ?? url.searchParams.get(name) ?? ''
  if (url.pathname === '/api/v1/query_range') {
    pastQueries += 1
    return answer(matrixOf(param))
  }
  const query = param('query')
  arrivals.push({ atMs: arrivedMs, migration: migrationAsked(query)?.name ?? '' })
  return answer(vectorOf(query).join(param('time')))
})
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)

/** The vector that a query gives; empty for what is uneven: nothing is. */
function vectorOf(query: string): Pieces {
  if (query.includes('naive=')) return ONE
  const key = `${subjectOf(query)} ${migrationAsked(query)?.name}`
  let pieces = cache.get(key)
  if (pieces === undefined) {
    const series = seriesOf(query).map(([metric, value]) => [
      `{"metric":${JSON.stringify(metric)},"value":[`,
      `,"${value}"]}`,
    ])
    // Between two pieces stands the time: the tail of one series and the head of the next are one piece.
    const tails = ['', ...series.map(([, tail]) => tail ?? '')]
    const heads = [...series.map(([head]) => head ?? ''), '']
    const joints = tails.map((tail, index) => `${tail}${index > 0 && index < series.length ? ',' : ''}${heads[index]}`)
    joints[0] = `{"status":"success","data":{"resultType":"vector","result":[${joints[0]}`
    joints[joints.length - 1] = `${joints.at(-1)}]}}`
    pieces = joints
    cache.set(key, pieces)
  }
  return pieces
}

/** The same over a range: each series has the same value at each of its points. */
function matrixOf(param: (name: string) => string): string {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number.parseFloat(param(name)))
  const moments: number[] = []
  for (let at = start ?? 0; at <= (end ?? 0) + 1e-6; at += step ?? 1) moments.push(Math.round(at * 1000) / 1000)
  const result = (hasPast ? seriesOf(param('query')) : []).map(
    ([metric, value]) =>
      `{"metric":${JSON.stringify(metric)},"values":[${moments.map((at) => `[${at},"${value}"]`).join(',')}]}`,
  )
  return `{"status":"success","data":{"resultType":"matrix","result":[${result.join(',')}]}}`
}

/** Whose series a query is about; undefined: those of none. */
function migrationAsked(query: string): Migration | undefined {
  return migrations.find((one) => query.includes(`"${clusterPattern(one)}"`))
}

/** What a query is about, by the metrics that `fleet.ts` names in its config. */
function subjectOf(query: string): 'none' | 'buckets' | 'slow' | 'bad' | 'total' {
  if (query.includes('!= 1')) return 'none'
  if (query.includes('_bucket')) return query.includes('le=~') ? 'slow' : 'buckets'
  return query.includes('code=~') ? 'bad' : 'total'
}

type Sample = readonly [metric: Readonly<Record<string, string>>, value: number]

function seriesOf(query: string): readonly Sample[] {
  const migration = migrationAsked(query)
  if (migration === undefined) return []
  const subject = subjectOf(query)
  return migration.workloads.flatMap((service) =>
    (['old', 'new'] as const).flatMap((side) =>
      samplesOf(subject, { cluster: migration.clusters[side], service }, side),
    ),
  )
}

function samplesOf(
  subject: ReturnType<typeof subjectOf>,
  metric: { readonly cluster: string; readonly service: string },
  side: 'old' | 'new',
): readonly Sample[] {
  const total = TOTALS_PER_TICK[side]
  const bad = Math.round(total / BAD_ONE_IN)
  switch (subject) {
    case 'none':
      return []
    case 'total':
      return [[metric, total]]
    case 'bad':
      return [[metric, bad]]
    case 'slow':
      return [[metric, total - bad]]
    case 'buckets':
      // Each boundary has a third of those that the one before it has beyond itself.
      return [...LATENCY_BOUNDS_SECONDS, '+Inf'].map((le, index, all) => {
        const beyond = index === all.length - 1 ? 0 : total * 3 ** -(index + 1)
        return [{ ...metric, le: `${le}` }, Math.round(total - beyond)]
      })
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
