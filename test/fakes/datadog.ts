import type { ServerResponse } from 'node:http'
import { type CountedEvent, sumsByPeriod } from '../support/counted.ts'
import { startWebServer, type WebRequest } from '../support/web-server.ts'

/** A result of a synthetic test, as Datadog tells it. */
export interface FakeResult {
  readonly atMs: number
  readonly status: 'passed' | 'failed' | 'no_data'
  readonly location?: string
  readonly runType?: 'scheduled' | 'fast' | 'ci' | 'triggered'
  readonly durationMs?: number
  readonly unhealthy?: boolean
  readonly error?: string
}

export interface FakeTest {
  readonly everySeconds: number
  readonly status?: 'live' | 'paused'
  readonly results: FakeResult[]
}

export interface FakeDatadog {
  readonly url: string
  readonly requests: readonly WebRequest[]
  readonly events: CountedEvent[]
  /** By public id. */
  readonly tests: Map<string, FakeTest>
  /** Calls left in this period, of those to a path with this in it. */
  limits: { readonly path: string; left: number; readonly resetSeconds: number } | null
  /** Answers instead of the API what this says something to. */
  instead: ((request: WebRequest, response: ServerResponse) => boolean) | null
  stop(): Promise<void>
}

/** The part of Datadog's API that Headgate uses, in the shapes of its API reference. */
export async function startDatadog(keys: { readonly api: string; readonly app: string }): Promise<FakeDatadog> {
  const server = await startWebServer((response, request) => {
    if (fake.instead?.(request, response)) return
    const { 'dd-api-key': api, 'dd-application-key': app } = request.headers
    if (api !== keys.api || app !== keys.app) return reply(response, 403, { errors: ['Forbidden'] })
    const { limits } = fake
    if (limits !== null && request.url.includes(limits.path)) {
      response.setHeader('x-ratelimit-limit', '10')
      response.setHeader('x-ratelimit-period', '3600')
      response.setHeader('x-ratelimit-reset', String(limits.resetSeconds))
      response.setHeader('x-ratelimit-remaining', String(Math.max(0, limits.left - 1)))
      if (limits.left <= 0)
        return reply(response, 429, { errors: ['Rate limit of 10 requests in 3600 seconds reached.'] })
      limits.left -= 1
    }
    const { pathname, searchParams } = new URL(request.url, 'http://datadog')
    if (request.method === 'POST' && pathname === '/api/v2/query/timeseries') return timeseries(fake, request, response)
    const [, version, id = '', what] = /^\/api\/(v1|v2)\/synthetics\/tests\/([^/]+)(\/results)?$/.exec(pathname) ?? []
    const test = fake.tests.get(id)
    if (version !== undefined && !test) return reply(response, 404, { errors: ['Synthetics test not found'] })
    if (test && version === 'v1' && what === undefined) return reply(response, 200, testBody(id, test))
    if (test && version === 'v2' && what !== undefined) return reply(response, 200, resultsBody(test, searchParams))
    reply(response, 404, { errors: ['Not found'] })
  })
  const fake: FakeDatadog = {
    url: server.url,
    requests: server.requests,
    events: [],
    tests: new Map(),
    limits: null,
    instead: null,
    stop: server.stop,
  }
  return fake
}

interface TimeseriesBody {
  readonly data: {
    readonly attributes: {
      readonly from: number
      readonly to: number
      readonly interval: number
      readonly queries: readonly { readonly name: string; readonly query: string }[]
      readonly formulas: readonly { readonly formula: string }[]
    }
  }
}

const QUERY = /^(?:sum|avg):([\w.]+)\{([^}]*)\} by \{([^}]*)\}(?:\.as_count\(\))?$/

function timeseries({ events }: FakeDatadog, request: WebRequest, response: ServerResponse): void {
  const { from, to, interval, queries, formulas } = (JSON.parse(request.body) as TimeseriesBody).data.attributes
  const rows: { group_tags: string[]; query_index: number; sums: ReadonlyMap<number, number> }[] = []
  for (const [index, { formula }] of formulas.entries()) {
    const query = queries.find(({ name }) => name === formula)?.query ?? ''
    const [, metric = '', filter = '', by = ''] = QUERY.exec(query) ?? []
    if (metric === '') {
      reply(response, 400, { errors: [`Error parsing query: ${query}`] })
      return
    }
    const tags = filter === '*' ? {} : Object.fromEntries(filter.split(',').map((one) => one.trim().split(':')))
    const names = by.split(',').map((name) => name.trim())
    const groups = sumsByPeriod(events, { metric, tags, by: names }, { fromMs: from, toMs: to, periodMs: interval })
    for (const [key, sums] of groups) {
      const values = JSON.parse(key) as string[]
      rows.push({ group_tags: names.map((name, at) => `${name}:${values[at]}`), query_index: index, sums })
    }
  }
  const times = [...new Set(rows.flatMap(({ sums }) => [...sums.keys()]))].sort((a, b) => a - b)
  const values = rows.map(({ sums }) => times.map((time) => sums.get(time) ?? null))
  const series = rows.map(({ group_tags, query_index }) => ({ group_tags, query_index, unit: null }))
  reply(response, 200, { data: { id: '0', type: 'timeseries_response', attributes: { series, times, values } } })
}

function testBody(publicId: string, { everySeconds, status = 'live' }: FakeTest): object {
  return {
    public_id: publicId,
    type: 'api',
    subtype: 'http',
    status,
    locations: ['aws:eu-central-1'],
    options: { tick_every: everySeconds },
  }
}

function resultsBody({ results }: FakeTest, asked: URLSearchParams): object {
  const [fromMs, locations] = [Number(asked.get('from_ts') ?? 0), asked.getAll('probe_dc')]
  const wanted = results
    .filter(({ atMs }) => atMs >= fromMs)
    .filter(({ location = 'aws:eu-central-1' }) => locations.length === 0 || locations.includes(location))
  return {
    data: wanted
      .toSorted((a, b) => b.atMs - a.atMs)
      .map(
        ({ atMs, status, location = 'aws:eu-central-1', runType = 'scheduled', durationMs = 120, ...rest }, index) => ({
          id: String(index),
          type: 'result_summary',
          attributes: {
            started_at: atMs - durationMs,
            finished_at: atMs,
            status,
            run_type: runType,
            test_type: 'api',
            test_sub_type: 'http',
            location: { id: location, name: location },
            execution_info: {
              duration: { has_duration: true, value: durationMs },
              unhealthy: rest.unhealthy ?? false,
              ...(rest.error !== undefined && { error_message: rest.error }),
            },
          },
        }),
      ),
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
