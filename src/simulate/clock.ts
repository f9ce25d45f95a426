import type { Clock } from '../ports/runtime.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass: sleepers whose time comes wake in order, and what they start runs before the next one wakes. */
  advance(ms: number): Promise<void>
  /** Puts the wall clock to another time, forwards or back. Nobody wakes: sleeping is not measured by the wall. */
  set(ms: number): void
  /** How many sleep now. */
  sleepers(): number
}

interface Sleeper {
  readonly wakeAtMs: number
  readonly wake: () => void
}

/** Makes a clock whose wall shows `startMs`, milliseconds since 1970. */
export function createFakeClock(startMs: number): FakeClock {
  let elapsedMs = 0
  let wallOffsetMs = startMs
  const sleepers = new Set<Sleeper>()

  /** Of those that wake at the same time, the one that went to sleep first. */
  const firstDue = (untilMs: number) => {
    let first: Sleeper | null = null
    for (const sleeper of sleepers)
      if (sleeper.wakeAtMs <= untilMs && (first === null || sleeper.wakeAtMs < first.wakeAtMs)) first = sleeper
    return first
  }

  return {
    nowMs: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = {
          wakeAtMs: elapsedMs + Math.max(0, ms),
          wake: () => {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
      }),
    async advance(ms) {
      const untilMs = elapsedMs + ms
      // What was just started gets to its own sleep first.
      await settle()
      for (let due = firstDue(untilMs); due; due = firstDue(untilMs)) {
        elapsedMs = due.wakeAtMs
        due.wake()
        await settle()
      }
      elapsedMs = untilMs
    },
    set(ms) {
      wallOffsetMs = ms - elapsedMs
    },
    sleepers: () => sleepers.size,
  }
}

/** Lets every promise that can go on, go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
