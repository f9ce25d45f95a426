import type { Io } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/program.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface TestIo {
  readonly io: Io
  readonly out: () => string
  readonly err: () => string
  readonly interrupt: () => void
}

/** An Io that keeps what is written. */
export function testIo(overrides: Partial<Io> = {}): TestIo {
  let out = ''
  let err = ''
  const interrupted = new AbortController()
  const io: Io = {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    env: {},
    clock: systemClock,
    terminal: () => null,
    interrupted: interrupted.signal,
    onHangup: () => () => {},
    ...overrides,
  }
  return { io, out: () => out, err: () => err, interrupt: () => interrupted.abort('SIGINT') }
}

/** Runs one command line to its end, in this process. */
export async function runHere(argv: readonly string[], overrides: Partial<Io> = {}): Promise<Ran> {
  const { io, out, err } = testIo(overrides)
  const code = await runCli(argv, io)
  return { code, out: out(), err: err() }
}
