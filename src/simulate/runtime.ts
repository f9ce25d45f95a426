import type { Log, Meter, Random } from '../ports/runtime.ts'

/** What the engine said, by level. */
export interface FakeLog extends Log {
  readonly lines: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }[]
}

export function createFakeLog(): FakeLog {
  const lines: FakeLog['lines'] = []
  const note = (level: 'debug' | 'info' | 'warn' | 'error') => (_: object, message: string) =>
    void lines.push({ level, message })
  return { lines, debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
}

/** Ids that count up, and always the same chance. */
export function createFakeRandom(chance = 0): Random {
  let count = 0
  return { next: () => chance, id: () => String(++count).padStart(26, '0') }
}

/** A meter that notes how sweeps ended. */
export function createFakeMeter(): Meter & { readonly sweeps: string[] } {
  const sweeps: string[] = []
  return {
    sweeps,
    sweep: (_, outcome) => void sweeps.push(outcome),
    call: () => {},
    events: () => {},
    reload: () => {},
  }
}

/** Lets every promise that can go on, go on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
