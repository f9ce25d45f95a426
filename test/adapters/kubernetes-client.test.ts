import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { KubernetesClient } from '../../src/shared/kubernetes/client.ts'
import { KubernetesClients } from '../../src/shared/kubernetes/clients.ts'
import { createAuthority } from '../support/certificates.ts'
import { type Kubeconfig, writeKubeconfig } from '../support/kubeconfig.ts'
import { freePorts } from '../support/processes.ts'
import { untilHolds } from '../support/until.ts'
import {
  type Answer,
  answering,
  endless,
  silent,
  startWebServer,
  type WebServerOptions,
} from '../support/web-server.ts'

const CANARY = 'canary-0e7d2'
const GOOD = answering(200, '{"kind":"Anything"}')
const signal = () => AbortSignal.timeout(120_000)

function clientOf(kubeconfig: Kubeconfig | string, context: string | null = null): KubernetesClient {
  const client = new KubernetesClient({
    kubeconfig: typeof kubeconfig === 'string' ? kubeconfig : kubeconfig.path,
    context,
  })
  onTestFinished(() => client.close())
  return client
}

function kubeconfigOf(...args: Parameters<typeof writeKubeconfig>): Kubeconfig {
  const kubeconfig = writeKubeconfig(...args)
  onTestFinished(kubeconfig.remove)
  return kubeconfig
}

async function startAndUse(answer: Answer, user: object, options: WebServerOptions = {}) {
  const server = await startWebServer(answer, options)
  const kubeconfig = kubeconfigOf({ edge: server.url }, user)
  return { server, kubeconfig, client: clientOf(kubeconfig) }
}

const get = (client: KubernetesClient, by = signal()) => client.ask({ method: 'GET', path: '/version' }, by)

describe('credentials', () => {
  test.each<[string, object, string]>([
    ['a token', { token: CANARY }, `Bearer ${CANARY}`],
    ['name and password', { username: 'me', password: CANARY }, `Basic ${btoa(`me:${CANARY}`)}`],
  ])('%s', async (_, user, authorization) => {
    const { server, client } = await startAndUse(GOOD, user)
    expect(await get(client)).toEqual({ kind: 'Anything' })
    expect(server.requests[0]?.headers).toMatchObject({ authorization, accept: 'application/json' })
  })

  test('a credential plugin is run once for many calls', async () => {
    const { server, client, kubeconfig } = await startAndUse(GOOD, {})
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: CANARY },
    }
    const runs = join(kubeconfig.folder, 'runs')
    const script = `require('fs').appendFileSync(${JSON.stringify(runs)}, 'x'); console.log(${JSON.stringify(JSON.stringify(credential))})`
    kubeconfig.rewrite({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
    })
    for (let time = 0; time < 3; time++) expect(await get(client)).toEqual({ kind: 'Anything' })
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill(`Bearer ${CANARY}`))
    expect(readFileSync(runs, 'utf8')).toBe('x')
  })

  test('what a failing plugin says is told to nobody', async () => {
    const { client, kubeconfig } = await startAndUse(GOOD, {})
    const args = ['-e', `console.error(${JSON.stringify(CANARY)}); process.exit(1)`]
    kubeconfig.rewrite({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args } })
    const answer = await get(client)
    expect(answer).toMatchObject({ kind: 'no-credentials' })
    expect(JSON.stringify(answer)).not.toContain(CANARY)
  })

  test('a plugin that hangs is given up with the signal', async () => {
    const { client, kubeconfig } = await startAndUse(GOOD, {})
    const args = ['-e', 'setTimeout(() => {}, 3000)']
    kubeconfig.rewrite({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args } })
    const deadline = new AbortController()
    const asking = get(client, deadline.signal)
    deadline.abort()
    expect(await asking).toMatchObject({ kind: 'timeout' })
  })

  test('a refused token makes the next call read the kubeconfig anew', async () => {
    const { client, kubeconfig } = await startAndUse(
      (response, { headers }) => {
        const isGood = headers.authorization === `Bearer ${CANARY}`
        response.writeHead(isGood ? 200 : 401).end('{}')
      },
      { token: 'an-old-one' },
    )
    expect(await get(client)).toMatchObject({ kind: 'no-credentials' })
    kubeconfig.rewrite({ token: CANARY })
    expect(await get(client)).toEqual({})
  })

  test("a client's certificate, to a server that its authority vouches for", async () => {
    const authority = createAuthority('Cluster CA')
    const { cert, key } = authority.issue({ names: ['127.0.0.1'] })
    const tls = { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true }
    const server = await startWebServer(GOOD, { tls })
    const me = authority.issue({ names: ['headgate'] })
    const user = { 'client-certificate-data': btoa(me.cert), 'client-key-data': btoa(me.key) }
    const trusted = { 'certificate-authority-data': btoa(authority.cert) }
    expect(await get(clientOf(kubeconfigOf({ edge: server.url }, user, trusted)))).toEqual({ kind: 'Anything' })
    expect(server.requests[0]?.clientName).toBe('headgate')

    const stranger = { 'certificate-authority-data': btoa(createAuthority('Another').cert) }
    const answer = await get(clientOf(kubeconfigOf({ edge: server.url }, user, stranger)))
    expect(answer).toMatchObject({ kind: 'unreachable' })
    expect(server.requests).toHaveLength(1)
  })
})

describe('the kubeconfig', () => {
  test('a context leads to its own server', async () => {
    const [blue, green] = await Promise.all([
      startWebServer(answering(200, '"blue"')),
      startWebServer(answering(200, '"green"')),
    ])
    const kubeconfig = kubeconfigOf({ blue: blue.url, green: green.url }, { token: CANARY })
    expect(await get(clientOf(kubeconfig))).toBe('blue')
    expect(await get(clientOf(kubeconfig, 'green'))).toBe('green')
    expect(await get(clientOf(kubeconfig, 'red'))).toMatchObject({
      kind: 'no-credentials',
      detail: 'the kubeconfig has no context red',
    })
  })

  test('KUBECONFIG names it where the config does not; where there is none, nothing is guessed', async () => {
    const server = await startWebServer(GOOD)
    const kubeconfig = kubeconfigOf({ edge: server.url }, { token: CANARY })
    onTestFinished(() => void vi.unstubAllEnvs())
    vi.stubEnv('KUBECONFIG', kubeconfig.path)
    const client = new KubernetesClient({ kubeconfig: null, context: null })
    onTestFinished(() => client.close())
    expect(await get(client)).toEqual({ kind: 'Anything' })
    vi.stubEnv('KUBECONFIG', '')
    vi.stubEnv('HOME', kubeconfig.folder)
    const lost = new KubernetesClient({ kubeconfig: null, context: null })
    expect(await get(lost)).toMatchObject({ kind: 'no-credentials', detail: expect.stringContaining('no kubeconfig') })
  })

  test('one that cannot be read is told by its path, and nothing of it is', async () => {
    expect(await get(clientOf('/nowhere/config'))).toMatchObject({
      kind: 'no-credentials',
      detail: '/nowhere/config cannot be read: ENOENT',
    })
    const { path } = kubeconfigOf({}, {})
    writeFileSync(path, `users: [{ token: ${CANARY}`)
    const answer = await get(clientOf(path))
    expect(answer).toMatchObject({ kind: 'no-credentials' })
    expect(JSON.stringify(answer)).not.toContain(CANARY)
  })

  test('a server at http:// gets no credentials, unless the kubeconfig says so', async () => {
    const server = await startWebServer(GOOD)
    const client = clientOf(kubeconfigOf({ edge: server.url }, { token: CANARY }, {}))
    expect(await get(client)).toMatchObject({ kind: 'no-credentials', detail: expect.stringContaining('http://') })
    expect(server.requests).toEqual([])
  })

  test('a proxy is used; one that speaks SOCKS is refused', async () => {
    const [free = 0] = await freePorts(1)
    const asked: string[] = []
    const proxy = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (chunk) => {
        asked.push(String(chunk).split('\r\n')[0] ?? '')
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n')
      })
    })
    await new Promise<void>((resolve) => proxy.listen(free, '127.0.0.1', resolve))
    onTestFinished(() => void proxy.close())
    const through = (url: string) =>
      clientOf(kubeconfigOf({ edge: 'https://api.test' }, { token: CANARY }, { 'proxy-url': url }))
    expect(await get(through(`http://127.0.0.1:${free}`))).toMatchObject({ kind: 'unreachable' })
    expect(asked).toEqual(['CONNECT api.test:443 HTTP/1.1'])
    expect(await get(through('socks5://127.0.0.1:1'))).toMatchObject({ kind: 'no-credentials' })
  })
})

describe('answers', () => {
  test('one that does not come is given up with the signal', async () => {
    const { server, client } = await startAndUse(silent, { token: CANARY })
    const deadline = new AbortController()
    const asking = get(client, deadline.signal)
    await untilHolds(() => expect(server.requests).toHaveLength(1))
    deadline.abort()
    expect(await asking).toMatchObject({ kind: 'timeout' })
    await untilHolds(() => expect(server.openConnections()).toBe(0))
  })

  test('one without end is cut', async () => {
    const { client } = await startAndUse(endless, { token: CANARY })
    expect(await get(client)).toMatchObject({ kind: 'bad-answer', detail: 'an answer without end' })
  })
})

describe('many who use one cluster', () => {
  test('share a client and its connections, until the last has closed', async () => {
    const { server, kubeconfig } = await startAndUse(GOOD, { token: CANARY })
    const clients = new KubernetesClients()
    const place = { kubeconfig: kubeconfig.path, context: null }
    const [first, second] = [clients.lease(place), clients.lease(place)]
    expect(first.client).toBe(second.client)
    expect(clients.lease({ ...place, context: 'other' }).client).not.toBe(first.client)
    await get(first.client)
    await first.close()
    await first.close()
    expect(await get(second.client)).toEqual({ kind: 'Anything' })
    for (let time = 0; time < 20; time++) await get(second.client)
    // The next call may come before the last one's connection is free again.
    expect(server.madeConnections()).toBeLessThan(5)
    await second.close()
    await untilHolds(() => expect(server.openConnections()).toBe(0))
    expect(clients.lease(place).client).not.toBe(first.client)
  })
})
