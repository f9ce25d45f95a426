import { type FakeEvidence, serveEvidence } from './loki.ts'

const QUERY =
  /^\{ resource\.app = "(?<app>\w+)"(?<failed> && status = error)? \} \| (?<calc>\w+)\(\) by \(resource\.k8s\.cluster\.name, resource\.service\.name\)$/

/**
 * Tempo's metrics API (grafana.com/docs/tempo/latest/api_docs): steps are closed at their end, both ends of the time are rounded to
 * whole steps unless it is one step, and one step more stands at the beginning. As protobuf in JSON does, 64-bit numbers
 * are texts, and a zero is left out.
 */
export function startFakeTempo(): Promise<FakeEvidence> {
  return serveEvidence(({ url }, events) => {
    const fields = url.searchParams
    if (url.pathname !== '/api/metrics/query_range') return { status: 404, body: '404 page not found' }
    const parsed = QUERY.exec(fields.get('q') ?? '')?.groups
    const [startMs, endMs] = [msOf(fields.get('start')), msOf(fields.get('end'))]
    const stepMs = Number(fields.get('step')?.replace(/s$/, '')) * 1000
    if (!parsed || !(stepMs > 0)) return { status: 400, body: 'invalid TraceQL query: parse error at line 1, col 1' }
    const isOne = endMs - startMs === stepMs
    const fromMs = isOne ? startMs : startMs - (startMs % stepMs) - stepMs
    const toMs = isOne ? endMs : Math.ceil(endMs / stepMs) * stepMs
    const points = []
    for (let atMs = fromMs + stepMs; parsed['app'] === 'web' && atMs <= toMs; atMs += stepMs)
      for (const one of events.count(parsed['failed'] === undefined ? 'all' : 'bad', atMs - stepMs, atMs))
        points.push({ ...one, atMs })
    const series = Map.groupBy(points, ({ cluster, service }) => `${cluster}/${service}`)
    const value = (count: number) => (parsed['calc'] === 'count_over_time' ? count : 'NaN')
    const body = {
      series: [...series.values()].map((same) => ({
        promLabels: '{}',
        labels: [
          { key: 'resource.k8s.cluster.name', value: { stringValue: same[0]?.cluster } },
          { key: 'resource.service.name', value: { stringValue: same[0]?.service } },
        ],
        samples: same.map(({ atMs, count }) => ({ timestampMs: String(atMs), value: value(count) })),
        exemplars: [],
      })),
      metrics: { inspectedBytes: '1', totalBlocks: 1 },
    }
    return { status: 200, body: JSON.stringify(body) }
  })
}

/** From nanoseconds since 1970. */
function msOf(text: string | null): number {
  return Number(BigInt(text ?? '0') / 1_000_000n)
}
