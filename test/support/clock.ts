import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A wall clock that a process goes by while others keep the machine's. Its monotonic clock is the machine's. */
export interface FalseClock {
  /** The environment of a process that goes by it. */
  readonly env: Readonly<Record<string, string>>
  /** Sets it so many seconds off the machine's, at once. */
  set(offsetSeconds: number): void
  stop(): void
}

/** Sets up a clock that is right for now; by faketime, the path of its binary. */
export function createFalseClock(faketime: string): FalseClock {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-clock-'))
  const [file, next] = [join(folder, 'offset'), join(folder, 'next')]
  const set = (offsetSeconds: number) => {
    writeFileSync(next, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}`)
    // At once: a reader must not find half of it.
    renameSync(next, file)
  }
  set(0)
  return {
    env: {
      // Where the library is depends on the machine: its own command knows.
      LD_PRELOAD: execFileSync(faketime, ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).trim(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
    stop: () => rmSync(folder, { recursive: true, force: true }),
  }
}
