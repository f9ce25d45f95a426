import type { Clock, Wake, Wakeups } from '../ports/runtime.ts'

/** A timer may fire a hair before its time by the wall clock: what is so near counts as reached, milliseconds. */
const EARLY_MS = 50

/**
 * Wakeups for one process. A sweep is due at each multiple of `sweepSeconds` since 1970, so that two processes, and
 * the queries that they send, fall on the same times. A consumer that comes late finds one sweep, not a queue of them.
 * With `first: 'at once'` one is also due at the start: what was committed before comes to its targets then.
 *
 * The timer sleeps at most to the next multiple and then looks at the clock anew: after a jump of the clock the next
 * sweep comes within one interval, and the one after that is aligned again.
 *
 * Has one consumer: calls of `next` do not overlap.
 */
export function createTimerWakeups(
  clock: Clock,
  sweepSeconds: number,
  { first }: { readonly first: 'at once' | 'aligned' } = { first: 'aligned' },
): Wakeups {
  const closing = new AbortController()
  const urgent = new Set<string>()
  let isSweepDue = first === 'at once'
  let wasUrgent = false
  let changed = Promise.withResolvers<void>()

  const announce = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }

  const keepTime = async () => {
    while (!closing.signal.aborted) {
      await clock.sleep(msToNextSweep(clock.nowMs(), sweepSeconds * 1000), closing.signal)
      isSweepDue = true
      announce()
    }
  }
  const timekeeper = keepTime()

  const take = (): Wake | null => {
    // A stream of commands must not starve the sweep: never twice urgent while one is due.
    if (urgent.size > 0 && !(isSweepDue && wasUrgent)) {
      const workloads = [...urgent]
      urgent.clear()
      wasUrgent = true
      return { kind: 'urgent', workloads }
    }
    if (!isSweepDue) return null
    isSweepDue = false
    wasUrgent = false
    return { kind: 'sweep' }
  }

  return {
    async next() {
      while (!closing.signal.aborted) {
        const wake = take()
        if (wake) return wake
        await changed.promise
      }
      return null
    },
    urgent(workloads) {
      for (const workload of workloads) urgent.add(workload)
      announce()
    },
    async close() {
      closing.abort()
      announce()
      await timekeeper
    },
  }
}

function msToNextSweep(nowMs: number, intervalMs: number): number {
  const remainingMs = intervalMs - (nowMs % intervalMs)
  return remainingMs <= Math.min(EARLY_MS, intervalMs / 10) ? remainingMs + intervalMs : remainingMs
}
