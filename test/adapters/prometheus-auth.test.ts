import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapterContext, TRACED } from '../support/adapter-context.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { answeringVector, pollOnce, refusing, testSource } from '../support/prometheus-answers.ts'
import { type Answer, answering, startWebServer } from '../support/web-server.ts'

const BEARER = { bearer: '${env:TOKEN}' }
const BASIC = { basic: { username: 'headgate', password: '${env:TOKEN}' } }
const nothing = answeringVector([])

/** Says what it was sent, as a careless proxy does. */
const echoing =
  (status: number): Answer =>
  (response, request) =>
    refusing(status, 'bad_data', `you sent ${JSON.stringify(request.headers)}`)(response, request)

test('each query names the span that it is a part of', async () => {
  const server = await startWebServer(nothing)
  await pollOnce(testSource(server.url, {}, { ...adapterContext(), tracer: TRACED }))
  expect(new Set(server.requests.map(({ headers }) => headers['traceparent']))).toEqual(
    new Set([TRACED.headers()['traceparent']]),
  )
})

describe('credentials', () => {
  test.each([
    ['a bearer token', BEARER, 'Bearer p4ss:wörd'],
    ['a user and a password', BASIC, `Basic ${Buffer.from('headgate:p4ss:wörd').toString('base64')}`],
  ])('%s goes with each query', async (_, auth, header) => {
    const server = await startWebServer(nothing)
    await pollOnce(testSource(server.url, { auth }, adapterContext({ TOKEN: 'p4ss:wörd' })))
    const sent = Buffer.from(server.requests[0]?.headers.authorization ?? '', 'latin1').toString('utf8')
    expect([sent, server.requests[0]?.headers.authorization]).toContain(header)
  })

  test.each([
    ['bearer', BEARER],
    ['basic', BASIC],
  ])('a rotated secret counts from the next query: %s', async (_, auth) => {
    const env = { TOKEN: 'first' }
    const server = await startWebServer(nothing)
    const source = testSource(server.url, { auth }, adapterContext(env))
    await pollOnce(source)
    env.TOKEN = 'second'
    await pollOnce(source)
    const [first, second] = server.requests.map(({ headers }) => headers.authorization)
    expect(first).not.toBe(second)
  })

  test('a secret that has gone is missing, by its reference, and nothing is sent', async () => {
    const server = await startWebServer(nothing)
    const vector = await pollOnce(testSource(server.url, { auth: BEARER }, adapterContext({})))
    expect(vector).toEqual({ kind: 'missing', why: 'refused', detail: '${env:TOKEN} is not set' })
    expect(server.requests).toHaveLength(0)
  })

  test('a secret that cannot stand in a header is missing, and not shown', async () => {
    const server = await startWebServer(nothing)
    const vector = await pollOnce(testSource(server.url, { auth: BEARER }, adapterContext({ TOKEN: 'c4n\nary' })))
    expect(vector).toMatchObject({ kind: 'missing' })
    expect(JSON.stringify(vector)).not.toMatch(/c4n|ary/)
    expect(server.requests).toHaveLength(0)
  })

  const leaks: [string, object, Answer][] = [BEARER, BASIC].flatMap((auth): [string, object, Answer][] => [
    ['a refusal', auth, echoing(401)],
    ['a fault', auth, echoing(500)],
    ['a page', auth, (response, { headers }) => void response.writeHead(403).end(headers.authorization)],
    [
      'a success that is none',
      auth,
      (response, request) => {
        const data = { resultType: request.headers.authorization, result: [] }
        answering(200, JSON.stringify({ status: 'success', data }))(response, request)
      },
    ],
    [
      'a redirect',
      auth,
      (response, { headers }) => {
        response.writeHead(302, { location: `/?${headers.authorization}` }).end()
      },
    ],
  ])
  test.each(leaks)('%s that echoes them does not get them into the reason: %o', async (_, auth, answer) => {
    const server = await startWebServer(answer)
    const vector = await pollOnce(testSource(server.url, { auth }, adapterContext({ TOKEN: 'canary-7d1f' })))
    expect(server.requests[0]?.headers.authorization).toMatch(/^(Bearer|Basic) /)
    expect(vector).toMatchObject({ kind: 'missing' })
    const sent = server.requests[0]?.headers.authorization?.split(' ')[1] ?? ''
    expect(JSON.stringify(vector)).not.toContain('canary-7d1f')
    expect(JSON.stringify(vector)).not.toContain(sent)
  })

  test('a warning that echoes them does not get them into the log', async () => {
    const logged: object[] = []
    const context = adapterContext({ TOKEN: 'canary-7d1f' })
    const log = { ...context.log, warn: (fields: object) => void logged.push(fields) }
    const { url } = await startWebServer((response, request) =>
      answeringVector([], [`partial answer for ${request.headers.authorization}`])(response, request),
    )
    await pollOnce(testSource(url, { auth: BEARER }, { ...context, log }))
    expect(logged).toMatchObject([{ warning: 'partial answer for Bearer …' }])
  })
})

describe('TLS', () => {
  const authority = createAuthority('an internal authority')
  const forServer = authority.issue({ names: ['prometheus.internal'] })
  const forClient = authority.issue({ names: ['headgate'] })
  const serverName = 'prometheus.internal'

  test('with its authority and its name, and with a client’s certificate where one is demanded', async () => {
    const folder = keep({ 'ca.pem': authority.cert, 'tls.crt': forClient.cert, 'tls.key': forClient.key })
    const server = await startPrivate(forServer)
    const tls = { ca: folder('ca.pem'), cert: folder('tls.crt'), key: folder('tls.key'), serverName }
    expect(await pollOnce(testSource(server.url, { tls }))).toMatchObject({ kind: 'vector' })
    expect(server.requests).toMatchObject([{ sni: serverName, clientName: 'headgate' }])
  })

  test.each<[string, object, RegExp]>([
    ['no authority', { serverName }, /^no connection \((?:UNABLE|SELF)/],
    ['another authority', { serverName, ca: 'other.pem' }, /^no connection \((?:UNABLE|SELF)/],
    ['no server name', { ca: 'ca.pem' }, /^no connection \(ERR_TLS_CERT_ALTNAME_INVALID\)$/],
    ['no client certificate', { serverName, ca: 'ca.pem' }, /\((?:ERR_SSL_|ECONNRESET|UND_ERR_SOCKET)/],
    ['an authority’s file that is not there', { serverName, ca: 'absent.pem' }, /absent\.pem cannot be read: ENOENT$/],
    ['an authority’s file that is none', { serverName, ca: 'text.pem' }, /./],
  ])('with %s it is missing, and no query is sent', async (_, tls, detail) => {
    const other = createAuthority('another one')
    const folder = keep({ 'ca.pem': authority.cert, 'other.pem': other.cert, 'text.pem': 'hello' })
    const server = await startPrivate(forServer)
    const paths = Object.entries(tls).map(([key, value]) => [key, key === 'ca' ? folder(value) : value])
    const vector = await pollOnce(testSource(server.url, { tls: Object.fromEntries(paths) }))
    expect(vector).toMatchObject({ kind: 'missing', detail: expect.stringMatching(detail) })
    expect(server.requests).toHaveLength(0)
  })

  test('renewed files count from the next connection', async () => {
    const folder = keep({ 'ca.pem': authority.cert, 'tls.crt': forClient.cert, 'tls.key': forClient.key })
    const server = await startPrivate(forServer)
    // No connection outlives its answer.
    server.answer = (response, request) => {
      response.setHeader('connection', 'close')
      nothing(response, request)
    }
    const tls = { ca: folder('ca.pem'), cert: folder('tls.crt'), key: folder('tls.key'), serverName }
    const source = testSource(server.url, { tls })
    await pollOnce(source)
    const renewed = authority.issue({ names: ['headgate-2'] })
    writeFileSync(folder('tls.crt'), renewed.cert)
    writeFileSync(folder('tls.key'), renewed.key)
    await pollOnce(source)
    expect(server.requests.map(({ clientName }) => clientName)).toEqual(['headgate', 'headgate-2'])
  })

  /** A Prometheus that lets nobody in without a certificate of the authority's. */
  function startPrivate({ cert, key }: Certificate) {
    const tls = { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true }
    return startWebServer(nothing, { tls })
  }
})

/** Writes files into a folder that goes with the test; tells where each is. */
function keep(files: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const at = (name: string) => join(folder, name)
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  return at
}
