import { describe, expect, onTestFinished, test } from 'vitest'
import { lokiKind } from '../../src/sources/loki/kind.ts'
import { lokiSettings } from '../../src/sources/loki/settings.ts'
import { askedConformance } from '../conformance/source-asked.ts'
import { missingWhy } from '../conformance/source-user.ts'
import { startFakeLoki } from '../fakes/loki.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { sliSpec } from '../support/slis.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const counting = (what: string) => `sum by (cluster, service) (${what})`

askedConformance('loki', {
  hasHistory: true,
  queries: {
    total: counting('count_over_time({job="web"}[$window])'),
    bad: counting('count_over_time({job="web"} |= "error" [$window])'),
    nothing: counting('count_over_time({job="nobody"}[$window])'),
    notANumber: counting('odd_over_time({job="web"}[$window])'),
    value: counting('count_over_time({job="web"}[$window])'),
  },
  async createPlace() {
    const loki = await startFakeLoki()
    const source = lokiKind.open(lokiSettings.parse({ url: loki.url }), adapterContext())
    const { events, asked, close } = loki
    return { source, events, requests: () => asked.length, stop: close, remove: close }
  },
})

const VALUE = sliSpec({ kind: 'askValue', value: 'rate({job="web"}[$window])', windowSeconds: 60 })
const TICK = { sinceMs: 1_700_000_000_000, atMs: 1_700_000_010_500 }

function open(url: string, more: object = {}, env: Record<string, string> = {}) {
  const source = lokiKind.open(lokiSettings.parse({ url, ...more }), adapterContext(env))
  onTestFinished(() => source.close())
  return source
}

const pollOnce = async (url: string, more: object = {}, env: Record<string, string> = {}) =>
  (await open(url, more, env).poll([VALUE], TICK, AbortSignal.timeout(120_000))).get(VALUE)

describe('loki', () => {
  test('is asked below the URL’s own path, for its tenant, at the end of the tick in nanoseconds', async () => {
    const server = await startWebServer(answering(500, ''))
    await pollOnce(`${server.url}/logs/`, { tenant: 'shop', auth: { bearer: '${env:TOKEN}' } }, { TOKEN: 's3cret' })
    const [request] = server.requests
    const url = new URL(request?.url ?? '', server.url)
    expect(url.pathname).toBe('/logs/loki/api/v1/query')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      query: 'rate({job="web"}[60s])',
      time: '1700000010500000000',
    })
    expect(request?.headers).toMatchObject({ 'x-scope-orgid': 'shop', authorization: 'Bearer s3cret' })
  })

  test('a tick of no whole seconds is its window to the millisecond', async () => {
    const server = await startWebServer(answering(500, ''))
    const sli = sliSpec({ kind: 'ask', total: 'a[$window]', bad: 'a[$window]', windowSeconds: null })
    await open(server.url).poll([sli], TICK, AbortSignal.timeout(120_000))
    expect(server.requests.map(({ url }) => new URL(url, server.url).searchParams.get('query'))).toEqual(['a[10500ms]'])
  })

  test('is asked 30 s after the fact unless the config says otherwise', () => {
    expect(open('http://loki').ingestDelaySeconds).toBe(30)
    expect(open('http://loki', { ingestDelay: '2m' }).ingestDelaySeconds).toBe(120)
  })

  test('what it says of a bad query is told, without the secret that a proxy may have put there', async () => {
    const said = 'parse error at line 1, col 3: syntax error: unexpected s3cret\n'
    const server = await startWebServer(answering(400, said))
    expect(await pollOnce(server.url, { auth: { bearer: '${env:TOKEN}' } }, { TOKEN: 's3cret' })).toEqual({
      kind: 'missing',
      why: 'refused',
      detail: 'parse error at line 1, col 3: syntax error: unexpected …',
    })
  })

  test.each([
    [400, '<html>no such query</html>', 'refused'],
    [401, 'no org id', 'refused'],
    [429, 'too many outstanding requests', 'refused'],
    [504, 'gateway timeout', 'timeout'],
    [502, 'bad gateway', 'unreachable'],
  ] as const)('status %s with %s is missing, and not repeated', async (status, body, why) => {
    const { url } = await startWebServer(answering(status, body))
    expect(await pollOnce(url)).toEqual({ kind: 'missing', why, detail: `status ${status}` })
  })

  test.each([
    ['a page of HTML', '<html>Log in</html>'],
    ['lines instead of numbers', JSON.stringify({ status: 'success', data: { resultType: 'streams', result: [] } })],
    ['nothing', ''],
  ])('%s is a bad answer', async (_, body) => {
    const { url } = await startWebServer(answering(200, body))
    expect(await pollOnce(url)).toEqual(missingWhy('bad-answer'))
  })
})

test.each([
  ['ask', 'sum by (cluster, service) (count_over_time({job="web"}[$window]))', null],
  ['ask', 'sum by (cluster, service) (count_over_time({job="web"}[5m]))', 'the query must count over $window'],
  ['askValue', 'sum by (cluster, service) (rate({job="web"}[5m]))', null],
  ['ask', '{job="web"} |= "error"', 'this selects lines, and counts none'],
  ['askValue', '{job="web"}', 'this selects lines, and counts none'],
] as const)('%s with %s: %s', (form, query, cause) => {
  const labels = { cluster: 'cluster', workload: 'service' }
  expect(lokiKind.queryFault?.(query, { form, labels })?.cause ?? null).toBe(cause)
})
