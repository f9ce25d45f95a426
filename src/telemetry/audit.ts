import { appendFileSync } from 'node:fs'
import type { Audit } from '../ports/audit.ts'
import type { Log } from '../ports/runtime.ts'

/**
 * Tells the log, at the level info, and appends a JSON line to the file. The file is opened for each line, so that one that
 * was rotated away is begun anew; it is made readable to its owner alone. `path` null: the log alone.
 */
export function createAudit(path: () => string | null, log: Log): Audit {
  return (entry) => {
    log.info({ audit: entry }, 'audit')
    const file = path()
    if (file === null) return
    try {
      appendFileSync(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
    } catch (error) {
      log.error({ path: file, audit: entry, err: error }, 'the audit file cannot be written')
    }
  }
}
