import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CATALOGUE } from '../../src/core/catalogue.ts'
import { alertmanagerConfig } from '../support/alerts.ts'
import { listeningApi, OPERATOR_TOKEN, signIn, testApi, VIEWER_TOKEN } from '../support/api.ts'
import { HOSTILE_BYTES, type HostileRequest, hostileRequest } from '../support/hostile.ts'

/** In CI; `HEADGATE_FUZZ_REQUESTS=100000` for the whole of it. */
const REQUESTS = Number(process.env['HEADGATE_FUZZ_REQUESTS'] ?? 5000)
const BATCH = 1000
/** What the heap may grow by over all of it, once it is warm: nothing is kept of a request. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** The heap after everything that nobody holds is gone. */
function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

/** What is wrong with the answer to a request that had to be refused; null: nothing. */
function faultOf(statusCode: number, type: string, body: string): string | null {
  if (statusCode < 400 || statusCode >= 500) return `status ${statusCode}`
  if (!type.startsWith('application/problem+json')) return `of the type ${type}`
  const { code, cause, requestId } = JSON.parse(body)
  if (!Object.hasOwn(CATALOGUE, code)) return `no code: ${body}`
  if (CATALOGUE[code as keyof typeof CATALOGUE].status !== statusCode) return `${code} with ${statusCode}`
  return typeof cause === 'string' && typeof requestId === 'string' ? null : `half a problem: ${body}`
}

test(`${REQUESTS} hostile requests: each is refused with a code, nothing breaks, nothing is kept`, {
  timeout: 300_000 + REQUESTS * 20,
}, async () => {
  const seed = Number(process.env['HEADGATE_FUZZ_SEED'] ?? 20261121)
  const { app, service, logged, audited } = await testApi()
  // One that could be read would be taken.
  service.alertmanager = alertmanagerConfig({
    routes: [{ match: ['alertname=~".*"'], action: 'halt', everything: true }],
  })
  const pages = await Promise.all(
    [OPERATOR_TOKEN, VIEWER_TOKEN].map(async (token) => (await signIn(app, token)).headers.cookie),
  )
  const asked = hostileRequest(pages)
  audited.length = 0
  const counts = new Map<string, number>()
  const faults: string[] = []
  const answer = async (request: HostileRequest) => {
    const { method, url, headers, payload } = request
    const response = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
    const fault = faultOf(response.statusCode, String(response.headers['content-type']), response.body)
    if (fault !== null && faults.length < 10) faults.push(`${fault}: ${JSON.stringify(request).slice(0, 500)}`)
    const code = fault === null ? response.json().code : 'fault'
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  let warm = 0
  for (let done = 0; done < REQUESTS; done += BATCH) {
    for (const request of fc.sample(asked, { numRuns: Math.min(BATCH, REQUESTS - done), seed: seed + done }))
      await answer(request)
    expect(faults, `seed ${seed}`).toEqual([])
    // What tests collect is no part of the API.
    audited.length = 0
    if (done === 0) warm = heapBytes()
  }
  const grown = heapBytes() - warm
  if (process.env['HEADGATE_FUZZ_REQUESTS'])
    process.stdout.write(`${JSON.stringify({ ...Object.fromEntries(counts), grown })}\n`)
  expect(service.submitted).toEqual([])
  expect(service.alertFacts).toEqual([])
  expect(logged.filter((line) => line.includes('"level":"error"'))).toEqual([])
  expect([...counts.keys()].sort()).toEqual([
    'API_BAD_REQUEST',
    'API_CSRF_REFUSED',
    'API_FORBIDDEN',
    'API_HOST_REFUSED',
    'API_NOT_FOUND',
    'API_UNAUTHENTICATED',
  ])
  expect(grown).toBeLessThan(MAX_GROWTH_BYTES)
  expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200)
})

test.each(HOSTILE_BYTES.map((bytes) => [JSON.stringify(bytes.slice(0, 90)), bytes] as const))(
  'over the wire: %s',
  async (_, bytes) => {
    const { url } = await listeningApi()
    const answer = await exchange(Number(new URL(url).port), bytes)
    const [head = '', ...rest] = answer.split('\r\n\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
    const type = /^content-type: (.*)$/im.exec(head)?.[1] ?? ''
    expect(
      faultOf(
        status,
        type,
        rest
          .join('\r\n\r\n')
          .split('\r\n')
          .find((line) => line.startsWith('{')) ?? '{}',
      ),
    ).toBeNull()
  },
)

/** Sends bytes as they are, and reads until the server ends, or has answered. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.includes('"requestId"')) socket.destroy()
    })
    socket.once('close', () => resolve(text)).once('error', (error) => (text === '' ? reject(error) : resolve(text)))
  })
}
