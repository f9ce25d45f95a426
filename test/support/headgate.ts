import { spawn } from 'node:child_process'
import { on } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import type { CommandName } from '../../src/core/observation.ts'
import type { LogLevel } from '../../src/telemetry/log.ts'
import { end, endWithUs } from './processes.ts'
import { until } from './until.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
/** The operator's token, with `API_CONFIG`. */
export const TOKEN = 'operator-token-of-a-test'

/** A test that waits for a condition asks far more often than people do. */
export const API_LIMITS = 'limits: { reads: 100000 }'

/** Lines of a config's `api` that let the test command. */
export const API_CONFIG = `api: { port: 0, ${API_LIMITS}, tokens: [{ name: ada, role: operator, token: "\${env:E2E_TOKEN}" }] }`

/** `headgate run`, as a process of its own. */
export interface RunningHeadgate {
  /** Where its API listens. */
  readonly url: string
  /** Sends a command by the API; resolves with its fact id once it is durable. */
  command(workload: string, command: CommandName, reason: string): Promise<string>
  /** Resolves when so many more sweeps have been committed. */
  sweeps(count: number): Promise<void>
  /** What it wrote to stderr, and its log. */
  log(): string
  readonly pid: number
  /** kill -9. */
  kill(): Promise<void>
  /** Has it stand still, SIGSTOP, until `resume`. */
  freeze(): void
  resume(): void
  /** SIGTERM, and waits for an orderly end. */
  stop(): Promise<void>
}

/** Starts the real command line and resolves when its API listens; it may still wait for the lease then. */
export async function startHeadgate(
  configPath: string,
  { logLevel = 'warn', env = {} }: { logLevel?: LogLevel; env?: Readonly<Record<string, string>> } = {},
): Promise<RunningHeadgate> {
  const child = launch(configPath, logLevel, env)
  let log = ''
  const note = (chunk: string) => {
    log += chunk
  }
  child.stderr.setEncoding('utf8').on('data', note)
  child.stdout.setEncoding('utf8').on('data', note)
  const url = await announcedUrl(child.stdout)
  if (url === null) throw new Error(`headgate does not start: ${log}`)
  const call = async (method: 'GET' | 'POST', path: string, body?: object) => {
    const answer = await request(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
    return JSON.parse(text)
  }
  return {
    url,
    command: async (workload, command, reason) =>
      (await call('POST', `/workloads/${workload}/commands`, { command, reason })).factId,
    sweeps: async (count) => {
      const seen = new Set<string>()
      // The first one seen may have begun before.
      await until(
        `${count} sweeps`,
        async () => seen.add((await call('GET', '/status')).lastSweepAtMs).size > count + 1,
      )
    },
    log: () => log,
    pid: child.pid ?? 0,
    kill: () => end(child, 'SIGKILL'),
    freeze: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: () => end(child, 'SIGTERM'),
  }
}

/** Starts it and ends it by kill -9 so many ms later, wherever in its start it is by then. */
export async function killInStart(configPath: string, afterMs: number): Promise<void> {
  const child = launch(configPath, 'warn', {})
  child.stdout.resume()
  child.stderr.resume()
  await sleep(afterMs)
  await end(child, 'SIGKILL')
}

function launch(configPath: string, logLevel: LogLevel, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN, 'run', '--json', '-c', configPath, '--log-level', logLevel], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, E2E_TOKEN: TOKEN, ...env },
  })
  endWithUs(child)
  return child
}

/** Waits for the line with the URL; null: stdout ended before. */
async function announcedUrl(stdout: NodeJS.ReadableStream): Promise<string | null> {
  let text = ''
  for await (const [chunk] of on(stdout, 'data', { close: ['end'] })) {
    text += chunk
    const url = /"url":\s*"([^"]+)"/.exec(text)?.[1]
    if (url !== undefined) return url
  }
  return null
}
