import type { Clock } from '../ports/runtime.ts'

/** Starts a stopwatch; calling what it returns gives the seconds since. */
export type Timer = () => () => number

export function createTimer(clock: Clock): Timer {
  return () => {
    const startedMs = clock.nowMs()
    return () => Math.max(0, (clock.nowMs() - startedMs) / 1000)
  }
}
