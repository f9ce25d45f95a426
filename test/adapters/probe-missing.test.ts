import dns from 'node:dns'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { explainOwnTrouble } from '../../src/sources/probe/explain.ts'
import { probeOnce, probeSpec, testProber } from '../support/probes.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const ok = answering(200, 'ok')

describe('what says nothing about the service', () => {
  test('a deadline that came before the probe began', async () => {
    const server = await startWebServer(ok)
    const spec = probeSpec({ url: 'http://shop.test/', address: { old: null, new: `127.0.0.1:${server.port}` } })
    const outcome = await testProber().prober.probe(spec, 'new', AbortSignal.abort())
    expect(outcome).toMatchObject({
      kind: 'missing',
      why: 'timeout',
      detail: 'the deadline of the sweep came before it began',
    })
    expect(server.requests).toHaveLength(0)
  })

  test.each([
    ['cuts it off early is missing', 900, { kind: 'missing', why: 'timeout' }],
    [
      'comes after a second of silence is a failure',
      1500,
      {
        kind: 'failed',
        seconds: 1.5,
        why: 'no whole answer in the 1.5 s until the sweep’s deadline',
      },
    ],
    ['comes when the wall clock has jumped back is missing', -3_600_000, { kind: 'missing', why: 'timeout' }],
  ])('a deadline that %s', async (_, passedMs, outcome) => {
    const deadline = new AbortController()
    const { prober, clock } = testProber()
    const server = await startWebServer(() => {
      clock.set(clock.nowMs() + passedMs)
      deadline.abort()
    })
    const spec = probeSpec({ url: 'http://shop.test/', address: { old: null, new: `127.0.0.1:${server.port}` } })
    expect(await prober.probe(spec, 'new', deadline.signal)).toMatchObject(outcome)
    await until('no connection is open', () => server.openConnections() === 0)
  })

  test('closing, which ends what is under way, however long it was', async () => {
    const { prober, clock } = testProber()
    const server = await startWebServer(() => {
      clock.set(clock.nowMs() + 5000)
      prober.close()
    })
    const spec = probeSpec({ url: 'http://shop.test/', address: { old: null, new: `127.0.0.1:${server.port}` } })
    const closed = { kind: 'missing', why: 'timeout', detail: 'Headgate is stopping' }
    expect(await prober.probe(spec, 'new', AbortSignal.timeout(20_000))).toEqual(closed)
    expect(await prober.probe(spec, 'new', AbortSignal.timeout(20_000))).toEqual(closed)
    expect(server.requests).toHaveLength(1)
    await until('no connection is open', () => server.openConnections() === 0)
  })

  test.each([
    [
      'an address that is none',
      { address: { old: null, new: 'http://shop.test' } },
      /"http:\/\/shop\.test" is not a host/,
    ],
    ['a pattern that is none', { expectBody: '(' }, /regular expression/],
  ])('%s', async (_, changes, detail) => {
    expect(await probeOnce('http://shop.test/', '127.0.0.1:1', changes)).toMatchObject({
      kind: 'missing',
      why: 'refused',
      detail: expect.stringMatching(detail),
    })
  })

  test('a resolver that does not answer', async () => {
    const lookup = vi.spyOn(dns, 'lookup')
    onTestFinished(() => lookup.mockRestore())
    const silence = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })
    lookup.mockImplementation((...args: unknown[]) => {
      const callback = args.at(-1)
      if (typeof callback === 'function') queueMicrotask(() => callback(silence))
    })
    expect(await probeOnce('http://shop.test/', 'ingress.test:80')).toEqual({
      kind: 'missing',
      why: 'unreachable',
      detail: 'DNS does not answer Headgate (EAI_AGAIN)',
    })
  })

  test.each(['EAI_AGAIN', 'EMFILE', 'ENFILE', 'EADDRNOTAVAIL'])('Headgate’s own trouble %s', (code) => {
    expect(explainOwnTrouble(Object.assign(new Error('x'), { code }))).toMatch(new RegExp(`\\(${code}\\)$`))
  })

  test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'CERT_HAS_EXPIRED'])('but %s is the service’s', (code) => {
    expect(explainOwnTrouble(Object.assign(new Error('x'), { code }))).toBeNull()
  })
})
