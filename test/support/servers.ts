import { accessSync, appendFileSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { inject } from 'vitest'

/** Real servers and tools that tests use when they are installed, and how to get them: the names of their binaries. */
const INSTALL = {
  prometheus: 'apt-get install prometheus',
  promtool: 'apt-get install prometheus',
  'prometheus-alertmanager': 'apt-get install prometheus-alertmanager',
  haproxy: 'apt-get install haproxy',
  pdns_server: 'apt-get install pdns-server pdns-backend-sqlite3',
  dig: 'apt-get install bind9-dnsutils',
  'redis-server': 'apt-get install redis-server',
  faketime: 'apt-get install faketime',
  moto_server: "pip install 'moto[server]'",
} as const

export type ServerName = keyof typeof INSTALL

/**
 * The path of a real server's binary; null: not installed, and the suite must skip itself
 * (`describe.skipIf(binary === null)`), which is told at the end. With HEADGATE_REQUIRE_SERVERS=1 its absence throws instead.
 */
export function requireServer(name: ServerName, suite = `the suite of ${name}`): string | null {
  // Debian keeps servers where a plain user's PATH does not look.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const path = folders.map((folder) => join(folder, name)).find(isExecutable)
  if (path !== undefined) return path
  const reason = `${suite} needs ${name} (${INSTALL[name]})`
  if (process.env.HEADGATE_REQUIRE_SERVERS === '1') throw new Error(reason)
  tellSkipped(reason)
  return null
}

/** Has it said at the end of the run that a suite was skipped, and what would let it run. */
export function tellSkipped(reason: string): void {
  appendFileSync(inject('skippedSuitesPath'), `${reason}\n`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
