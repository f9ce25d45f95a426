import { Problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'

/** Between two tries, ms. */
const RETRY_MS = 500

export interface Insistence {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onTrouble: (problem: Problem) => void
}

/** Tries until it is done, however long the store is away or another has the lease. False: the signal came first. */
export async function insist(task: () => Promise<void>, { clock, signal, onTrouble }: Insistence): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await task()
      return true
    } catch (error) {
      if (!(error instanceof Problem && error.code.startsWith('STORE_'))) throw error
      onTrouble(error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return false
}
