import { describe, expect, onTestFinished, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { groupKey } from '../../src/ports/source.ts'
import { tempoKind } from '../../src/sources/tempo/kind.ts'
import { tempoSettings } from '../../src/sources/tempo/settings.ts'
import { askedConformance } from '../conformance/source-asked.ts'
import { startFakeTempo } from '../fakes/tempo.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { sliSpec } from '../support/slis.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const BY = 'by (resource.k8s.cluster.name, resource.service.name)'
const LABELS = { cluster: 'resource.k8s.cluster.name', workload: 'resource.service.name' }
const TOTAL = `{ resource.app = "web" } | count_over_time() ${BY}`
const BAD = `{ resource.app = "web" && status = error } | count_over_time() ${BY}`

askedConformance('tempo', {
  hasHistory: true,
  labels: LABELS,
  queries: {
    total: TOTAL,
    bad: BAD,
    nothing: `{ resource.app = "nobody" } | count_over_time() ${BY}`,
    notANumber: `{ resource.app = "web" } | odd_over_time() ${BY}`,
    value: TOTAL,
  },
  async createPlace() {
    const tempo = await startFakeTempo()
    const source = open(tempo.url)
    const { events, asked, close } = tempo
    return { source, events, requests: () => asked.length, stop: close, remove: close }
  },
})

const counted = (windowSeconds: number | null) => ({
  ...sliSpec({ kind: 'ask', total: TOTAL, bad: BAD, windowSeconds }),
  labels: LABELS,
})
const COUNTED = counted(null)
const VALUE = { ...sliSpec({ kind: 'askValue', value: 'q | rate()', windowSeconds: 60 }), labels: LABELS }
const A_CATALOG = groupKey('prod-a', 'catalog')
const longWhile = () => AbortSignal.timeout(120_000)

function open(url: string, more: object = {}) {
  const source = tempoKind.open(tempoSettings.parse({ url, ...more }), adapterContext())
  onTestFinished(() => source.close())
  return source
}

async function answerTo(answer: unknown) {
  const { url } = await startWebServer(answering(200, typeof answer === 'string' ? answer : JSON.stringify(answer)))
  const vector = (await open(url).poll([VALUE], { sinceMs: 90_000, atMs: 100_000 }, longWhile())).get(VALUE)
  return vector === undefined || isMissing(vector) ? vector : [...vector.groups]
}

const WHOSE = [
  { key: LABELS.cluster, value: { stringValue: 'prod-a' } },
  { key: LABELS.workload, value: { stringValue: 'catalog' } },
]

describe('tempo', () => {
  test('is asked about one step as long as the window, which no end is rounded for', async () => {
    const server = await startWebServer(answering(200, '{}'))
    await open(`${server.url}/tempo`, { tenant: 'shop' }).poll([VALUE], { sinceMs: 90_000, atMs: 101_500 }, longWhile())
    const [request] = server.requests
    const url = new URL(request?.url ?? '', server.url)
    expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual([
      '/tempo/api/metrics/query_range',
      { q: 'q | rate()', start: '41500000000', end: '101500000000', step: '60s' },
    ])
    expect(request?.headers).toMatchObject({ 'x-scope-orgid': 'shop' })
  })

  test.each<[string, unknown, unknown]>([
    ['no series', {}, []],
    [
      'a number',
      { series: [{ labels: WHOSE, samples: [{ timestampMs: '100000', value: 0.25 }] }] },
      [[A_CATALOG, { kind: 'value', value: 0.25 }]],
    ],
    [
      'a zero, which is left out',
      { series: [{ labels: WHOSE, samples: [{ timestampMs: '100000' }] }] },
      [[A_CATALOG, { kind: 'value', value: 0 }]],
    ],
    ['no sample', { series: [{ labels: WHOSE, samples: [] }] }, []],
    ['a sample of another time', { series: [{ labels: WHOSE, samples: [{ timestampMs: '300000', value: 5 }] }] }, []],
    [
      'infinity',
      { series: [{ labels: WHOSE, samples: [{ timestampMs: '100000', value: 'Infinity' }] }] },
      [[A_CATALOG, { kind: 'missing', why: 'not-a-number', detail: 'the value is Infinity' }]],
    ],
    [
      'two series for one workload',
      {
        series: ['a', 'b'].map((pod) => ({
          labels: [...WHOSE, { key: 'resource.pod', value: { stringValue: pod } }],
          samples: [{ timestampMs: '100000', value: 1 }],
        })),
      },
      [[A_CATALOG, { kind: 'missing', why: 'bad-answer', detail: expect.stringContaining('several series') }]],
    ],
    [
      'spans without one of the attributes',
      { series: [{ labels: WHOSE.slice(1), samples: [{ timestampMs: '100000', value: 1 }] }] },
      {
        kind: 'missing',
        why: 'bad-answer',
        detail: `no series has both attributes, ${Object.values(LABELS).join(' and ')}`,
      },
    ],
    [
      'a part of the answer',
      { series: [], status: 'PARTIAL', message: 'max series reached' },
      { kind: 'missing', why: 'bad-answer', detail: 'only a part of the answer: max series reached' },
    ],
    [
      'a page of HTML',
      '<html>Log in</html>',
      { kind: 'missing', why: 'bad-answer', detail: 'not an answer of Tempo’s metrics API' },
    ],
  ])('answers with %s', async (_, answer, expected) => {
    expect(await answerTo(answer)).toEqual(expected)
  })

  test('a past longer than it takes in one query is asked in parts, and nothing in it counts twice', async () => {
    const tempo = await startFakeTempo()
    onTestFinished(() => tempo.close())
    const { events } = tempo
    for (let index = 0; index < 12; index++) {
      events.pods.a1.serve({ good: 2, bad: 1 })
      events.tick()
    }
    const span = { untilMs: events.nowMs, seconds: 120, tickSeconds: 10 }
    const past = await open(tempo.url, { longestQuery: '60s' }).history(COUNTED, span, longWhile())
    if (isMissing(past)) throw new Error(past.detail)
    expect(past.map((vector) => !isMissing(vector) && vector.groups.get(A_CATALOG))).toEqual(
      Array(12).fill({ kind: 'counts', total: 3, bad: 1, latencies: null }),
    )
    expect(tempo.asked).toHaveLength(4)
  })

  test('ticks that begin at no multiple of their length are put together from shorter steps', async () => {
    const tempo = await startFakeTempo()
    onTestFinished(() => tempo.close())
    const { events } = tempo
    events.pods.a1.serve({ good: 4 })
    events.tick()
    // The events happened four seconds into their tick.
    const span = { untilMs: events.nowMs - 4000, seconds: 20, tickSeconds: 10 }
    const past = await open(tempo.url).history(COUNTED, span, longWhile())
    if (isMissing(past)) throw new Error(past.detail)
    expect(past.map((vector) => !isMissing(vector) && vector.groups.get(A_CATALOG))).toEqual([
      undefined,
      { kind: 'counts', total: 4, bad: 0, latencies: null },
    ])
  })

  test('a window longer than a tick counts every event of the past once, spread over it', async () => {
    const tempo = await startFakeTempo()
    onTestFinished(() => tempo.close())
    const { events } = tempo
    events.pods.a1.serve({ good: 6 })
    for (let index = 0; index < 6; index++) events.tick()
    const span = { untilMs: events.nowMs, seconds: 60, tickSeconds: 10 }
    const past = await open(tempo.url).history(counted(30), span, longWhile())
    if (isMissing(past)) throw new Error(past.detail)
    const totals = past.map((vector) => {
      const measure = isMissing(vector) ? undefined : vector.groups.get(A_CATALOG)
      return measure?.kind === 'counts' ? measure.total : null
    })
    expect(totals).toEqual([2, 2, 2, null, null, null])
  })

  test('a past of weeks is no memory of Tempo’s', async () => {
    const span = { untilMs: 100_000, seconds: 30 * 86_400, tickSeconds: 3600 }
    expect(await open('http://127.0.0.1:9').history(COUNTED, span, longWhile())).toEqual([])
  })
})

test.each([
  [TOTAL, null],
  ['{ status = error } | rate()', null],
  ['{ status = error }', 'this selects spans, and counts none'],
  ['{ status = error } | select(span.path)', 'this is no query of TraceQL metrics'],
])('%s: %s', (query, cause) => {
  expect(tempoKind.queryFault?.(query, { form: 'ask', labels: LABELS })?.cause ?? null).toBe(cause)
})
