import { constants, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:https'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { TLSSocket } from 'node:tls'
import { type Problem, problem } from '../core/problem.ts'
import type { TlsPaths } from '../policy/access.ts'
import type { Log } from '../ports/runtime.ts'
import { faultOf, type TlsFiles } from '../shared/tls-files.ts'

/** What a client showed as it connected. */
export type Shown =
  | { readonly kind: 'verified'; readonly certificate: X509Certificate }
  /** `why` is a clause without any text of the certificate's. */
  | { readonly kind: 'unverified'; readonly why: string }
  /** The authorities that vouched for it have been replaced since. */
  | { readonly kind: 'outdated' }

/** What the API listens with where the config has `tls`. */
export interface Tls {
  createServer(listener: RequestListener, timeouts: Timeouts): Server
  /** null: no certificate, or no TLS. */
  shownBy(socket: Socket): Shown | null
  /** Absolute paths of the files in force, to be watched. */
  files(): readonly string[]
  /**
   * Reads the files of the config in force again. New connections get what is new, and those that stand stay as they are,
   * but for other authorities: then idle ones are closed. Where something is wrong with a file all old ones stay, and
   * the log has it.
   */
  refresh(): void
}

export interface Timeouts {
  readonly keepAliveMs: number
  readonly requestMs: number
}

export interface TlsDeps {
  /** Those of the config in force. */
  readonly paths: () => TlsPaths | null
  /** What they are relative to. */
  readonly folder: string
  readonly log: Log
}

/** Who connects and says nothing holds a socket, ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** null: the config has no `tls`. Throws CONFIG_FILE_UNREADABLE or CONFIG_WRONG_VALUE, without any text of a file. */
export function openTls({ paths, folder, log }: TlsDeps): Tls | null {
  const named = paths()
  if (named === null) return null
  let files = readFiles(named, folder)
  const servers: ReturnType<typeof createServer>[] = []
  const authorities = new Map<string, string | null>()

  const use = (next: TlsFiles) => {
    const isOtherCa = next.clientCa !== files.clientCa
    files = next
    for (const server of servers) {
      server.setSecureContext(contextOf(files))
      if (isOtherCa) server.closeIdleConnections()
    }
  }

  return {
    createServer(listener, { keepAliveMs, requestMs }) {
      const server = createServer(
        {
          ...contextOf(files),
          // What is missing or not to be believed is told as an answer, and tokens are as good as certificates.
          ...{ requestCert: files.clientCa !== null, rejectUnauthorized: false },
          ...{ handshakeTimeout: HANDSHAKE_TIMEOUT_MS, keepAliveTimeout: keepAliveMs, requestTimeout: requestMs },
          requireHostHeader: false,
        },
        listener,
      )
      // By these a handshake that begins now is judged, however long it takes.
      server.on('connection', (socket) => {
        const peer = peerOf(socket)
        authorities.set(peer, files.clientCa)
        socket.once('close', () => authorities.delete(peer))
      })
      servers.push(server)
      return server
    },
    shownBy(socket) {
      if (!(socket instanceof TLSSocket)) return null
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined) return null
      if (!socket.authorized) return { kind: 'unverified', why: whyOf(socket.authorizationError) }
      if (authorities.get(peerOf(socket)) !== files.clientCa) return { kind: 'outdated' }
      return { kind: 'verified', certificate }
    },
    files: () => Object.values(absolute(paths() ?? named, folder)).filter((file) => file !== null),
    refresh() {
      try {
        const next = readFiles(paths() ?? named, folder)
        if (JSON.stringify(next) === JSON.stringify(files)) return
        use(next)
        log.info({ endsAt: new X509Certificate(next.cert).validTo }, 'the API has new TLS files')
      } catch (error) {
        log.warn({ err: error }, 'the TLS files of the API cannot be used; the old ones stay')
      }
    },
  }
}

function contextOf({ cert, key, clientCa }: TlsFiles) {
  return {
    ...{ cert, key },
    // An empty list would be no list: the usual authorities vouch for everybody.
    ...(clientCa !== null && { ca: [clientCa] }),
    // A resumed connection shows no certificate, and is not verified again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

function readFiles(paths: TlsPaths, folder: string): TlsFiles {
  const { cert, key, clientCa } = absolute(paths, folder)
  const files = { cert: readPem(cert), key: readPem(key), clientCa: clientCa === null ? null : readPem(clientCa) }
  const wrong = faultOf(files)
  if (wrong === null) return files
  throw problem('CONFIG_WRONG_VALUE', `api.tls.${wrong.of}: ${wrong.fault}`, { hint: wrong.hint })
}

function absolute({ cert, key, clientCa }: TlsPaths, folder: string): TlsPaths {
  const at = (file: string) => resolve(folder, file)
  return { cert: at(cert), key: at(key), clientCa: clientCa === null ? null : at(clientCa) }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
  return problem('CONFIG_FILE_UNREADABLE', `${file}: ${code}`)
}

function peerOf(socket: object): string {
  return socket instanceof Socket ? `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}` : ''
}

/** OpenSSL's words for what is wrong with a certificate, in ours. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  INVALID_PURPOSE: 'it is not one for clients',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'no authority vouches for it',
  SELF_SIGNED_CERT_IN_CHAIN: 'it is of another authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it is of another authority, or lacks a part of its chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it is of another authority, or lacks a part of its chain',
}

function whyOf(error: unknown): string {
  const code = String(error)
  return WORDS[code] ?? `it cannot be verified (${code})`
}
