import { readFileSync } from 'node:fs'
import { problem } from '../core/problem.ts'
import type { Io } from './io.ts'

/** How the API is asked over TLS: PEM. */
export interface ClientTls {
  /** Authorities to trust instead of the usual ones. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Reads the files that the options name, or the variables; null: none is named. Throws CLI_USAGE. */
export function readClientTls({ env }: Pick<Io, 'env'>, options: TlsOptions): ClientTls | null {
  const ca = options.ca ?? env['HEADGATE_CA']
  const cert = options.cert ?? env['HEADGATE_CERT']
  const key = options.key ?? env['HEADGATE_KEY']
  if (!cert !== !key)
    throw problem('CLI_USAGE', `there is a ${cert ? 'certificate without its key' : 'key without its certificate'}`, {
      hint: 'give both: --cert and --key, or HEADGATE_CERT and HEADGATE_KEY',
    })
  if (!ca && !cert) return null
  return {
    ...(ca && { ca: readPem(ca) }),
    ...(cert && { cert: readPem(cert) }),
    ...(key && { key: readPem(key) }),
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw problem('CLI_USAGE', `the file ${file} cannot be read: ${code}`, {
      hint: 'check the path and its permissions',
      from: error,
    })
  }
}

/** What the client asks with. */
export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

export type Answer = Pick<Response, 'ok' | 'status' | 'text' | 'body'>
export type Fetch = (url: URL, asking: Asking) => Promise<Answer>

/** A `fetch` that asks so; the usual one, which takes no files, where none is named. */
export function fetchOver(tls: ClientTls | null): Fetch {
  if (tls === null) return (url, asking) => fetch(url, { redirect: 'error', ...asking })
  let opened: Promise<Fetch> | null = null
  return async (url, asking) => {
    opened ??= open(tls)
    return (await opened)(url, asking)
  }
}

// Loaded here alone: most people have a loopback, or a proxy.
async function open(tls: ClientTls): Promise<Fetch> {
  const undici = await import('undici')
  const dispatcher = new undici.Agent({ connect: { ...tls, allowH2: false } })
  return (url, asking) => undici.fetch(url, { redirect: 'error', ...asking, dispatcher })
}

/** What to do where a connection failed for its certificates; null: it did not. */
export function tlsHint(code: string): string | null {
  if (/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET|VERIFY)_)/.test(code))
    return 'name the authority of its certificate by --ca or HEADGATE_CA'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use a name in --url that its certificate has'
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired: renew the files of `api.tls`'
  return /^(ERR_SSL|ERR_OSSL|EPROTO)/.test(code)
    ? 'check --url (http or https), and the files of --cert and --key'
    : null
}
