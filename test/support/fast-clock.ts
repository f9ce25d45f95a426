import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../src/ports/runtime.ts'

/** A clock on which so many seconds pass in a real one: for what really goes over a network, but waits for long. */
export function createFastClock(factor: number, startMs = Date.UTC(2026, 10, 21, 12)): Clock {
  const beganMs = performance.now()
  return {
    nowMs: () => startMs + (performance.now() - beganMs) * factor,
    monotonicMs: () => (performance.now() - beganMs) * factor,
    async sleep(ms, signal) {
      if (!signal?.aborted) await delay(ms / factor, undefined, signal && { signal }).catch(() => {})
    },
  }
}
