import { problem } from '../core/problem.ts'
import type { Control } from '../ports/control.ts'

/**
 * Throws STORE_UNAVAILABLE while this process has not loaded any rollout: it has just started, or another one has the lease. What
 * came then would find nothing to concern, and be lost or refused for a wrong reason. `hint` says what its sender can do.
 */
export function demandLoaded(control: Pick<Control, 'workloads'>, hint: string): void {
  if (control.workloads().length === 0) throw problem('STORE_UNAVAILABLE', 'the rollouts are not loaded yet', { hint })
}

/** For whoever sends a command. */
export const SEND_AGAIN = 'send it again, or to the replica that decides: its /readyz says so'
