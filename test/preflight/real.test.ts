import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan, ProbeSpec } from '../../src/core/plan.ts'
import { createCertificateReader } from '../../src/sources/probe/certificate.ts'
import { createProber } from '../../src/sources/probe/prober.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { type Certificate, createAuthority, selfSigned } from '../support/certificates.ts'
import { type AnswerSeries, answeringVector, fieldsOf, refusing, testSource } from '../support/prometheus-answers.ts'
import { type Answer, answering, startWebServer } from '../support/web-server.ts'
import { checkedPlan } from './plan.ts'
import { checkerRig } from './rig.ts'

const trusted = createAuthority('an internal authority')
const certificates = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([...certificates, trusted.cert]))
afterAll(() => setDefaultCACertificates(certificates))

const signal = () => AbortSignal.timeout(120_000)

function probeAt(port: number, url = 'https://shop.test/healthz'): ProbeSpec {
  return {
    name: 'healthz',
    url,
    method: 'GET',
    address: { old: null, new: `127.0.0.1:${port}` },
    expectStatus: [200],
    expectBody: null,
    slowerThanSeconds: 10,
    certificateDays: null,
    allowAddresses: [],
  }
}

function planOf(checks: Plan['checks'][number]['id'][], changes: Partial<Plan> = {}): Plan {
  return checkedPlan({ checks: checks.map((id) => ({ id, then: 'hold' })), ...changes })
}

describe('certificate, by TLS handshakes with a server that DNS does not know yet', () => {
  const clock = systemClock
  async function look(certificate: Certificate, url?: string) {
    const server = await startWebServer(answering(200, 'ok'), { tls: certificate })
    const plan = planOf(['certificate'], { probes: [probeAt(server.port, url)] })
    const { checker } = checkerRig({ certificates: createCertificateReader(clock) })
    await checker.look([{ plan, phase: 'preflight' }], signal())
    const { outcome, sentence } = checker.readings(plan)['certificate'] ?? { outcome: 'none', sentence: '' }
    return { outcome, sentence: sentence.replaceAll(String(server.port), 'PORT'), requests: server.requests }
  }

  test('one for the name, by a trusted authority, passes, and no request is sent', async () => {
    expect(await look(trusted.issue({ names: ['shop.test'], endsInDays: 40.5 }))).toEqual({
      outcome: 'pass',
      sentence: 'shop.test at 127.0.0.1:PORT: trusted, for the name, for 40 more days',
      requests: [],
    })
  })

  test.each<[string, Certificate, string]>([
    [
      'for another name',
      trusted.issue({ names: ['other.test', '127.0.0.1'] }),
      'it is for another name (ERR_TLS_CERT_ALTNAME_INVALID); DNS:other.test, IP Address:127.0.0.1',
    ],
    ['that signed itself', selfSigned({ names: ['shop.test'] }), 'it signed itself (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    [
      'by an authority that nobody trusts',
      createAuthority('somebody').issue({ names: ['shop.test'] }),
      'its authority is not trusted, or an intermediate certificate is not sent (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    ],
    [
      'that has expired',
      trusted.issue({ names: ['shop.test'], startsInDays: -9, endsInDays: -1 }),
      'it has expired (CERT_HAS_EXPIRED)',
    ],
  ])('one %s fails', async (_, certificate, why) => {
    expect(await look(certificate)).toMatchObject({
      outcome: 'fail',
      sentence: `shop.test at 127.0.0.1:PORT: the certificate is not valid: ${why}`,
    })
  })

  test('one that ends soon fails', async () => {
    expect(await look(trusted.issue({ names: ['shop.test'], endsInDays: 3.5 }))).toMatchObject({
      outcome: 'fail',
      sentence: 'shop.test at 127.0.0.1:PORT: the certificate ends in 3 days, at least 14 are wanted',
    })
  })

  test('the name of the URL is asked for by SNI: a server with several has the right one', async () => {
    const { cert, key } = selfSigned({ names: ['fake.ingress'] })
    const right = trusted.issue({ names: ['shop.test'] })
    const { createSecureContext } = await import('node:tls')
    const names: string[] = []
    const server = await startWebServer(answering(200, 'ok'), {
      tls: {
        cert,
        key,
        SNICallback: (name, done) => {
          names.push(name)
          done(null, createSecureContext(right))
        },
      },
    })
    const reader = createCertificateReader(clock)
    expect(await reader.read(probeAt(server.port), 'new', signal())).toMatchObject({
      kind: 'valid',
      names: ['shop.test'],
    })
    expect(names).toEqual(['shop.test'])
  })

  test('nobody there is a failure, and a handshake without an end is missing', async () => {
    const reader = createCertificateReader(clock)
    const gone = await startWebServer(answering(200, 'ok'), { tls: trusted.issue({ names: ['shop.test'] }) })
    await gone.stop()
    expect(await reader.read(probeAt(gone.port), 'new', signal())).toEqual({
      kind: 'invalid',
      why: 'the connection is refused (ECONNREFUSED)',
    })
    const { createServer } = await import('node:net')
    const deaf = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => deaf.once('listening', resolve))
    const place = deaf.address()
    const port = typeof place === 'object' && place !== null ? place.port : 0
    expect(await reader.read(probeAt(port), 'new', AbortSignal.timeout(300))).toMatchObject({ kind: 'missing' })
    deaf.close()
  })

  test('a probe over http, or of OLD alone, has none', async () => {
    const reader = createCertificateReader(clock)
    const spec = probeAt(1)
    expect(await reader.read({ ...spec, url: 'http://shop.test/' }, 'new', signal())).toBeNull()
    expect(await reader.read(spec, 'old', signal())).toBeNull()
  })
})

test('ingress: a probe of NEW is asked, and its failure is one of the check', async () => {
  const server = await startWebServer(answering(200, 'ok'))
  const plan = planOf(['ingress'], { probes: [probeAt(server.port, 'http://shop.test/healthz')] })
  const { look, checker, clock } = checkerRig({ prober: createProber({ clock: systemClock }) })
  await look([plan], 'preflight', signal())
  expect(checker.readings(plan)['ingress']).toMatchObject({ outcome: 'pass' })
  expect(server.requests).toMatchObject([{ url: '/healthz', headers: { host: 'shop.test' } }])
  server.answer = answering(503, '')
  await clock.advance(60_000)
  await look([plan], 'preflight', signal())
  expect(checker.readings(plan)['ingress']).toMatchObject({ outcome: 'fail', sentence: 'healthz: status 503, not 200' })
})

describe('what Prometheus is asked', () => {
  const dated =
    (aheadMs: number, answer: Answer): Answer =>
    (response, request) => {
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString())
      answer(response, request)
    }

  async function look(answer: Answer, checks: Plan['checks'][number]['id'][], changes: Partial<Plan> = {}) {
    const server = await startWebServer(answer)
    const source = testSource(server.url, {}, { ...adapterContext(), clock: systemClock })
    const plan = planOf(checks, changes)
    const { checker } = checkerRig({
      sources: new Map([['prometheus', source]]),
      promql: 'prometheus',
      clustersOf: () => null,
      clock: systemClock,
    })
    await checker.look([{ plan, phase: 'preflight' }], signal())
    return {
      readings: checker.readings(plan),
      queries: server.requests.map((request) => fieldsOf(request).get('query')),
    }
  }

  test.each([
    [0, 'pass'],
    [3_000, 'pass'],
    [60_000, 'fail'],
    [-60_000, 'fail'],
  ])('clock: a Prometheus that is %d ms ahead: %s', async (aheadMs, outcome) => {
    const { readings } = await look(dated(aheadMs, answeringVector([])), ['clock'])
    expect(readings['clock']).toMatchObject({ outcome })
  })

  test('clock: a Prometheus that cannot be asked is missing', async () => {
    const { readings } = await look((response) => response.destroy(), ['clock'])
    expect(readings['clock']).toMatchObject({ outcome: 'missing' })
  })

  const api = (name: string): AnswerSeries => [{ cluster: 'green', headgate_api: name }, '1']
  test.each<[string, AnswerSeries[], string]>([
    ['nobody asks', [api('present')], 'pass'],
    ['somebody asks', [api('present'), api('batch|v1beta1|cronjobs|1.25')], 'fail'],
    ['no API server is measured', [], 'missing'],
  ])('deprecated: %s', async (_, series, outcome) => {
    const { readings, queries } = await look(answeringVector(series), ['deprecated'])
    expect(readings['deprecated']).toMatchObject({ outcome })
    expect(queries).toEqual([expect.stringContaining('apiserver_requested_deprecated_apis{cluster="green"}')])
  })

  test.each<[string, Answer, string]>([
    ['close behind', answeringVector([[{ headgate_lag: 'lag', headgate_of: 'all' }, '2']]), 'pass'],
    ['too far behind', answeringVector([[{ headgate_lag: 'lag', headgate_of: 'all' }, '7']]), 'fail'],
    ['without series', answeringVector([]), 'missing'],
    ['refused', refusing(400, 'bad_data', 'parse error'), 'missing'],
  ])('replication: %s', async (_, answer, outcome) => {
    const { checkRules } = checkedPlan({}, { replication: { query: 'pg_lag_seconds # of all', max: 5 } })
    const { readings, queries } = await look(answer, ['replication'], { checkRules })
    expect(readings['replication']).toMatchObject({ outcome })
    expect(queries).toEqual([expect.stringContaining('max(pg_lag_seconds # of all\n)')])
  })
})
