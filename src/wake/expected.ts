import type { Clock, Wakeups } from '../ports/runtime.ts'
import { Grid } from './grid.ts'
import { MergedWakes } from './merged.ts'

/** How far into an interval its sweep may be late before it is missed. */
const LATEST_SHARE = 0.5

/** Wakeups whose sweeps are told by somebody else, who may be late, tell twice, or be gone. */
export interface ExpectedWakeups extends Wakeups {
  /** Told that a sweep is due. Only the first time in an interval counts. */
  sweep(): void
  /** Told that facts were put into the inbox. */
  look(): void
}

/**
 * The first sweep is due at once: who takes over does not know when the last one was. Then each interval (the multiples of
 * `sweepSeconds` since 1970) has one: when it is told, or at the latest half an interval late, by the clock of this process. `onMissed` is
 * called then; so sweeps are never further apart than one and a half intervals, and go on every interval when nobody tells them any more.
 *
 * After a jump of the clock the next sweep comes within one interval.
 */
export function createExpectedWakeups(clock: Clock, sweepSeconds: number, onMissed: () => void): ExpectedWakeups {
  const closing = new AbortController()
  const wakes = new MergedWakes()
  const grid = new Grid(sweepSeconds)
  let sweptSlot = grid.slotAt(clock.nowMs())
  wakes.sweep()

  /** False: this interval has had its sweep. */
  const sweep = () => {
    const slot = grid.slotAt(clock.nowMs())
    if (slot === sweptSlot) return false
    sweptSlot = slot
    wakes.sweep()
    return true
  }
  const watch = async () => {
    while (!closing.signal.aborted) {
      await clock.sleep(grid.msUntil(LATEST_SHARE, clock.nowMs()), closing.signal)
      if (!closing.signal.aborted && sweep()) onMissed()
    }
  }
  const watching = watch()

  return {
    next: () => wakes.next(),
    urgent: (workloads) => wakes.urgent(workloads),
    look: () => wakes.look(),
    sweep: () => void sweep(),
    close: async () => {
      closing.abort()
      await wakes.close()
      await watching
    },
  }
}
