import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Events } from './events.ts'

/** A server of evidence over HTTP, on a free loopback port. */
export interface FakeEvidence {
  readonly url: string
  readonly events: Events
  /** The requests so far, oldest first. */
  readonly asked: readonly URL[]
  close(): Promise<void>
}

export interface EvidenceRequest {
  readonly method: string
  readonly url: URL
  readonly body: string
}

/** Serves answers made from events; for fakes of servers. */
export async function serveEvidence(
  answer: (request: EvidenceRequest, events: Events) => { readonly status: number; readonly body: string },
): Promise<FakeEvidence> {
  const events = new Events()
  const asked: URL[] = []
  const server = createServer(async (incoming, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const url = new URL(incoming.url ?? '', 'http://fake')
    asked.push(url)
    const { method = '' } = incoming
    const { status, body } = answer({ method, url, body: Buffer.concat(chunks).toString('utf8') }, events)
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    events,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const QUERY =
  /^sum by \(cluster, service\) \((?<calc>\w+)\(\{job="(?<job>\w+)"\} ?(?<filter>\|= "error")? ?\[(?<window>\d+)s\]\)\)$/

/** Loki's query API (grafana.com/docs/loki/latest/reference/loki-http-api), as far as queries of the tests' form go. */
export function startFakeLoki(): Promise<FakeEvidence> {
  return serveEvidence(({ method, url }, events) => {
    const fields = url.searchParams
    const parsed = QUERY.exec(fields.get('query') ?? '')?.groups
    if (method !== 'GET') return { status: 405, body: '' }
    if (!parsed) return { status: 400, body: 'parse error at line 1, col 1: syntax error: unexpected IDENTIFIER' }
    const windowMs = Number(parsed['window']) * 1000
    const at = (atMs: number) => {
      const which = parsed['filter'] === undefined ? 'all' : 'bad'
      const counted = parsed['job'] === 'web' ? events.count(which, atMs - windowMs, atMs) : []
      const text = (count: number) => (parsed['calc'] === 'count_over_time' ? String(count) : 'NaN')
      return counted.map(({ cluster, service, count }) => ({
        metric: { cluster, service },
        point: [atMs / 1000, text(count)] as const,
      }))
    }
    const success = (resultType: string, result: readonly unknown[]) => ({
      status: 200,
      body: JSON.stringify({ status: 'success', data: { resultType, result, stats: { summary: { splits: 0 } } } }),
    })
    if (url.pathname === '/loki/api/v1/query')
      return success(
        'vector',
        at(msOf(fields.get('time'))).map(({ metric, point }) => ({ metric, value: point })),
      )
    if (url.pathname !== '/loki/api/v1/query_range') return { status: 404, body: '404 page not found' }
    const [startMs, endMs] = [msOf(fields.get('start')), msOf(fields.get('end'))]
    const stepMs = Number(fields.get('step')) * 1000
    const points = []
    for (let atMs = startMs; atMs <= endMs; atMs += stepMs) points.push(...at(atMs))
    const series = Map.groupBy(points, ({ metric }) => JSON.stringify(metric))
    return success(
      'matrix',
      [...series.values()].map((same) => ({ metric: same[0]?.metric, values: same.map(({ point }) => point) })),
    )
  })
}

/** From nanoseconds since 1970. */
function msOf(text: string | null): number {
  return Number(BigInt(text ?? '0') / 1_000_000n)
}
