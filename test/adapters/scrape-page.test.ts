import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { groupKey } from '../../src/ports/source.ts'
import { readPage } from '../../src/sources/scrape/page.ts'
import { scrapeSettings } from '../../src/sources/scrape/settings.ts'
import { openScrape } from '../../src/sources/scrape/source.ts'
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

const longWhile = () => AbortSignal.timeout(120_000)

describe('a page over HTTP', () => {
  test.each<[string, Answer, string, string]>([
    ['500', answering(500, 'up 1'), 'unreachable', 'status 500'],
    ['503', answering(503, ''), 'unreachable', 'status 503'],
    ['401', answering(401, ''), 'refused', 'status 401'],
    ['404', answering(404, 'not here'), 'refused', 'status 404'],
    ['204', answering(204, ''), 'refused', 'status 204'],
    ['a redirect, which is not followed', answering(302, '', { location: '/elsewhere' }), 'refused', 'status 302'],
    ['a page of HTML', answering(200, '<!doctype html>'), 'bad-answer', 'line 1 is not a sample'],
    [
      'half a page of OpenMetrics',
      answering(200, 'up_total 1\n', { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' }),
      'bad-answer',
      'the page ends without # EOF',
    ],
    ['more bytes than it may', answeringBytes(5000), 'bad-answer', 'the answer is larger than 4096 bytes'],
    ['half an answer', halfAnAnswer, 'unreachable', 'the connection ended before the whole answer (UND_ERR_SOCKET)'],
    ['silence', silent, 'timeout', 'no answer within 0.3 s'],
    ['a body that never ends', dripping, 'timeout', 'no answer within 0.3 s'],
  ])('%s is missing, with the page that it was', async (_, answer, why, detail) => {
    const { url } = await startWebServer(answer)
    const timeoutSeconds = why === 'timeout' ? 0.3 : 20
    expect(await read(`${url}/metrics?token=hush`, longWhile(), { timeoutSeconds })).toEqual({
      kind: 'missing',
      why,
      detail: `${url}/metrics: ${detail}`,
    })
  })

  test('nobody there is missing', async () => {
    const { url, stop } = await startWebServer(silent)
    await stop()
    expect(await read(`${url}/metrics`)).toMatchObject({
      why: 'unreachable',
      detail: `${url}/metrics: no connection (ECONNREFUSED)`,
    })
  })

  test('the deadline of the sweep counts, and is told apart from the page’s own', async () => {
    const deadline = new AbortController()
    const { url } = await startWebServer(() => deadline.abort())
    expect(await read(`${url}/metrics`, deadline.signal)).toMatchObject({
      why: 'timeout',
      detail: `${url}/metrics: the deadline of the sweep came first`,
    })
  })

  test('the whole URL is asked for, and the formats that Headgate reads', async () => {
    const server = await startWebServer(answering(200, 'up 1\n'))
    await read(`${server.url}/metrics?module=a%20b`)
    expect(server.requests).toMatchObject([{ method: 'GET', url: '/metrics?module=a%20b' }])
    expect(server.requests[0]?.headers.accept).toMatch(/^text\/plain;version=0\.0\.4, application\/openmetrics-text/)
  })

  test.each([
    ['text/plain; version=0.0.4; charset=utf-8', 'up 1\n'],
    ['text/plain', 'up 1\n'],
    ['application/openmetrics-text; version=1.0.0', 'up 1\n# EOF\n'],
    ['', 'up 1\n'],
  ])('of the type "%s" is read', async (type, page) => {
    const { url } = await startWebServer(answering(200, page, type === '' ? {} : { 'content-type': type }))
    expect(await read(`${url}/metrics`)).toEqual([{ name: 'up', labels: {}, value: 1 }])
  })

  test('a page of 200,000 series is read, a few of them wanted', async () => {
    const other = Array.from({ length: 200_000 }, (_, index) => `other_total{path="/p/${index}"} ${index}\n`)
    const page = `${other.join('')}up{a="b"} 1\n`
    const { url } = await startWebServer(answering(200, page))
    expect(await read(`${url}/metrics`, longWhile(), { maxBytes: page.length })).toEqual([
      { name: 'up', labels: { a: 'b' }, value: 1 },
    ])
  })
})

describe('the source scrape', () => {
  const sli = sliSpec({ kind: 'selector', total: 'hits_total', bad: 'hits_total{code="500"}' })

  test('reads each page once a sweep, whatever the number of SLIs and workloads', async () => {
    const page = Array.from({ length: 50 }, (_, index) => `hits_total{service="s${index}"} 1\n`).join('')
    const server = await startWebServer(answering(200, page))
    const source = scrape([{ url: `${server.url}/old` }, { url: `${server.url}/new` }])
    const other = sliSpec({ kind: 'selector', total: 'hits_total', bad: 'fails_total' })
    await source.poll([sli, other, structuredClone(sli)], { sinceMs: 0, atMs: 1000 }, longWhile())
    expect(server.requests.map(({ url }) => url).sort()).toEqual(['/new', '/old'])
  })

  test('one page that fails does not blind the other cluster, and the reason stands where it is missing', async () => {
    const server = await startWebServer((response, { url }) =>
      url === '/old' ? void response.writeHead(200).end('hits_total 5\n') : void response.writeHead(500).end(),
    )
    const source = scrape([
      { url: `${server.url}/old`, labels: { cluster: 'prod-a', service: 'shop' } },
      { url: `${server.url}/new`, labels: { cluster: 'prod-b', service: 'shop' } },
    ])
    await source.poll([sli], { sinceMs: 0, atMs: 1000 }, longWhile())
    const vector = (await source.poll([sli], { sinceMs: 1000, atMs: 2000 }, longWhile())).get(sli)
    if (vector === undefined || isMissing(vector)) throw new Error('no vector')
    expect(vector.groups.get(groupKey('prod-a', 'shop'))).toEqual({ kind: 'counts', total: 0, bad: 0, latencies: null })
    expect(vector.groups.get(groupKey('prod-b', 'shop'))).toEqual({
      kind: 'missing',
      why: 'unreachable',
      detail: `${server.url}/new: status 500`,
    })
  })

  test('closing ends what is under way', async () => {
    const server = await startWebServer(silent)
    const source = scrape([{ url: `${server.url}/metrics` }])
    const polled = source.poll([sli], { sinceMs: 0, atMs: 1000 }, longWhile())
    await until('the requests are there', () => server.requests.length === 1)
    await source.close()
    expect((await polled).get(sli)).toMatchObject({ kind: 'missing', why: 'unreachable' })
    await until('no connection is open', () => server.openConnections() === 0)
  })
})

function scrape(targets: readonly { url: string; labels?: Record<string, string> }[]) {
  const source = openScrape(scrapeSettings.parse({ targets }))
  onTestFinished(() => source.close())
  return source
}

async function read(url: string, signal = longWhile(), { maxBytes = 4096, timeoutSeconds = 20 } = {}) {
  const agent = new Agent({ maxResponseSize: maxBytes })
  onTestFinished(() => agent.destroy())
  const isWanted = (name: string) => name !== 'other_total'
  return readPage({ url, settings: { timeoutSeconds, maxBytes }, agent, signal, isWanted })
}
