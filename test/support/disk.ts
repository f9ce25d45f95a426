import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tellSkipped } from './servers.ts'

/** A small file system of its own. */
export interface Disk {
  readonly folder: string
  /** Leaves not one byte. */
  fill(): void
  /** Takes away what `fill` wrote. */
  empty(): void
  /** Fails while somebody has a file open for writing. */
  mountAs(mode: 'ro' | 'rw'): void
  /** Whoever uses it must have ended. */
  remove(): void
}

/** Whether this user may mount; told as skipped where not, as in most containers. */
export function mayMount(suite: string): boolean {
  try {
    openDisk().remove()
    return true
  } catch {
    tellSkipped(`${suite} needs the right to mount: run it as root, outside a container`)
    return false
  }
}

/** Throws where this user may not mount. */
export function openDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-disk-'))
  const filler = join(folder, 'filler')
  const mount = (...args: readonly string[]) => execFileSync('mount', [...args, folder], { stdio: 'pipe' })
  try {
    mount('-t', 'tmpfs', '-o', 'size=4m', 'headgate-test')
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
  return {
    folder,
    fill: () => {
      for (let bytes = 1 << 20; bytes >= 1; bytes = Math.floor(bytes / 2)) while (appends(filler, bytes));
    },
    empty: () => rmSync(filler),
    mountAs: (mode) => void mount('-o', `remount,${mode}`),
    remove: () => {
      execFileSync('umount', [folder], { stdio: 'pipe' })
      rmSync(folder, { recursive: true })
    },
  }
}

function appends(path: string, bytes: number): boolean {
  try {
    appendFileSync(path, Buffer.alloc(bytes))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}

/** No file that the process writes may grow beyond what that file has now; null: as it likes. */
export function limitFiles(pid: number, path: string | null): void {
  const limit = path === null ? 'unlimited' : String(statSync(path).size)
  // The soft limit alone: that, its owner may lift again.
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${limit}:`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`prlimit: ${stderr}`)
}
