import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request } from 'undici'
import { z } from 'zod'
import { end, endWithUs } from '../test/support/processes.ts'

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
  readonly pid: number | undefined
  /** Resolves when so many more sweeps are committed. */
  sweeps(count: number, signal: AbortSignal): Promise<void>
  /** What the kernel counts for the process. */
  usage(): Usage
  /** Ends it in order. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/**
 * @param main - What Node is to run.
 * @param configPath - A file or a folder.
 */
export function startFleet(main: string, configPath: string, logPath: string): FleetProcess {
  const log = openSync(logPath, 'a')
  const args = [main, 'run', '--json', '-c', configPath, '--log-level', 'warn']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', log] })
  closeSync(log)
  endWithUs(child)
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const url = async (): Promise<string> => {
    while (!said.includes('\n')) {
      if (child.exitCode !== null) throw new Error(readFileSync(logPath, 'utf8'))
      await pause(10)
    }
    return READY.parse(JSON.parse(said.slice(0, said.indexOf('\n')))).url
  }
  /** When the newest sweep was committed, milliseconds since 1970; null: none was. */
  const lastSweepAtMs = async () => {
    const answer = await request(`${await url()}/api/v1/status`)
    return STATUS.parse(await answer.body.json()).lastSweepAtMs
  }
  return {
    pid: child.pid,
    async sweeps(count, signal) {
      // The page of metrics, which grows with the fleet, is not what is measured.
      const seen = new Set([await lastSweepAtMs()])
      while (seen.add(await lastSweepAtMs()).size <= count) {
        await pause(POLL_MS)
        signal.throwIfAborted()
      }
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
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
