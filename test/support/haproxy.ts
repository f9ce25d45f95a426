import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sides } from '../../src/core/plan.ts'
import { endWithUs, freePorts } from './processes.ts'

/** One backend with a frontend of its own; its servers are called `old` and `new`, at first 100 to 0. */
export interface HaproxyBackend {
  readonly name: string
  /** Ports on 127.0.0.1. */
  readonly ports: Sides<number>
  /** More lines of the backend's section, e.g. `balance static-rr`. */
  readonly lines?: readonly string[]
}

/** A real HAProxy on loopback. */
export interface RealHaproxy {
  /** As the `socket` of a target; level admin. */
  readonly socketName: string
  /** The same over TCP. */
  readonly tcpSocketName: string
  /** Another one, of level user: it may look, not touch. */
  readonly viewerSocketName: string
  /** Where clients of a backend connect. */
  port(backend: string): number
  /** One command on the runtime API, by a connection of its own: what an operator does by hand. */
  command(text: string): Promise<string>
  /** By HAProxy's own count: requests that each server was given since the start. */
  requests(backend: string): Promise<Sides<number>>
  /** By HAProxy's own count: answers 5xx of a backend, HAProxy's own ones included, beyond those for which clients did not wait. */
  failures(backend: string): Promise<number>
  /** Stops the process where it stands: it takes connections (the kernel does), and does not answer. */
  freeze(): void
  stop(): Promise<void>
}

/** Starts HAProxy and waits until it answers; `moreConfig` goes at the end of its file. Ports are free ones; one that is snatched away means another try. */
export async function startHaproxy(
  binary: string,
  backends: readonly HaproxyBackend[],
  moreConfig = '',
): Promise<RealHaproxy> {
  for (let attempt = 1; ; attempt++) {
    const running = await tryToStart(binary, backends, moreConfig)
    if (typeof running !== 'string') return running
    if (attempt === 5) throw new Error(`haproxy does not start: ${running}`)
  }
}

async function tryToStart(
  binary: string,
  backends: readonly HaproxyBackend[],
  moreConfig: string,
): Promise<RealHaproxy | string> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-haproxy-'))
  const [tcpPort = 0, ...ports] = await freePorts(backends.length + 1)
  const path = join(folder, 'admin.sock')
  const viewerPath = join(folder, 'user.sock')
  const config = configText(backends, ports, { path, viewerPath, tcpPort })
  writeFileSync(join(folder, 'haproxy.cfg'), `${config}\n${moreConfig}\n`)
  const child = spawn(binary, ['-db', '-f', join(folder, 'haproxy.cfg')], { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithUs(child)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await isUp(path, child))) {
    await stop()
    return log
  }
  const command = (text: string) => ask(path, text)
  return {
    socketName: path,
    tcpSocketName: `tcp://127.0.0.1:${tcpPort}`,
    viewerSocketName: viewerPath,
    port: (backend) => ports[backends.findIndex(({ name }) => name === backend)] ?? 0,
    command,
    requests: async (backend) => {
      const stat = await command('show stat')
      return { old: countOf(stat, 'stot', backend, 'old'), new: countOf(stat, 'stot', backend, 'new') }
    },
    failures: async (backend) => {
      const stat = await command('show stat')
      const [failed, left] = [
        countOf(stat, 'hrsp_5xx', backend, 'BACKEND'),
        countOf(stat, 'cli_abrt', backend, 'BACKEND'),
      ]
      return Math.max(0, failed - left)
    },
    freeze: () => child.kill('SIGSTOP'),
    stop,
  }
}

interface Sockets {
  readonly path: string
  readonly viewerPath: string
  readonly tcpPort: number
}

function configText(backends: readonly HaproxyBackend[], ports: readonly number[], sockets: Sockets): string {
  const sections = backends.map(
    ({ name, ports: { old, new: new_ }, lines = [] }, index) => `
frontend in-${name}
  bind 127.0.0.1:${ports[index]}
  default_backend ${name}
backend ${name}
${lines.map((line) => `  ${line}\n`).join('')}  server old 127.0.0.1:${old} weight 100
  server new 127.0.0.1:${new_} weight 0
`,
  )
  // A busy machine answers late: that is no failure. What HAProxy answers by itself is one, as when no server has a weight.
  return `global
  stats socket ${sockets.path} mode 600 level admin
  stats socket ${sockets.viewerPath} mode 600 level user
  stats socket ipv4@127.0.0.1:${sockets.tcpPort} level admin
defaults
  mode http
  balance roundrobin
  timeout connect 5m
  timeout client 5m
  timeout server 5m
${sections.join('')}`
}

/** Resolves when the runtime API answers, or with false when the process has ended before. */
async function isUp(path: string, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const answer = await ask(path, 'show info').catch(() => null)
    if (answer?.startsWith('Name: HAProxy')) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

async function ask(path: string, command: string): Promise<string> {
  const socket = connect({ path })
  socket.setEncoding('utf8').write(`${command}\n`)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer.trim()
}

/** A cell of HAProxy's statistics. */
function countOf(csv: string, column: string, backend: string, server: string): number {
  const [header = '', ...rows] = csv.replace(/^# /, '').split('\n')
  const cells = rows.map((row) => row.split(',')).find((row) => row[0] === backend && row[1] === server)
  const text = cells?.[header.split(',').indexOf(column)]
  if (text === undefined || text === '') throw new Error(`haproxy has no ${column} of ${backend}/${server}`)
  return Number(text)
}
