import type { TaskSpec } from '../core/task.ts'
import { unreachable } from '../core/unreachable.ts'
import type { Attempt, AttemptEnd, TaskTools } from './attempt.ts'
import { runHttp } from './http.ts'
import { runJob } from './job.ts'
import { runScale } from './scale.ts'
import { runWarm } from './warm.ts'

/** Tries a task of any kind once. */
export function runAttempt({ spec, ...attempt }: Attempt<TaskSpec>, tools: TaskTools): Promise<AttemptEnd> {
  switch (spec.kind) {
    case 'http':
      return runHttp({ ...attempt, spec }, tools)
    case 'job':
      return runJob({ ...attempt, spec }, tools)
    case 'warm':
      return runWarm({ ...attempt, spec }, tools)
    case 'scale':
      return runScale({ ...attempt, spec }, tools)
    default:
      return unreachable(spec)
  }
}
