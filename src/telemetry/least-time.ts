import type { Plan } from '../core/plan.ts'
import type { RolloutState } from '../core/state.ts'
import { unreachable } from '../core/unreachable.ts'

/**
 * The least time until a workload is completed: what its plan still has of holds, bake and drain. Propagation, proof and
 * whatever it waits for come on top. null: it is on no way there.
 */
export function leastSecondsLeft(plan: Plan, { phase, heldMs, drain }: RolloutState): number | null {
  const { steps, bakeSeconds, drainSeconds } = plan
  const holdsFrom = (index: number) => steps.slice(index).reduce((sum, { holdSeconds }) => sum + holdSeconds, 0)
  const rest = (seconds: number, doneMs: number) => Math.max(0, seconds - doneMs / 1000)
  switch (phase.name) {
    case 'waiting':
    case 'preflight':
    case 'preparing':
      return holdsFrom(0) + bakeSeconds + drainSeconds
    case 'stepping': {
      const held = rest(steps[phase.stepIndex]?.holdSeconds ?? 0, heldMs)
      return held + holdsFrom(phase.stepIndex + 1) + bakeSeconds + drainSeconds
    }
    case 'baking':
      return rest(bakeSeconds, heldMs) + drainSeconds
    case 'draining':
      return rest(drainSeconds, drain?.quietMs ?? 0)
    case 'completed':
      return 0
    case 'reverting':
    case 'reverted':
    case 'cancelled':
      return null
    default:
      return unreachable(phase)
  }
}
