import { problem } from '../core/problem.ts'
import type { Control } from '../ports/control.ts'

/**
 * Throws STORE_UNAVAILABLE while this process knows no rollout: it has just started, and so has the migration. What
 * came then would find nothing to concern, and be lost or refused for a wrong reason. `hint` says what its sender can do.
 */
export function demandLoaded(control: Pick<Control, 'workloads'>, hint: string): void {
  if (control.workloads().length === 0) throw problem('STORE_UNAVAILABLE', 'the rollouts are not loaded yet', { hint })
}

/** For whoever sends a command. */
export const SEND_AGAIN = 'send it again, to a replica whose /readyz says that it is ready'
