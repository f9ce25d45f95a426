import { describe, expect, onTestFinished, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { groupKey } from '../../src/ports/source.ts'
import { httpJsonKind } from '../../src/sources/http-json/kind.ts'
import { httpJsonSettings } from '../../src/sources/http-json/settings.ts'
import { askedConformance } from '../conformance/source-asked.ts'
import { startFakeNerdGraph } from '../fakes/nerdgraph.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { sliSpec } from '../support/slis.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const NERDGRAPH = {
  body: '{"query": "query($nrql: Nrql!) { actor { account(id: 1) { nrql(query: $nrql) { results } } } }", "variables": {"nrql": "$query"}}',
  key: { header: 'API-Key', secret: '${env:NEW_RELIC_KEY}' },
  rows: '$.data.actor.account.nrql.results',
  cluster: '$.facet[0]',
  workload: '$.facet[1]',
  value: '$.n',
  error: '$.errors[*].message',
}
const nrql = (what: string, from = 'Transaction') =>
  `SELECT ${what} AS n FROM ${from} FACET cluster, service SINCE $fromMs UNTIL $toMs LIMIT MAX`

function open(settings: object, env: Record<string, string> = { NEW_RELIC_KEY: 'NRAK-1', DYNATRACE_TOKEN: 'dt0c01' }) {
  const source = httpJsonKind.open(httpJsonSettings.parse(settings), adapterContext(env))
  onTestFinished(() => source.close())
  return source
}

askedConformance('http-json, as New Relic answers,', {
  hasHistory: false,
  queries: {
    total: nrql('count(*)'),
    bad: nrql('count(*)', 'Transaction WHERE error IS TRUE'),
    nothing: nrql('count(*)', 'Nothing'),
    notANumber: nrql('odd(*)'),
    value: nrql('count(*)'),
  },
  async createPlace() {
    const newRelic = await startFakeNerdGraph()
    const source = open({ ...NERDGRAPH, url: `${newRelic.url}/graphql` })
    const { events, asked, close } = newRelic
    return { source, events, requests: () => asked.length, stop: close, remove: close }
  },
})

const DYNATRACE = {
  key: { header: 'Authorization', prefix: 'Api-Token ', secret: '${env:DYNATRACE_TOKEN}' },
  rows: '$.result[*].data',
  cluster: "$.dimensionMap['k8s.cluster.name']",
  workload: "$.dimensionMap['k8s.workload.name']",
  value: '$.values[0]',
}
const QUERY = 'builtin:service.requestCount.total:splitBy("k8s.cluster.name"):sum'
const VALUE = sliSpec({ kind: 'askValue', value: QUERY, windowSeconds: 60 })
const TICK = { sinceMs: 90_000, atMs: 100_000 }
const A_CATALOG = groupKey('prod-a', 'catalog')
const row = (value: unknown, cluster: unknown = 'prod-a', workload: unknown = 'catalog') => ({
  dimensions: [],
  dimensionMap: { 'k8s.cluster.name': cluster, 'k8s.workload.name': workload },
  timestamps: [100_000],
  values: [value],
})
const answerOf = (...data: unknown[]) => ({ totalCount: 1, result: [{ metricId: QUERY, data }] })

async function answerTo(answer: unknown, more: object = {}) {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer)
  const server = await startWebServer(answering(200, body))
  const url = `${server.url}/api/v2/metrics/query?metricSelector=$query&from=$fromMs&to=$toMs`
  const vector = (await open({ ...DYNATRACE, url, ...more }).poll([VALUE], TICK, AbortSignal.timeout(120_000))).get(
    VALUE,
  )
  return { server, got: vector === undefined || isMissing(vector) ? vector : [...vector.groups] }
}

describe('http-json', () => {
  test('puts query and time into the URL, and the key into its header', async () => {
    const { server } = await answerTo(answerOf())
    const [request] = server.requests
    const url = new URL(request?.url ?? '', server.url)
    expect(Object.fromEntries(url.searchParams)).toEqual({ metricSelector: QUERY, from: '40000', to: '100000' })
    expect(request).toMatchObject({ method: 'GET', headers: { authorization: 'Api-Token dt0c01' } })
  })

  test('what is put into a body cannot end the text that it stands in', async () => {
    const server = await startWebServer(answering(500, ''))
    const settings = { ...DYNATRACE, url: server.url, body: '{"q": "$query", "for": $windowSeconds, "to": "$toIso"}' }
    const sli = sliSpec({ kind: 'askValue', value: 'a "quoted" \\ $query since $fromSeconds', windowSeconds: 60 })
    await open(settings).poll([sli], TICK, AbortSignal.timeout(120_000))
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      q: 'a "quoted" \\ $query since 40',
      for: 60,
      to: '1970-01-01T00:01:40.000Z',
    })
  })

  test('a request that says nothing of the time is not sent', async () => {
    const server = await startWebServer(answering(200, '{}'))
    const answers = await open({ ...DYNATRACE, url: `${server.url}/$query` }).poll(
      [VALUE],
      TICK,
      AbortSignal.timeout(120_000),
    )
    expect(answers.get(VALUE)).toMatchObject({ kind: 'missing', why: 'refused' })
    expect(server.requests).toEqual([])
  })

  const missingWith = (why: string, detail: unknown) => ({ kind: 'missing', why, detail })
  test.each<[string, unknown, unknown]>([
    ['a number', answerOf(row(0.5)), [[A_CATALOG, { kind: 'value', value: 0.5 }]]],
    ['a number that is a text', answerOf(row('1e3')), [[A_CATALOG, { kind: 'value', value: 1000 }]]],
    ['null: no number was there', answerOf(row(null)), []],
    ['an empty text', answerOf(row('')), [[A_CATALOG, missingWith('not-a-number', 'the value is NaN')]]],
    ['a map', answerOf(row({})), [[A_CATALOG, missingWith('not-a-number', 'the value is NaN')]]],
    ['no rows', answerOf(), []],
    ['a row of nobody beside', answerOf(row(1, 'prod-a', null), row(2)), [[A_CATALOG, { kind: 'value', value: 2 }]]],
    [
      'two rows for one workload',
      answerOf(row(1), row(2)),
      [[A_CATALOG, missingWith('bad-answer', 'several rows for one workload')]],
    ],
    ['a workload that is a number', answerOf(row(1, 7, 8)), [[groupKey('7', '8'), { kind: 'value', value: 1 }]]],
    ['rows of nobody', answerOf(row(1, null)), missingWith('bad-answer', expect.stringContaining('no row has both'))],
    [
      'rows of another form',
      answerOf({ dimensionMap: row(1).dimensionMap }),
      missingWith('bad-answer', 'no row has $.values[0]'),
    ],
    ['no list', { result: [] }, missingWith('bad-answer', 'the answer has no list of rows at $.result[*].data')],
    [
      'a map for a list',
      { result: [{ data: {} }] },
      missingWith('bad-answer', expect.stringContaining('no list of rows')),
    ],
    ['HTML', '<html>Log in</html>', missingWith('bad-answer', 'the answer is no JSON')],
    [
      'what nests too deep',
      `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
      missingWith('bad-answer', expect.any(String)),
    ],
  ])('answers with %s', async (_, answer, expected) => {
    expect((await answerTo(answer)).got).toEqual(expected)
  })

  test('an answer that says it is none is missing, and never "nothing bad", whatever else is in it', async () => {
    const answer = { ...answerOf(), errors: [{ message: 'quota of dt0c01 is used up' }] }
    expect((await answerTo(answer, { error: '$.errors[*].message' })).got).toEqual(
      missingWith('refused', 'quota of … is used up'),
    )
  })
})

describe('settings', () => {
  const refusals = (more: object) =>
    httpJsonSettings
      .safeParse({ ...DYNATRACE, url: 'https://x.example/$query?t=$toMs', ...more })
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

  test.each<[string, object, string | null]>([
    ['all well', {}, null],
    ['a JSONPath with a fault', { rows: '$.result[' }, 'rows: no JSONPath'],
    ['a path of another dialect', { value: 'result.values' }, 'value: no JSONPath'],
    ['no place for the query', { url: 'https://x.example/?t=$toMs' }, ': neither `url` nor `body` has `$query`'],
    ['credentials in the URL', { url: 'https://me:x@x.example/$query' }, 'url: this URL has credentials in it'],
    ['a secret written out', { key: { header: 'API-Key', secret: 'NRAK-1' } }, 'key.secret: a secret is not written'],
    ['a header that would be two', { headers: { a: 'b\r\nc: d' } }, 'headers.a: a header has visible characters'],
  ])('%s', (_, more, expected) => {
    const found = refusals(more)
    if (expected === null) expect(found).toEqual([])
    else expect(found).toEqual([expect.stringContaining(expected)])
  })
})
