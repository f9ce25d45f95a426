import { describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { groupKey } from '../../src/ports/source.ts'
import { adapterContext } from '../support/adapter-context.ts'
import {
  type AnswerSeries,
  answeringVector,
  fieldsOf,
  pollOnce,
  refusing,
  testSource,
  VALUE_SLI,
} from '../support/prometheus-answers.ts'
import { sliSpec } from '../support/slis.ts'
import { until } from '../support/until.ts'
import {
  type Answer,
  answering,
  answeringBytes,
  dripping,
  halfAnAnswer,
  silent,
  startWebServer,
} from '../support/web-server.ts'

const SHOP = { cluster: 'prod-a', service: 'shop' }
const A_SHOP = groupKey('prod-a', 'shop')
const longWhile = () => AbortSignal.timeout(120_000)

describe('what is asked', () => {
  const counted = (bad: string) => sliSpec({ kind: 'selector', total: 'hits_total', bad })

  test('one query for all workloads and clusters: more of them cost nothing', async () => {
    const many = Array.from(
      { length: 300 },
      (_, index): AnswerSeries => [
        { cluster: index % 2 ? 'prod-a' : 'prod-b', service: `s${index >> 1}` },
        String(index),
      ],
    )
    const server = await startWebServer(answeringVector(many))
    const vector = await pollOnce(testSource(server.url), counted('fails_total'))
    expect(vector !== undefined && !isMissing(vector) && vector.groups.size).toBe(300)
    expect(server.requests).toHaveLength(2)
  })

  test('equal queries once a sweep: SLIs that share a total, and equal ones, and ones that differ in spaces', async () => {
    const server = await startWebServer(answeringVector([[SHOP, '5']]))
    const slis = [counted('fails_total'), counted('slow_total'), counted('fails_total'), counted('fails_total{ }')]
    const answers = await testSource(server.url).poll(slis, { sinceMs: 0, atMs: 10_000 }, longWhile())
    const queries = server.requests.map((request) => fieldsOf(request).get('query') ?? '')
    expect(answers.size).toBe(4)
    expect(new Set(queries).size).toBe(3)
    expect(queries).toHaveLength(3)
  })

  test('and again at the next sweep', async () => {
    const server = await startWebServer(answeringVector([[SHOP, '5']]))
    const source = testSource(server.url)
    await pollOnce(source)
    await pollOnce(source)
    expect(server.requests).toHaveLength(2)
  })

  test('all queries of a sweep at one time, `delay` before it', async () => {
    const server = await startWebServer(answeringVector([]))
    const slis = [counted('a_total'), counted('b_total'), VALUE_SLI]
    await testSource(server.url, { delay: '3s' }).poll(slis, { sinceMs: 90_000, atMs: 100_250 }, longWhile())
    expect(server.requests.map((request) => fieldsOf(request).get('time'))).toEqual(Array(4).fill('97.250'))
  })

  test('by POST, below the URL’s own path, with the tenant and the time that it may take', async () => {
    const server = await startWebServer(answeringVector([]))
    await pollOnce(testSource(`${server.url}/select/0/prometheus/`, { tenant: 'shop', timeout: '7s' }))
    expect(server.requests).toMatchObject([
      { method: 'POST', url: '/select/0/prometheus/api/v1/query', headers: { 'x-scope-orgid': 'shop' } },
    ])
    expect(server.requests.map((request) => fieldsOf(request).get('timeout'))).toEqual(['7s'])
  })

  test('without a tenant and without credentials, no such header', async () => {
    const server = await startWebServer(answeringVector([]))
    await pollOnce(testSource(server.url))
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/scope|authorization/)]),
    )
  })

  test('no more than eight queries at a time', async () => {
    const server = await startWebServer(silent)
    const source = testSource(server.url)
    const slis = Array.from({ length: 20 }, (_, index) => counted(`a${index}_total`))
    const polled = source.poll(slis, { sinceMs: 0, atMs: 1000 }, longWhile())
    await until('the requests are there', () => server.requests.length === 8)
    expect(server.madeConnections()).toBe(8)
    await source.close()
    expect([...(await polled).values()].every(isMissing)).toBe(true)
  })
})

describe('an answer', () => {
  test.each<[string, readonly AnswerSeries[], unknown]>([
    ['a number', [[SHOP, '0.25']], { kind: 'value', value: 0.25 }],
    ['an exponent', [[SHOP, '1.5e+09']], { kind: 'value', value: 1.5e9 }],
    [
      'a series without the labels beside it',
      [
        [SHOP, '1'],
        [{ cluster: 'prod-a' }, '2'],
      ],
      { kind: 'value', value: 1 },
    ],
    ['NaN', [[SHOP, 'NaN']], { kind: 'missing', why: 'not-a-number', detail: 'the value is NaN' }],
    ['+Inf', [[SHOP, '+Inf']], { kind: 'missing', why: 'not-a-number', detail: 'the value is Infinity' }],
    ['-Inf', [[SHOP, '-Inf']], { kind: 'missing', why: 'not-a-number', detail: 'the value is -Infinity' }],
    ['an empty value', [[SHOP, '']], { kind: 'missing', why: 'not-a-number', detail: 'the value is NaN' }],
    [
      'two series for one workload',
      [
        [{ ...SHOP, pod: 'a' }, '1'],
        [{ ...SHOP, pod: 'b' }, '2'],
      ],
      {
        kind: 'missing',
        why: 'bad-answer',
        detail: 'several series for one workload: write sum by (cluster, service)',
      },
    ],
    ['no series of this workload', [[{ ...SHOP, service: 'other' }, '1']], undefined],
    ['nothing', [], undefined],
  ])('with %s', async (_, series, measure) => {
    const { url } = await startWebServer(answeringVector(series))
    const vector = await pollOnce(testSource(url))
    if (vector === undefined || isMissing(vector)) throw new Error('no vector')
    expect(vector.groups.get(A_SHOP)).toEqual(measure)
  })

  const success = (data: unknown) => answering(200, JSON.stringify({ status: 'success', data }))
  const FOREIGN = 'not an answer of Prometheus’s API'
  test.each<[string, Answer, string, string]>([
    [
      'without one of the labels',
      answeringVector([
        [{ cluster: 'prod-a' }, '1'],
        [{ service: 'shop' }, '1'],
      ]),
      'bad-answer',
      'no series has both labels, cluster and service',
    ],
    [
      'that is a matrix',
      success({ resultType: 'matrix', result: [{ metric: SHOP, values: [[99, '1']] }] }),
      'bad-answer',
      'the query gives a matrix, not a vector',
    ],
    [
      'that is a scalar',
      success({ resultType: 'scalar', result: [99, '1'] }),
      'bad-answer',
      'the query gives a scalar, not a vector',
    ],
    [
      'that is a text',
      success({ resultType: 'string', result: [99, 'a'] }),
      'bad-answer',
      'the query gives a string, not a vector',
    ],
    ['of a form of its own', success({ resultType: 'hush-hush', result: [] }), 'bad-answer', FOREIGN],
    [
      'with numbers where texts belong',
      success({ resultType: 'vector', result: [{ metric: SHOP, value: [99, 1] }] }),
      'bad-answer',
      FOREIGN,
    ],
    [
      'with a histogram instead of a value',
      success({ resultType: 'vector', result: [{ metric: SHOP, histogram: [99, {}] }] }),
      'bad-answer',
      FOREIGN,
    ],
    ['that says error with a 200', refusing(200, 'bad_data', 'parse error'), 'bad-answer', FOREIGN],
    ['that is a page of HTML', answering(200, '<html>Log in</html>'), 'bad-answer', FOREIGN],
    ['that is empty', answering(200, ''), 'bad-answer', FOREIGN],
    ['that nests too deep', answering(200, '['.repeat(90_000)), 'bad-answer', FOREIGN],
    ['that is too large', answeringBytes(100_001), 'bad-answer', 'the answer is larger than 100000 bytes'],
    [
      'that is too large, told beforehand',
      (response) => {
        response.writeHead(200, { 'content-length': '2000000000' }).write('x'.repeat(200_000))
      },
      'bad-answer',
      'the answer is larger than 100000 bytes',
    ],
    [
      'that is half there',
      halfAnAnswer,
      'unreachable',
      'the connection ended before the whole answer (UND_ERR_SOCKET)',
    ],
    ['that never begins', silent, 'timeout', 'no answer within 1 s'],
    ['that never ends', dripping, 'timeout', 'no answer within 1 s'],
    ['that leads elsewhere', answering(302, '', { location: '/login' }), 'refused', 'status 302'],
    [
      '400 in JSON',
      refusing(400, 'bad_data', 'parse  error:\n unexpected end'),
      'refused',
      'parse error: unexpected end',
    ],
    ['422 in JSON', refusing(422, 'execution', 'too many samples'), 'refused', 'too many samples'],
    ['500 in JSON', refusing(500, 'internal', 'disk full'), 'unreachable', 'disk full'],
    ['503 in JSON, late', refusing(503, 'timeout', 'query timed out'), 'timeout', 'query timed out'],
    ['503 in JSON, cancelled', refusing(503, 'canceled', 'query was canceled'), 'timeout', 'query was canceled'],
    ['401 in HTML', answering(401, '<p>who are you</p>'), 'refused', 'status 401'],
    ['403 in plain text', answering(403, 'no'), 'refused', 'status 403'],
    ['404', answering(404, 'not found'), 'refused', 'status 404'],
    ['429', answering(429, 'slow down'), 'refused', 'status 429'],
    ['502 of a proxy', answering(502, '<h1>Bad Gateway</h1>'), 'unreachable', 'status 502'],
    ['a long refusal', refusing(400, 'bad_data', 'x'.repeat(5000)), 'refused', `${'x'.repeat(199)}…`],
  ])('%s is missing', async (_, answer, why, detail) => {
    const { url } = await startWebServer(answer)
    const timeout = why === 'timeout' ? '1s' : '20s'
    const vector = await pollOnce(testSource(url, { timeout, maxBytes: 100_000 }))
    expect(vector).toEqual({ kind: 'missing', why, detail })
  })

  test('history wants a matrix, and says so', async () => {
    const { url } = await startWebServer(answeringVector([[SHOP, '1']]))
    const span = { untilMs: 100_000, seconds: 10, tickSeconds: 5 }
    expect(await testSource(url).history(VALUE_SLI, span, longWhile())).toEqual({
      kind: 'missing',
      why: 'bad-answer',
      detail: 'the query gives a vector, not a matrix',
    })
  })

  test('that is large and breaks off is missing, though most of it was read', async () => {
    const { url } = await startWebServer((response) => {
      const all = Array.from({ length: 5000 }, (_, index) => ({
        metric: { ...SHOP, service: `s${index}` },
        value: [100, '1'],
      }))
      const text = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: all } })
      response.writeHead(200, { 'content-length': String(text.length) })
      response.write(text.slice(0, -1), () => response.destroy())
    })
    expect(await pollOnce(testSource(url))).toMatchObject({ kind: 'missing', why: 'unreachable' })
  })

  test('nobody there is missing', async () => {
    const { url, stop } = await startWebServer(silent)
    await stop()
    expect(await pollOnce(testSource(url))).toEqual({
      kind: 'missing',
      why: 'unreachable',
      detail: 'no connection (ECONNREFUSED)',
    })
  })

  test('the deadline of the sweep is told apart from the source’s own', async () => {
    const deadline = new AbortController()
    const { url } = await startWebServer(() => deadline.abort())
    expect(await pollOnce(testSource(url), VALUE_SLI, deadline.signal)).toEqual({
      kind: 'missing',
      why: 'timeout',
      detail: 'the deadline of the sweep came first',
    })
  })

  test('one query that fails leaves the others alone', async () => {
    const good = answeringVector([[SHOP, '1']])
    const server = await startWebServer((response, request) =>
      fieldsOf(request).get('query') === 'cpu' ? good(response, request) : void response.writeHead(500).end(),
    )
    const other = sliSpec({ kind: 'value', value: 'memory', windowSeconds: 60 })
    const answers = await testSource(server.url).poll([VALUE_SLI, other], { sinceMs: 0, atMs: 1000 }, longWhile())
    expect(answers.get(VALUE_SLI)).toMatchObject({ kind: 'vector' })
    expect(answers.get(other)).toMatchObject({ kind: 'missing', why: 'unreachable' })
  })
})

describe('warnings', () => {
  test('are logged once each, and the answer is used', async () => {
    const logged: object[] = []
    const context = adapterContext()
    const log = { ...context.log, warn: (fields: object) => void logged.push(fields) }
    const server = await startWebServer(answeringVector([[SHOP, '1']], ['store a is away', 'store b is away']))
    const source = testSource(server.url, {}, { ...context, log })
    await pollOnce(source)
    expect(await pollOnce(source)).toMatchObject({ kind: 'vector' })
    server.answer = answeringVector([[SHOP, '1']], ['store b is away', 'store c is away'])
    await pollOnce(source)
    const warning = (store: string) => ({ source: 'prometheus', query: 'cpu', warning: `store ${store} is away` })
    expect(logged).toEqual([warning('a'), warning('b'), warning('c')])
  })
})
