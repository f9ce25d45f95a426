import { readFileSync } from 'node:fs'
import { type ProblemJson, problem } from '../core/problem.ts'
import { type Client, createClient } from './client.ts'
import { type Io, styleOf } from './io.ts'
import { readClientTls, type TlsOptions } from './tls.ts'
import { paint, problemText, type Style } from './view.ts'

export const DEFAULT_URL = 'http://127.0.0.1:7474'

/** Options that every command takes. */
export interface GlobalOptions extends TlsOptions {
  readonly url?: string
  readonly tokenFile?: string
  readonly json?: boolean
}

/** What a command works with. */
export interface Session {
  readonly io: Io
  /** Machine output: one JSON object, or one a line. */
  readonly json: boolean
  readonly style: Style
  /** The service's API; requests end when the signal aborts, or on Ctrl-C. */
  readonly client: (signal?: AbortSignal) => Client
}

export function openSession(io: Io, options: GlobalOptions): Session {
  return {
    io,
    json: options.json === true,
    style: styleOf(io),
    client: (signal = io.interrupted) =>
      createClient({
        url: options.url ?? io.env['HEADGATE_URL'] ?? DEFAULT_URL,
        token: readToken(io, options.tokenFile),
        tls: readClientTls(io, options),
        signal,
      }),
  }
}

/** Prints lines for people. */
export function say({ io }: Pick<Session, 'io'>, lines: readonly string[]): void {
  if (lines.length > 0) io.out(`${lines.join('\n')}\n`)
}

/** Prints one object on a line of its own. */
export function sayJson({ io }: Pick<Session, 'io'>, value: object): void {
  io.out(`${JSON.stringify(value)}\n`)
}

/** Prints a problem: for people on stderr, for machines on stdout, where they read. */
export function sayProblem(session: Pick<Session, 'io' | 'json' | 'style'>, json: ProblemJson): void {
  if (session.json) sayJson(session, json)
  else session.io.err(`${paint(problemText(json), 'bad', session.style)}\n`)
}

// Never an argument: those are seen by everybody on the machine, and stay in the shell's history.
function readToken({ env }: Io, tokenFile: string | undefined): string | null {
  if (tokenFile === undefined) return env['HEADGATE_TOKEN'] || null
  try {
    return readFileSync(tokenFile, 'utf8').trim()
  } catch (error) {
    throw problem('CLI_USAGE', `the token file ${tokenFile} cannot be read`, {
      hint: 'check the path and its permissions',
      from: error,
    })
  }
}
