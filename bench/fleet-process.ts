import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'undici'
import { z } from 'zod'
import { endWithUs } from '../test/support/processes.ts'
import { configOf, type Zone } from './fleet-world.ts'

/** The kernel's clock ticks a second (sysconf(_SC_CLK_TCK)): 100 on every Linux of today. */
const TICKS_PER_SECOND = 100
const POLL_MS = 500
const READY = z.object({ url: z.url() })
const STATUS = z.object({ lastSweepAtMs: z.number().nullable() })

export interface Usage {
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
  readonly writtenMb: number
}

/** `headgate run` with a fleet. */
export interface FleetProcess {
  /** Resolves when so many weights are in force. */
  inForce(workloads: number, signal: AbortSignal): Promise<void>
  /** Resolves when so many more sweeps are committed. */
  sweeps(count: number, signal: AbortSignal): Promise<void>
  /** What the kernel counts for the process. */
  usage(): Usage
  kill(): Promise<void>
}

export interface FleetOptions {
  readonly folder: string
  readonly zones: readonly Zone[]
  readonly sourceUrl: string
  readonly providerUrl: string
}

export async function startFleet({ folder, zones, sourceUrl, providerUrl }: FleetOptions): Promise<FleetProcess> {
  const configPath = join(folder, 'headgate.yaml')
  writeFileSync(configPath, JSON.stringify(configOf(zones, sourceUrl, providerUrl)))
  const log = openSync(join(folder, 'headgate.log'), 'a')
  const args: string[] = [
    join(import.meta.dirname, '../src/main.ts'),
    'run',
    '--json',
    '-c',
    configPath,
    '--log-level',
    'warn',
  ]
  const child = spawn(
    process.execPath,
    args,
    { stdio: ['ignore', 'pipe', log] },
  )
  endWithUs(child)
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const url = async (): Promise<string> => {
    while (!said.includes('\n')) {
      if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'headgate.log'), 'utf8'))
      await pause(10)
    }
    return READY.parse(JSON.parse(said.slice(0, said.indexOf('\n')))).url
  }
  /** A sample of the metrics page; 0: it is not there. */
  const metric = async (series: string): Promise<number> => {
    const answer = await request(`${await url()}/metrics`)
    const line = (await answer.body.text()).split('\n').find((text) => text.startsWith(`${series} `))
    return Number(line?.slice(series.length) ?? 0)
  }
  const until = async (condition: () => Promise<boolean>, signal: AbortSignal, everyMs = POLL_MS) => {
    while (!(await condition())) {
      await pause(everyMs)
      signal.throwIfAborted()
    }
  }
  /** When the newest sweep was committed, milliseconds since 1970; null: none was. */
  const lastSweepAtMs = async () => {
    const answer = await request(`${await url()}/api/v1/status`)
    return STATUS.parse(await answer.body.json()).lastSweepAtMs
  }
  return {
    inForce: (workloads, signal) =>
      until(async () => (await metric('headgate_events_total{type="weight-in-force"}')) >= workloads, signal, 15_000),
    async sweeps(count, signal) {
      // The page of metrics, which grows with the fleet, is not what is measured.
      const seen = new Set([await lastSweepAtMs()])
      await until(async () => seen.add(await lastSweepAtMs()).size > count, signal)
    },
    usage() {
      const read = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
      const stat = read('stat')
      const [user = 0, system = 0] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number)
      const field = (text: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1])
      return {
        cpuSeconds: (user + system) / TICKS_PER_SECOND,
        peakMemoryMb: field(read('status'), 'VmHWM') / 1024,
        writtenMb: field(read('io'), 'write_bytes') / 2 ** 20,
      }
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
