import { accessSync, appendFileSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { inject } from 'vitest'

/** Real servers that tests use when they are installed: the names of binary and Debian package. */
const PACKAGES = { prometheus: 'prometheus', haproxy: 'haproxy' } as const

export type ServerName = keyof typeof PACKAGES

/**
 * The path of a real server's binary; null: not installed, and the suite must skip itself
 * (`describe.skipIf(binary === null)`), which is told at the end. With HEADGATE_REQUIRE_SERVERS=1 its absence throws instead.
 */
export function requireServer(name: ServerName, suite = `the suite of ${name}`): string | null {
  // Debian keeps servers where a plain user's PATH does not look.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const path = folders.map((folder) => join(folder, name)).find(isExecutable)
  if (path !== undefined) return path
  const reason = `${suite} needs ${PACKAGES[name]}`
  if (process.env.HEADGATE_REQUIRE_SERVERS === '1') throw new Error(`${reason} (apt-get install ${PACKAGES[name]})`)
  appendFileSync(inject('skippedSuitesPath'), `${reason}\n`)
  return null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
