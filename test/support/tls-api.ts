import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { Agent, request } from 'undici'
import { onTestFinished } from 'vitest'
import { listenAt } from '../../src/api/server.ts'
import { openTls } from '../../src/api/tls.ts'
import type { ApiClient } from '../../src/policy/access.ts'
import type { Log } from '../../src/ports/runtime.ts'
import { testApi } from './api.ts'
import { type Certificate, createAuthority } from './certificates.ts'

/** Who signs for the server, and for its clients. */
export const SERVERS = createAuthority('servers')
export const CLIENTS = createAuthority('clients')

/** A folder with the files of `api.tls`; gone when the test is over. */
export function tlsFolder(server: Certificate = SERVERS.issue({ names: ['127.0.0.1', 'localhost'] })) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const put = ({ cert, key }: Certificate) => {
    write('tls.crt', cert)
    write('tls.key', key)
  }
  put(server)
  write('ca.crt', CLIENTS.cert)
  return { folder, write, put }
}

/** An API over TLS that takes certificates, listening on loopback. */
export async function tlsApi(clients: readonly ApiClient[], overrides: Parameters<typeof testApi>[0] = {}) {
  const files = tlsFolder()
  const tlsLog: string[] = []
  const note = (fields: object, message: string) =>
    void tlsLog.push(
      `${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? String(value.stack) : value))}`,
    )
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const paths = { cert: 'tls.crt', key: 'tls.key', clientCa: 'ca.crt' }
  const tls = openTls({ paths: () => paths, folder: files.folder, log })
  if (tls === null) throw new Error('no TLS')
  const api = await testApi({ tls, clients: () => clients, ...overrides })
  const url = await listenAt(api.app, { host: '127.0.0.1', port: 0 }, tls)
  return { ...api, ...files, tls, tlsLog, url, ask: asking(url) }
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** Asks over it, and leaves it open. */
  readonly over?: Agent
}

/** Asks by a certificate, over a connection of its own. */
export function asking(url: string) {
  return async (path: string, shown: Certificate | null, { method = 'GET', headers = {}, body, over }: Ask = {}) => {
    const agent = over ?? agentOf(shown)
    try {
      const answer = await request(new URL(path, url), {
        ...{ dispatcher: agent, method },
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await answer.body.text()
      const json: { code?: string; cause?: string; name?: string } = text.startsWith('{') ? JSON.parse(text) : {}
      return { status: answer.statusCode, headers: answer.headers, text, json }
    } finally {
      if (!over) await agent.close()
    }
  }
}

/** Connections that show this certificate. */
export function agentOf(shown: Certificate | null): Agent {
  return new Agent({ connect: { ca: SERVERS.cert, ...(shown && { cert: shown.cert, key: shown.key }) } })
}

/** The fingerprint of what the server shows to a new connection. */
export async function shownBy(url: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca: SERVERS.cert })
  const shown = await new Promise<string>((done, fail) => {
    socket.once('secureConnect', () => done(socket.getPeerCertificate().fingerprint256)).once('error', fail)
  })
  socket.destroy()
  return shown
}
