import type { Clock } from '../ports/runtime.ts'

/** Starts a stopwatch; calling what it returns gives the seconds since. */
export type Timer = () => () => number

export function createTimer(clock: Clock): Timer {
  return () => {
    const startedMs = clock.monotonicMs()
    return () => (clock.monotonicMs() - startedMs) / 1000
  }
}
