import { change, type Draft, emit } from './draft.ts'
import type { TaskAbout } from './effect.ts'
import type { TaskSpec, TaskState } from './task.ts'

/** A task to be done once at its place in a round. */
interface Wanted {
  /** Unique in a round: point, step, name. */
  readonly key: string
  readonly point: TaskAbout['point']
  /** Left out: the same as the point. */
  readonly name?: string
  /** Of the step that it is about; left out: the weight of now. */
  readonly weightPercent?: number | undefined
  readonly spec: TaskSpec
  readonly tries: number
  readonly deadlineSeconds: number
}

/** Takes in what ended since the last step. */
export function settleTasks(draft: Draft): void {
  for (const [key, task] of Object.entries(draft.state.tasks)) {
    if (task.outcome !== null) continue
    const reading = draft.observation.tasks[requestKey(draft, key, task)]
    if (reading === undefined || reading.kind === 'running') continue
    setTask(draft, key, { ...task, outcome: reading.kind, detail: reading.detail })
    const { kind: outcome, seconds, detail } = reading
    emit(draft, { type: 'task-ended', task: key, outcome, seconds, detail })
  }
}

/** Asks for a task until its end was observed; gives what came of it, null: it goes on. */
export function runTask(draft: Draft, wanted: Wanted): TaskState['outcome'] {
  const { key, spec, tries, deadlineSeconds } = wanted
  let task = draft.state.tasks[key]
  if (task === undefined) {
    task = { askedAtMs: draft.nowMs, outcome: null, detail: '', round: 1 }
    setTask(draft, key, task)
    emit(draft, { type: 'task-started', task: key, what: inWords(spec) })
  }
  if (task.outcome === null)
    draft.tasks.push({
      workload: draft.state.workload,
      key: requestKey(draft, key, task),
      about: aboutOf(draft, wanted),
      spec,
      tries,
      deadlineSeconds,
    })
  return task.outcome
}

/** Has a task that passed done again: what it did was undone by somebody. */
export function redoTask(draft: Draft, key: string): void {
  const task = draft.state.tasks[key]
  if (task) setTask(draft, key, { askedAtMs: draft.nowMs, outcome: null, detail: '', round: task.round + 1 })
}

/** Has what failed done again. False: nothing has. */
export function redoFailed(draft: Draft): boolean {
  const failed = Object.entries(draft.state.tasks).filter(([, { outcome }]) => outcome === 'failed')
  for (const [key, task] of failed)
    setTask(draft, key, { askedAtMs: draft.nowMs, outcome: null, detail: '', round: task.round + 1 })
  return failed.length > 0
}

function aboutOf({ state, plan }: Draft, { point, name = point, weightPercent }: Wanted): TaskAbout {
  const { runId, intendedWeightPercent } = state
  return { runId, migration: plan.migration, point, name, weightPercent: weightPercent ?? intendedWeightPercent }
}

function setTask(draft: Draft, key: string, task: TaskState): void {
  change(draft, { tasks: { ...draft.state.tasks, [key]: task } })
}

/** Names the task for good: whoever does it sees the same key again after a crash, and another for another round. */
function requestKey({ state: { runId, workload, round } }: Draft, key: string, task: TaskState): string {
  return `${runId}/${workload}/${round}/${key}/${task.round}`
}

function inWords(spec: TaskSpec): string {
  switch (spec.kind) {
    case 'http':
      return `POST ${spec.url}`
    case 'job':
      return `a Job of ${spec.namespace}/${spec.cronJob} in ${spec.cluster}`
    case 'warm':
      return `${spec.requests} requests at new, ${spec.perSecond} a second`
    case 'scale':
      return `${spec.object.namespace}/${spec.object.name} in ${spec.cluster} to ${spec.replicas} replicas`
  }
}
