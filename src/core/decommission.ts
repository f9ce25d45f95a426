import { formatSpan } from './format.ts'
import type { Missing, ReplicasReading } from './observation.ts'
import type { Plan } from './plan.ts'
import type { RolloutState } from './state.ts'

/** Whether OLD may go, for one workload. */
export interface Decommission {
  readonly mayGo: boolean
  /** Why not, a clause each; or what shows that it may. */
  readonly reasons: readonly string[]
}

export interface DecommissionInput {
  readonly state: RolloutState
  readonly plan: Plan
  /** What came to OLD within `seconds` before now. */
  readonly residual: { readonly seconds: number; readonly requests: number | Missing }
  /** OLD's replicas; null: nobody looks at them. */
  readonly oldReplicas: ReplicasReading | null
}

/**
 * OLD may go only if it was quiet for the whole drain time and nothing has come since: never by the weight alone, and never
 * because nothing can be seen. One that has no replicas any more can serve nobody, and so needs no series to prove it.
 */
export function decideDecommission({ state, plan, residual, oldReplicas }: DecommissionInput): Decommission {
  const isGone = oldReplicas?.kind === 'replicas' && oldReplicas.wanted === 0 && oldReplicas.ready === 0
  const { requests, seconds } = residual
  const { maxRequests } = plan.drain
  const against: string[] = []
  if (state.phase.name !== 'completed') against.push(`it is ${state.phase.name}`)
  const quietMs = state.drain?.quietMs ?? 0
  if (plan.drainSeconds === 0 || quietMs < plan.drainSeconds * 1000)
    against.push(`old was watched to be quiet for ${formatSpan(quietMs / 1000)} of ${formatSpan(plan.drainSeconds)}`)
  if (typeof requests === 'number') {
    if (requests > maxRequests)
      against.push(`${counted(requests)} came to old in the last ${formatSpan(seconds)}, ${maxRequests} allowed`)
  } else if (!isGone) {
    against.push(`what comes to old cannot be seen: ${requests.detail}`)
  }
  if (against.length > 0) return { mayGo: false, reasons: against }
  const seen = typeof requests === 'number' ? `${counted(requests)} in the last ${formatSpan(seconds)}` : 'no replicas'
  return { mayGo: true, reasons: [`old was quiet for ${formatSpan(quietMs / 1000)}, and now has ${seen}`] }
}

function counted(requests: number): string {
  const rounded = requests < 1 ? Math.ceil(requests) : Math.round(requests)
  return `${rounded} request${rounded === 1 ? '' : 's'}`
}
