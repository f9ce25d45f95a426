import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthority, selfSigned } from '../support/certificates.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { createTaskRig, httpTask } from './rig.ts'

const authority = createAuthority('an internal authority')
const certificates = getCACertificates('default')

beforeAll(() => setDefaultCACertificates([...certificates, authority.cert]))
afterAll(() => setDefaultCACertificates(certificates))

/** A receiver with this certificate, which DNS calls tests.test. */
async function ask({ cert, key }: { readonly cert: string; readonly key: string }) {
  const server = await startWebServer(answering(200, 'passed'), { tls: { cert, key } })
  const { run } = createTaskRig({ lookup: (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]) })
  const end = await run(httpTask(`https://tests.test:${server.port}/`), { tries: 1 })
  return { server, end }
}

test('a hook of https is asked under its name, and its certificate is checked', async () => {
  const { server, end } = await ask(authority.issue({ names: ['tests.test'] }))
  expect(end).toMatchObject({ kind: 'passed' })
  expect(server.requests[0]?.sni).toBe('tests.test')
})

test.each([
  ['for another name', authority.issue({ names: ['other.test'] }), 'no answer (ERR_TLS_CERT_ALTNAME_INVALID)'],
  ['that signed itself', selfSigned({ names: ['tests.test'] }), 'no answer (DEPTH_ZERO_SELF_SIGNED_CERT)'],
])('a certificate %s is sent nothing', async (_, certificate, detail) => {
  const { server, end } = await ask(certificate)
  expect(end).toMatchObject({ kind: 'failed', detail })
  expect(server.requests).toEqual([])
})
