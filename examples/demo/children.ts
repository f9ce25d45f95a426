import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const START_SECONDS = 30
const STOP_SECONDS = 8
const LOG_TAIL_LINES = 15

export interface ChildSpec {
  /** Names its log file too. */
  readonly name: string
  /** A path that Node can run. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The processes of the demo. Each one ends with it, however it ends. */
export interface Children {
  start(spec: ChildSpec): ChildProcess
  /** The ready message of a child, as it sent it. */
  ready(child: ChildProcess): Promise<unknown>
  /** Aborts, with the reason, as soon as a child ends by itself. */
  readonly broken: AbortSignal
  /** Ends them all, with force after a while, and resolves when none is left. */
  stop(): Promise<void>
}

/** @param folder - Where their output goes, one file each. */
export function createChildren(folder: string): Children {
  const running = new Map<ChildProcess, string>()
  const broken = new AbortController()
  let isStopping = false

  function start(spec: ChildSpec): ChildProcess {
    const logPath = join(folder, `${spec.name}.log`)
    const log = openSync(logPath, 'a')
    const child = spawn(
      process.execPath,
      ['--import', besideThis('exit-with-parent').href, spec.script, ...spec.args],
      // A process group of its own: Ctrl-C reaches the demo alone, which then ends its children in good order.
      { detached: true, stdio: ['ignore', log, log, 'ipc'], env: { ...process.env, ...spec.env } },
    )
    closeSync(log)
    running.set(child, spec.name)
    const ended = (how: string) => {
      running.delete(child)
      if (!isStopping) broken.abort(new Error(`${spec.name} ${how}\n${tail(logPath)}`))
    }
    child.once('error', (error) => ended(`cannot be started: ${error.message}`))
    child.once('exit', (code, signal) => ended(`ended by itself (${signal ?? `exit code ${code}`})`))
    return child
  }

  async function stop(): Promise<void> {
    isStopping = true
    const gone = [...running.keys()].map((child) => new Promise((resolve) => child.once('exit', resolve)))
    for (const child of running.keys()) child.kill('SIGTERM')
    const patience = new AbortController()
    const force = sleep(STOP_SECONDS * 1000, undefined, { signal: patience.signal }).then(
      () => {
        for (const child of running.keys()) child.kill('SIGKILL')
      },
      () => undefined,
    )
    await Promise.all(gone)
    patience.abort()
    await force
  }

  return { start, stop, broken: broken.signal, ready: (child) => nextMessage(child, broken.signal) }
}

/** The file beside this one, which is `.ts` in the sources and `.js` in `dist`. */
export function besideThis(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./${name}.${extension}`, import.meta.url)
}

/** The path of such a file. */
export function scriptPath(name: string): string {
  return fileURLToPath(besideThis(name))
}

function nextMessage(child: ChildProcess, broken: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([broken, AbortSignal.timeout(START_SECONDS * 1000)])
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}
