import type { ServerOptions } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Certificate, createAuthority, selfSigned } from '../support/certificates.ts'
import { probeOnce } from '../support/probes.ts'
import { answering, startWebServer, type WebServer } from '../support/web-server.ts'

const URL_OF_SHOP = 'https://shop.test/healthz?token=hush'
const trusted = createAuthority('an internal authority')
const unknown = createAuthority('somebody')
const certificates = getCACertificates('default')

beforeAll(() => setDefaultCACertificates([...certificates, trusted.cert]))
afterAll(() => setDefaultCACertificates(certificates))

function startShop({ cert, key }: Certificate, more: ServerOptions = {}): Promise<WebServer> {
  return startWebServer(answering(200, 'ok'), { tls: { cert, key, ...more } })
}

test('the URL’s name is the Host, the SNI, and the name that the certificate must carry', async () => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'] }))
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)).toMatchObject({ kind: 'passed' })
  expect(shop.requests).toMatchObject([{ sni: 'shop.test', headers: { host: 'shop.test' } }])
})

test('also where the address is a name of its own', async () => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'] }))
  expect(await probeOnce(URL_OF_SHOP, `localhost:${shop.port}`)).toMatchObject({ kind: 'passed' })
  expect(shop.requests[0]?.sni).toBe('shop.test')
})

test('a certificate for the address alone does not do', async () => {
  const shop = await startShop(trusted.issue({ names: ['localhost', '127.0.0.1'] }))
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)).toMatchObject({
    kind: 'failed',
    why: 'the certificate is not valid: it is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
  })
  expect(shop.requests).toHaveLength(0)
})

test.each([
  ['that address passes', '192.0.2.7', 'passed'],
  ['the address connected to fails', '127.0.0.1', 'failed'],
])('with an address in the URL, a certificate for %s', async (_, name, kind) => {
  const shop = await startShop(trusted.issue({ names: [name] }))
  expect(await probeOnce('https://192.0.2.7/', `127.0.0.1:${shop.port}`)).toMatchObject({ kind })
})

test.each<[string, Certificate, string]>([
  [
    'has expired',
    trusted.issue({ names: ['shop.test'], startsInDays: -9, endsInDays: -1 }),
    'it has expired (CERT_HAS_EXPIRED)',
  ],
  [
    'is not valid yet',
    trusted.issue({ names: ['shop.test'], startsInDays: 1 }),
    'it is not valid yet (CERT_NOT_YET_VALID)',
  ],
  ['signed itself', selfSigned({ names: ['shop.test'] }), 'it signed itself (DEPTH_ZERO_SELF_SIGNED_CERT)'],
  [
    'comes from an authority that nobody trusts',
    unknown.issue({ names: ['shop.test'] }),
    'its authority is not trusted, or an intermediate certificate is not sent (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
  ],
])('a certificate that %s fails, and nothing is sent', async (_, certificate, why) => {
  const shop = await startShop(certificate)
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)).toEqual({
    kind: 'failed',
    seconds: 0,
    why: `the certificate is not valid: ${why}`,
  })
  expect(shop.requests).toHaveLength(0)
})

test('an authority that sends itself along is not trusted for that', async () => {
  const { cert, key } = unknown.issue({ names: ['shop.test'] })
  const shop = await startShop({ cert: cert + unknown.cert, key })
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)).toMatchObject({
    kind: 'failed',
    why: 'the certificate is not valid: its authority is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
  })
})

test.each([
  [20, 14, { kind: 'passed' }],
  [20, null, { kind: 'passed' }],
  [3, null, { kind: 'passed' }],
  [3.5, 14, { kind: 'failed', why: 'the certificate ends in 3 days, less than 14' }],
])('a certificate with %d days left, where %s are wanted', async (endsInDays, certificateDays, outcome) => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'], endsInDays }))
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`, { certificateDays })).toMatchObject(outcome)
})

test('a wrong status is told before a certificate that ends soon', async () => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'], endsInDays: 3 }))
  shop.answer = answering(503, '')
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`, { certificateDays: 14 })).toMatchObject({
    why: 'status 503, not 200',
  })
})

test('each probe shakes hands anew, so that a replaced certificate is seen', async () => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'] }))
  await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)
  await shop.stop()
  const replaced = await startShop(trusted.issue({ names: ['shop.test'], endsInDays: 2 }))
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${replaced.port}`, { certificateDays: 14 })).toMatchObject({
    kind: 'failed',
  })
})

test('a server that wants a client’s certificate fails', async () => {
  const shop = await startShop(trusted.issue({ names: ['shop.test'] }), {
    ca: trusted.cert,
    requestCert: true,
    rejectUnauthorized: true,
  })
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${shop.port}`)).toMatchObject({
    kind: 'failed',
    why: expect.stringMatching(/^[^?]+\([A-Z_0-9]+\)$/),
  })
})

test('https to a server without TLS fails, and the other way round', async () => {
  const plain = await startWebServer(answering(200, 'ok'))
  const shop = await startShop(trusted.issue({ names: ['shop.test'] }))
  const why = expect.stringMatching(/^[^?]+\([A-Z_0-9]+\)$/)
  expect(await probeOnce(URL_OF_SHOP, `127.0.0.1:${plain.port}`)).toMatchObject({ kind: 'failed', why })
  expect(await probeOnce('http://shop.test/', `127.0.0.1:${shop.port}`)).toMatchObject({ kind: 'failed', why })
})
