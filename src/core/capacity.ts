import { change, type Draft, hold, unhold } from './draft.ts'
import { formatPercent } from './format.ts'
import type { ReplicasReading } from './observation.ts'
import type { CapacityRule, Side } from './plan.ts'
import { redoTask, runTask } from './run-tasks.ts'
import { hasHold } from './state.ts'

const SCALE_DEADLINE_SECONDS = 300
const SCALE_TRIES = 10
/** Between two times that the same is asked for, ms. */
const SCALE_AGAIN_MS = 60_000

/** Notes how many replicas all of the traffic has in OLD, as long as it is there. */
export function noteFullReplicas(draft: Draft): void {
  const old = draft.observation.replicas?.old
  if (draft.state.intendedWeightPercent > 0 || hasHold(draft.state, 'unknown-weight') || old?.kind !== 'replicas')
    return
  const fullReplicas = Math.max(draft.state.fullReplicas ?? 0, old.ready)
  if (fullReplicas !== draft.state.fullReplicas) change(draft, { fullReplicas })
}

/** Whether NEW has the ready replicas that this weight needs. Otherwise it holds, and scales up if it may. */
export function followCapacity(draft: Draft, weightPercent: number): boolean {
  const rule = draft.plan.capacity
  const shortage = rule && shortageOf(draft, 'new', weightPercent, 1 + rule.headroomPercent / 100)
  if (!shortage) {
    unhold(draft, 'capacity', 'new has the replicas that the next weight needs')
    return true
  }
  // Nobody looked yet: no pass, and nothing to tell either.
  if (shortage === 'unread') return false
  hold(draft, 'capacity', `${shortage.sentence} for ${formatPercent(weightPercent)}`)
  scaleUp(draft, 'new', shortage)
  return false
}

/** Whether OLD could take all that a revert brings back. `unknown`: that cannot be told, which keeps no revert back. */
export type OldCapacity =
  | { readonly kind: 'enough' | 'unknown' }
  | { readonly kind: 'short'; readonly sentence: string; readonly isScaled: boolean }

/** OLD may use up its headroom. Where it is short of replicas and may be scaled, that begins here. */
export function oldCapacity(draft: Draft): OldCapacity {
  const rule = draft.plan.capacity
  if (rule === null) return { kind: 'enough' }
  const percent = 100 - draft.plan.safeWeightPercent
  const shortage = shortageOf(draft, 'old', percent, 1 / (1 + rule.headroomPercent / 100))
  if (shortage === null) return { kind: 'enough' }
  if (shortage === 'unread' || shortage.needed === null) return { kind: 'unknown' }
  return { kind: 'short', sentence: shortage.sentence, isScaled: scaleUp(draft, 'old', shortage) }
}

/** Why a revert waits, and for what. */
export function shortness({ sentence, isScaled }: Extract<OldCapacity, { kind: 'short' }>): string {
  return isScaled
    ? `${sentence}; it is being scaled up, and the traffic comes back then`
    : `${sentence}; scale it up, or revert with force`
}

interface Shortage {
  readonly sentence: string
  /** Replicas to have; null: not known. */
  readonly needed: number | null
  /** What they are scaled up to where they are too few. */
  readonly target: number
}

/** null: there are enough. `unread`: nobody looked yet. */
function shortageOf(draft: Draft, side: Side, percent: number, factor: number): Shortage | 'unread' | null {
  const { plan, state, observation } = draft
  // No share needs no replicas, whether they can be counted or not.
  if (percent === 0) return null
  const reading = observation.replicas?.[side]
  if (reading === undefined) return 'unread'
  if (reading.kind === 'missing')
    return { sentence: `the replicas of ${side} cannot be counted: ${reading.detail}`, needed: null, target: 0 }
  const full = fullOf(plan.capacity, state.fullReplicas)
  if (full === null)
    return { sentence: 'it is not known how many replicas all of the traffic needs', needed: null, target: 0 }
  const share = (full * percent) / 100
  const needed = Math.max(1, Math.ceil(share * factor - 1e-9))
  if (reading.ready >= needed) return null
  return { sentence: sentenceOf(side, reading, needed), needed, target: Math.max(needed, Math.ceil(share - 1e-9)) }
}

function fullOf(rule: CapacityRule | null, seen: number | null): number | null {
  return rule?.fullReplicas ?? seen
}

function sentenceOf(side: Side, { ready, wanted }: Extract<ReplicasReading, { kind: 'replicas' }>, needed: number) {
  const coming = wanted > ready ? ` (${wanted} wanted)` : ''
  return `${side} has ${ready} ready ${ready === 1 ? 'replica' : 'replicas'}${coming} of the ${needed} that it needs`
}

/** Whether somebody, an autoscaler for one, has taken back what was scaled before. It is not fought over at each sweep. */
function isUndone({ state, observation, nowMs }: Draft, cluster: Side, key: string, target: number): boolean {
  const reading = observation.replicas?.[cluster]
  const task = state.tasks[key]
  const isOld = task?.outcome === 'passed' && nowMs - task.askedAtMs >= SCALE_AGAIN_MS
  return isOld && reading?.kind === 'replicas' && reading.wanted < target
}

/** True when it is being scaled up. */
function scaleUp(draft: Draft, cluster: Side, { needed, target }: Shortage): boolean {
  const object = draft.plan.objects?.[cluster]
  if (draft.plan.capacity?.scale !== 'up' || object === undefined || needed === null) return false
  const spec = { kind: 'scale', cluster, object, replicas: target, isDown: false } as const
  const key = `scale/${cluster}/${target}`
  if (isUndone(draft, cluster, key, target)) redoTask(draft, key)
  return (
    runTask(draft, { key, point: 'scale', spec, tries: SCALE_TRIES, deadlineSeconds: SCALE_DEADLINE_SECONDS }) !==
    'failed'
  )
}

/** Scales OLD down once the workload has moved. */
export function scaleOldDown(draft: Draft): void {
  const object = draft.plan.objects?.old
  const wanted = draft.plan.capacity?.oldAfterwards
  if (!object || !wanted) return
  const spec = { kind: 'scale', cluster: 'old', object, replicas: wanted.replicas, isDown: true } as const
  const key = `scale-down/old/${wanted.replicas}`
  runTask(draft, { key, point: 'scale', spec, tries: SCALE_TRIES, deadlineSeconds: SCALE_DEADLINE_SECONDS })
}
