import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { end, endWithUs, freePorts } from './processes.ts'
import { until } from './until.ts'

/** A real Redis on loopback, with an append-only file. */
export interface RealRedis {
  readonly port: number
  readonly url: string
  /** A connection past the store, for whoever looks or tampers; ended with the server. */
  readonly client: Redis
  /** Ends it where it stands, as a crash would. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data. */
  restart(): Promise<void>
  /** Has it stand still, connections and all, until `resume`. */
  freeze(): void
  resume(): void
  stop(): Promise<void>
}

/** Starts Redis and waits until it answers. Ports are free ones; one that is snatched away means another try. */
export async function startRedis(binary: string, options: readonly string[] = []): Promise<RealRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-redis-'))
  for (let attempt = 1; attempt <= 5; attempt++) {
    const [port = 0] = await freePorts(1)
    const child = await launch(binary, folder, port, options)
    if (child !== null) return running({ binary, folder, port, options }, child)
  }
  rmSync(folder, { recursive: true, force: true })
  throw new Error('redis-server does not start')
}

interface Place {
  readonly binary: string
  readonly folder: string
  readonly port: number
  readonly options: readonly string[]
}

function running({ binary, folder, port, options }: Place, first: ChildProcess): RealRedis {
  let child = first
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true })
  client.on('error', () => {})
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      const started = await launch(binary, folder, port, options)
      if (started === null) throw new Error('redis-server does not start again')
      child = started
    },
    freeze: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: async () => {
      client.disconnect()
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when it answers; null: it has ended before. */
async function launch(
  binary: string,
  folder: string,
  port: number,
  options: readonly string[],
): Promise<ChildProcess | null> {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes']
  const child = spawn(binary, [...fixed, ...options], { stdio: 'ignore' })
  endWithUs(child)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  await until('redis is ready', async () => hasEnded() || (await isReady(port)))
  return hasEnded() ? null : child
}

async function isReady(port: number): Promise<boolean> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    // It does not listen yet.
    return false
  } finally {
    client.disconnect()
  }
}
