import type { Clock } from '../ports/runtime.ts'
import { systemClock } from '../telemetry/runtime.ts'
import type { Style } from './view.ts'

/** All that a command may touch of the terminal and the process. */
export interface Io {
  /** To stdout, as it is. */
  readonly out: (text: string) => void
  /** To stderr, as it is. */
  readonly err: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  /** null: stdout is no terminal. Asked anew before each drawing, as terminals change their size. */
  readonly terminal: () => { readonly columns: number; readonly rows: number } | null
  /** Aborts when a person (Ctrl-C) or the system (SIGTERM) wants an end. */
  readonly interrupted: AbortSignal
  /** Calls the listener at each SIGHUP, until the returned function is called. */
  readonly onHangup: (listener: () => void) => () => void
}

/** The real thing. */
export function systemIo(): Io {
  const { stdout, stderr } = process
  const interrupted = new AbortController()
  // Once: a second Ctrl-C ends the process, whatever it is doing.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(signal))
  // `headgate journal | head` closes the pipe: nothing is left to say then.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') interrupted.abort('EPIPE')
    else throw error
  })
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env: process.env,
    clock: systemClock,
    terminal: () => (stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : null),
    interrupted: interrupted.signal,
    onHangup: (listener) => {
      process.on('SIGHUP', listener)
      return () => process.off('SIGHUP', listener)
    },
  }
}

/** Colours on a terminal, unless NO_COLOR (no-color.org) is set; lines are cut to its width. */
export function styleOf({ terminal, env }: Pick<Io, 'terminal' | 'env'>): Style {
  const size = terminal()
  if (!size) return { columns: Number.POSITIVE_INFINITY, color: false }
  return { columns: size.columns, color: !env['NO_COLOR'] && env['TERM'] !== 'dumb' }
}
