import dns from 'node:dns'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createCertificateReader } from '../../src/sources/probe/certificate.ts'
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
    expect(await prober.probe(spec, 'new', AbortSignal.timeout(120_000))).toEqual(closed)
    expect(await prober.probe(spec, 'new', AbortSignal.timeout(120_000))).toEqual(closed)
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

describe('an address that nobody is asked at', () => {
  const guarded = (address: string, allowAddresses: readonly string[] = []) =>
    probeSpec({ url: 'http://shop.test/', address: { old: null, new: address }, allowAddresses, slowerThanSeconds: 1 })

  test.each([
    '169.254.169.254',
    '169.254.169.254:80',
    '[fe80::1]:80',
    '168.63.129.16',
    '[fd00:ec2::254]',
    '[::ffff:169.254.169.254]',
  ])('%s says nothing about the service, and why', async (address) => {
    const outcome = await testProber().prober.probe(guarded(address), 'new', AbortSignal.timeout(120_000))
    expect(outcome).toMatchObject({ kind: 'missing', why: 'unreachable' })
    expect(JSON.stringify(outcome)).toContain('unless `allowAddresses` has it')
  })

  test('a certificate is not read there either', async () => {
    const spec = { ...guarded('169.254.169.254:443'), url: 'https://shop.test/' }
    const read = await createCertificateReader(createFakeClock(0)).read(spec, 'new', AbortSignal.timeout(120_000))
    expect(read).toMatchObject({ kind: 'missing', why: 'unreachable' })
  })

  test('one that the probe allows is asked', async () => {
    const spec = guarded('169.254.99.99:1', ['169.254.99.0/24'])
    const outcome = await testProber().prober.probe(spec, 'new', AbortSignal.timeout(120_000))
    expect(JSON.stringify(outcome)).not.toContain('allowAddresses')
  })
})
