import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { API_KEY, callApi, type Powerdns, ZONE } from './powerdns-user.ts'
import { end, endWithUs, freePorts } from './processes.ts'

/** A real PowerDNS on loopback. */
export interface RealPowerdns extends Powerdns {
  readonly dnsPort: number
  /** Changes its database behind its back. */
  sql(text: string): void
}

export interface PowerdnsOptions {
  /** The setting enable-lua-records. */
  readonly lua?: 'no' | 'yes' | 'shared'
  /** More lines of its config. */
  readonly lines?: readonly string[]
}

/** Where packages put the schema of the SQLite backend. */
const SCHEMAS = [
  '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql',
  '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql',
]

/** Starts PowerDNS with an empty zone, and waits until it answers. Ports are free ones; one that is snatched away means another try. */
export async function startPowerdns(binary: string, options: PowerdnsOptions = {}): Promise<RealPowerdns> {
  for (let attempt = 1; ; attempt++) {
    const running = await tryToStart(binary, options)
    if (typeof running !== 'string') return running
    if (attempt === 5) throw new Error(`PowerDNS does not start: ${running}`)
  }
}

async function tryToStart(binary: string, options: PowerdnsOptions): Promise<RealPowerdns | string> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-powerdns-'))
  const [apiPort = 0, dnsPort = 0] = await freePorts(2)
  const databasePath = join(folder, 'pdns.sqlite')
  const sql = (text: string) => {
    const database = new DatabaseSync(databasePath)
    database.exec(text)
    database.close()
  }
  sql(readFileSync(schemaPath(), 'utf8'))
  writeFileSync(join(folder, 'pdns.conf'), configText(folder, databasePath, { apiPort, dnsPort }, options))
  const child = spawn(binary, [`--config-dir=${folder}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  endWithUs(child)
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk
    })
  const stop = async () => {
    await end(child, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${apiPort}`
  if (!(await isUp(url, child, () => log))) {
    await stop()
    return log
  }
  const zone = { name: `${ZONE}.`, kind: 'Native', nameservers: [`ns1.${ZONE}.`] }
  const { status, text } = await callApi({ url }, 'POST', '/zones', zone)
  if (status !== 201) throw new Error(`PowerDNS creates no zone: ${status} ${text}`)
  return { url, nameserver: `127.0.0.1:${dnsPort}`, dnsPort, sql, freeze: () => child.kill('SIGSTOP'), stop }
}

function schemaPath(): string {
  const path = SCHEMAS.find((candidate) => existsSync(candidate))
  if (path === undefined) throw new Error('the tests of PowerDNS need its package pdns-backend-sqlite3')
  return path
}

function configText(
  folder: string,
  databasePath: string,
  { apiPort, dnsPort }: { readonly apiPort: number; readonly dnsPort: number },
  { lua = 'shared', lines = [] }: PowerdnsOptions,
): string {
  return `launch=gsqlite3
gsqlite3-database=${databasePath}
gsqlite3-pragma-synchronous=0
enable-lua-records=${lua}
api=yes
api-key=${API_KEY}
webserver=yes
webserver-address=127.0.0.1
webserver-port=${apiPort}
webserver-allow-from=127.0.0.1/32
edns-subnet-processing=yes
local-address=127.0.0.1
local-port=${dnsPort}
socket-dir=${folder}
security-poll-suffix=
guardian=no
daemon=no
${lines.join('\n')}
`
}

/** Resolves when the API answers and the DNS threads run, or with false when the process has ended before. */
async function isUp(url: string, child: ChildProcess, log: () => string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const answer = await callApi({ url }, 'GET', '').catch(() => null)
    if (answer?.status === 200 && log().includes('Done launching threads')) return true
    await sleep(10)
  }
  return false
}
