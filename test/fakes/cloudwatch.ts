import type { ServerResponse } from 'node:http'
import { type CountedEvent, sumsByPeriod } from '../support/counted.ts'
import { startWebServer, type WebRequest } from '../support/web-server.ts'

export interface FakeCloudwatch {
  readonly url: string
  readonly requests: readonly WebRequest[]
  readonly events: CountedEvent[]
  /** Series on one page. */
  pageSize: number
  /** Given with each result, where it is not null. */
  fault: { readonly StatusCode?: string; readonly Messages?: readonly object[] } | null
  instead: ((request: WebRequest, response: ServerResponse) => boolean) | null
  stop(): Promise<void>
}

interface Input {
  readonly StartTime: number
  readonly EndTime: number
  readonly NextToken?: string
  readonly MetricDataQueries: readonly {
    readonly Id: string
    readonly Expression: string
    readonly Label: string
    readonly Period: number
  }[]
}

const SEARCH = /^SEARCH\('\{([^,}]+)((?:,[^,}]+)*)\} MetricName="([^"]+)"', '(?:Sum|Average)', (\d+)\)$/

/** GetMetricData of CloudWatch's API, JSON 1.0, for expressions of one SEARCH. */
export async function startCloudwatch(): Promise<FakeCloudwatch> {
  const server = await startWebServer((response, request) => {
    if (fake.instead?.(request, response)) return
    const action = String(request.headers['x-amz-target']).split('.')[1]
    if (action !== 'GetMetricData') return refuse(response, 400, 'InvalidAction', `no ${action} here`)
    if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256'))
      return refuse(response, 403, 'MissingAuthenticationToken', 'Request is missing Authentication Token')
    getMetricData(fake, JSON.parse(request.body), response)
  })
  const fake: FakeCloudwatch = {
    url: server.url,
    requests: server.requests,
    events: [],
    pageSize: 1000,
    fault: null,
    instead: null,
    stop: server.stop,
  }
  return fake
}

function getMetricData(fake: FakeCloudwatch, input: Input, response: ServerResponse): void {
  const results: object[] = []
  for (const { Id, Expression, Label, Period } of input.MetricDataQueries) {
    const [, namespace, dimensions = '', metric, period] = SEARCH.exec(Expression) ?? []
    if (namespace === undefined || metric === undefined || Number(period) !== Period) {
      refuse(response, 400, 'ValidationError', `Error in expression '${Id}': invalid syntax`)
      return
    }
    const by = dimensions.split(',').slice(1)
    const span = { fromMs: input.StartTime * 1000, toMs: input.EndTime * 1000, periodMs: Period * 1000 }
    for (const [key, sums] of sumsByPeriod(fake.events, { metric: `${namespace}/${metric}`, tags: {}, by }, span)) {
      const values = JSON.parse(key) as string[]
      const points = [...sums].sort(([a], [b]) => a - b)
      results.push({
        Id,
        Label: Label.replaceAll(/\$\{PROP\('Dim\.([^']+)'\)\}/g, (_, name) => values[by.indexOf(name)] ?? ''),
        Timestamps: points.map(([beginMs]) => beginMs / 1000),
        Values: points.map(([, value]) => (Number.isNaN(value) ? 'NaN' : value)),
        StatusCode: 'Complete',
        ...fake.fault,
      })
    }
  }
  const begin = Number(input.NextToken ?? 0)
  const end = begin + fake.pageSize
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(
    JSON.stringify({
      MetricDataResults: results.slice(begin, end),
      Messages: [],
      ...(end < results.length && { NextToken: String(end) }),
    }),
  )
}

/** As CloudWatch refuses a call: the name that older clients know stands in a header. */
export function refuse(response: ServerResponse, status: number, name: string, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${name};Sender` })
    .end(JSON.stringify({ __type: `com.amazonaws.cloudwatch#${name}`, message }))
}
