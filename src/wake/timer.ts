import type { Clock, Wakeups } from '../ports/runtime.ts'
import { Grid } from './grid.ts'
import { MergedWakes } from './merged.ts'

/**
 * Wakeups for one process. A sweep is due at each multiple of `sweepSeconds` since 1970, so that two processes, and
 * the queries that they send, fall on the same times. A consumer that comes late finds one sweep, not a queue of them.
 * With `first: 'at once'` one is also due at the start: what was committed before comes to its targets then.
 *
 * The timer sleeps at most to the next multiple and then looks at the clock anew: after a jump of the clock the next
 * sweep comes within one interval, and the one after that is aligned again.
 */
export function createTimerWakeups(
  clock: Clock,
  sweepSeconds: number,
  { first }: { readonly first: 'at once' | 'aligned' } = { first: 'aligned' },
): Wakeups {
  const closing = new AbortController()
  const wakes = new MergedWakes()
  const grid = new Grid(sweepSeconds)
  if (first === 'at once') wakes.sweep()

  const keepTime = async () => {
    while (!closing.signal.aborted) {
      await clock.sleep(grid.msUntil(0, clock.nowMs()), closing.signal)
      wakes.sweep()
    }
  }
  const timekeeper = keepTime()

  return {
    next: () => wakes.next(),
    urgent: (workloads) => wakes.urgent(workloads),
    close: async () => {
      closing.abort()
      await wakes.close()
      await timekeeper
    },
  }
}
