/** A bounded number of places, given to who waits longest. */
export interface Slots {
  /** Resolves with true when a place is the caller's, to be given back; false: the signal came first. */
  take(signal: AbortSignal): Promise<boolean>
  give(): void
}

/** Makes `count` places. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting = new Set<() => void>()
  return {
    async take(signal) {
      if (signal.aborted) return false
      if (free > 0) {
        free -= 1
        return true
      }
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const enter = () => resolve(true)
      const leave = () => {
        waiting.delete(enter)
        resolve(false)
      }
      waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await promise
      } finally {
        signal.removeEventListener('abort', leave)
      }
    },
    give() {
      const [next] = waiting
      if (next === undefined) free += 1
      else {
        waiting.delete(next)
        next()
      }
    },
  }
}
