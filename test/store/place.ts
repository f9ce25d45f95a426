import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A path for a store in a new folder, and the removal of both. */
export function createStorePath(): { folder: string; path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-store-'))
  return {
    folder,
    path: join(folder, 'headgate.db'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
