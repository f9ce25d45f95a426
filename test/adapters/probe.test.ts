import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/sources/probe/address.ts'
import { explainFailure } from '../../src/sources/probe/explain.ts'
import { probeOnce, probeSpec, testProber } from '../support/probes.ts'
import { until } from '../support/until.ts'
import {
  type Answer,
  answering,
  answeringBytes,
  dripping,
  endless,
  halfAnAnswer,
  silent,
  startWebServer,
} from '../support/web-server.ts'

const PASSED = { kind: 'passed', seconds: 0 }
const ok = answering(200, 'ok')
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

describe('where a probe goes', () => {
  test('to the address, with the Host, path and query of the URL', async () => {
    const server = await startWebServer(ok)
    expect(await probeOnce('http://shop.test/a/b?c=d%20e#f', `127.0.0.1:${server.port}`)).toEqual(PASSED)
    expect(server.requests).toMatchObject([{ method: 'GET', url: '/a/b?c=d%20e', headers: { host: 'shop.test' } }])
  })

  test('to the URL’s port, where the address has none', async () => {
    const server = await startWebServer(ok)
    expect(await probeOnce(`http://shop.test:${server.port}/`, '127.0.0.1')).toEqual(PASSED)
    expect(server.requests[0]?.headers.host).toBe(`shop.test:${server.port}`)
  })

  test('to the address’s port, where both have one, and the Host keeps the URL’s', async () => {
    const server = await startWebServer(ok)
    expect(await probeOnce('http://shop.test:1/', `127.0.0.1:${server.port}`)).toEqual(PASSED)
    expect(server.requests[0]?.headers.host).toBe('shop.test:1')
  })

  test('to an address that is a name', async () => {
    const server = await startWebServer(ok)
    expect(await probeOnce('http://shop.test/', `localhost:${server.port}`)).toEqual(PASSED)
    expect(server.requests[0]?.headers.host).toBe('shop.test')
  })

  test.runIf(hasIpv6)('to an address of IPv6, in brackets or bare', async () => {
    const server = await startWebServer(ok, { host: '::1' })
    expect(await probeOnce('http://shop.test/', `[::1]:${server.port}`)).toEqual(PASSED)
    expect(await probeOnce(`http://[::1]:${server.port}/`, '::1')).toEqual(PASSED)
    expect(server.requests.map(({ headers }) => headers.host)).toEqual(['shop.test', `[::1]:${server.port}`])
  })

  test('to each side at its own address, and nowhere where a side has none', async () => {
    const [old, fresh] = [await startWebServer(ok), await startWebServer(answering(503, ''))]
    const { prober } = testProber()
    const signal = AbortSignal.timeout(120_000)
    const address = { old: `127.0.0.1:${old.port}`, new: `127.0.0.1:${fresh.port}` }
    const spec = probeSpec({ url: 'http://shop.test/', address })
    expect(await prober.probe(spec, 'old', signal)).toEqual(PASSED)
    expect(await prober.probe(spec, 'new', signal)).toMatchObject({ kind: 'failed' })
    const oneSided = probeSpec({ url: 'http://shop.test/', address: { ...address, old: null } })
    expect(await prober.probe(oneSided, 'old', signal)).toBeNull()
    expect([old.requests.length, fresh.requests.length]).toEqual([1, 1])
  })

  test('on a connection of its own each time, which is closed afterwards', async () => {
    const server = await startWebServer(ok)
    for (let round = 0; round < 3; round++) await probeOnce('http://shop.test/', `127.0.0.1:${server.port}`)
    expect(server.madeConnections()).toBe(3)
    await until('no connection is open', () => server.openConnections() === 0)
    expect(server.requests[0]?.headers.connection).toBe('close')
  })

  test.each([
    ['shop.test', { host: 'shop.test', port: null }],
    ['shop.test:8443', { host: 'shop.test', port: 8443 }],
    ['203.0.113.9', { host: '203.0.113.9', port: null }],
    ['203.0.113.9:80', { host: '203.0.113.9', port: 80 }],
    ['2001:db8::1', { host: '2001:db8::1', port: null }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: null }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['', null],
    [':80', null],
    ['shop.test:', null],
    ['shop.test:0', null],
    ['shop.test:65536', null],
    ['shop.test:http', null],
    ['[shop.test]:80', null],
    ['[203.0.113.9]', null],
    ['http://shop.test', null],
    ['shop.test/path', null],
    ['shop test', null],
  ])('the address "%s" is read as %o', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })
})

describe('what passes', () => {
  test.each<[string, Answer, Parameters<typeof probeOnce>[2]]>([
    ['one of several statuses', answering(204, ''), { expectStatus: [200, 204] }],
    ['a redirect, where one is expected', answering(301, '', { location: '/' }), { expectStatus: [301] }],
    ['an error, where one is expected', answering(401, ''), { expectStatus: [401] }],
    ['a body that matches somewhere', answering(200, 'all is {"status": "ok"}\n'), { expectBody: '"status": ?"ok"' }],
    ['HEAD', ok, { method: 'HEAD' }],
    ['a body of ten mebibytes', answeringBytes(10 * 2 ** 20), {}],
    ['a body of ten mebibytes that matches at its start', answeringBytes(10 * 2 ** 20), { expectBody: '^x' }],
  ])('%s', async (_, answer, changes) => {
    const { port } = await startWebServer(answer)
    expect(await probeOnce('http://shop.test/', `127.0.0.1:${port}`, changes)).toEqual(PASSED)
  })

  test('a body without end, of which the first mebibyte is read', async () => {
    const server = await startWebServer(endless)
    expect(await probeOnce('http://shop.test/', `127.0.0.1:${server.port}`, { expectBody: '^x' })).toEqual(PASSED)
    await until('no connection is open', () => server.openConnections() === 0)
  })

  test('HEAD asks with HEAD', async () => {
    const server = await startWebServer(ok)
    await probeOnce('http://shop.test/', `127.0.0.1:${server.port}`, { method: 'HEAD' })
    expect(server.requests[0]?.method).toBe('HEAD')
  })
})

describe('what fails', () => {
  test.each<[string, Answer, Parameters<typeof probeOnce>[2], string]>([
    ['another status', answering(503, ''), {}, 'status 503, not 200'],
    ['none of several statuses', answering(500, ''), { expectStatus: [200, 204] }, 'status 500, not 200 or 204'],
    ['a redirect, which is not followed', answering(302, '', { location: '/ok' }), {}, 'status 302, not 200'],
    [
      'another status, with a body that never ends',
      (response) => {
        response.writeHead(500)
        response.write('x')
      },
      {},
      'status 500, not 200',
    ],
    ['a body that does not match', answering(200, 'down'), { expectBody: '^ok$' }, 'the body does not match'],
    [
      'a match beyond the first mebibyte',
      (response) => {
        response.writeHead(200).end(`${'x'.repeat(2 ** 20)}ok`)
      },
      { expectBody: 'ok' },
      'the body does not match',
    ],
    ['no answer', silent, { slowerThanSeconds: 0.2 }, 'no whole answer within 0.2 s'],
    ['a body that drips for ever', dripping, { slowerThanSeconds: 0.2 }, 'no whole answer within 0.2 s'],
    [
      'half an answer',
      halfAnAnswer,
      {},
      'the connection ended before the whole answer (UND_ERR_RES_CONTENT_LENGTH_MISMATCH)',
    ],
    [
      'a connection that ends without an answer',
      (response) => {
        response.destroy()
      },
      {},
      'the connection ended before the whole answer (UND_ERR_SOCKET)',
    ],
    [
      'a connection that is reset',
      (response) => {
        response.req.socket.resetAndDestroy()
      },
      {},
      'the connection was reset (ECONNRESET)',
    ],
    [
      'an answer that is no HTTP',
      (response) => {
        response.req.socket.end('hello\r\n\r\n')
      },
      {},
      'the answer is not HTTP (HTTPParserError)',
    ],
  ])('%s', async (_, answer, changes, why) => {
    const server = await startWebServer(answer)
    const outcome = await probeOnce('http://shop.test/?token=hush', `127.0.0.1:${server.port}`, changes)
    expect(outcome).toEqual({ kind: 'failed', seconds: 0, why })
    expect(server.requests).toHaveLength(1)
    await until('no connection is open', () => server.openConnections() === 0)
  })

  test('nobody who listens', async () => {
    const { port, stop } = await startWebServer(ok)
    await stop()
    expect(await probeOnce('http://shop.test/', `127.0.0.1:${port}`)).toEqual({
      kind: 'failed',
      seconds: 0,
      why: 'the connection is refused (ECONNREFUSED)',
    })
  })

  test('an address that is not in DNS', async () => {
    // Longer than a label may be, so the resolver refuses it without asking anybody.
    expect(await probeOnce('http://shop.test/', `${'a'.repeat(64)}.test`)).toEqual({
      kind: 'failed',
      seconds: 0,
      why: 'the address is not in DNS (ENOTFOUND)',
    })
  })

  test('a failure nobody has thought of is named by its code, never by its message', () => {
    const error = Object.assign(new Error('GET /?token=hush'), { code: 'EWHATEVER' })
    expect(explainFailure(error)).toBe('the request failed (EWHATEVER)')
    expect(explainFailure(new TypeError('hush'))).toBe('the request failed (TypeError)')
    expect(explainFailure('hush')).toBe('the request failed (unknown error)')
  })
})
