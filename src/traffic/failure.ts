import type { ProblemCode } from '../core/catalogue.ts'
import { type Missing, missing } from '../core/observation.ts'
import { Problem, problem } from '../core/problem.ts'
import type { WriteResult } from '../ports/traffic.ts'

/** The result of a change that did not go through. */
export function failed(why: Problem): WriteResult {
  return { kind: 'failed', problem: why.toJSON() }
}

/** The reading that a failed call leaves. */
export function missingFor(why: Problem): Missing {
  return missing(WHY[why.code] ?? 'refused', why.message)
}

const WHY: Partial<Record<ProblemCode, Missing['why']>> = {
  TRAFFIC_TIMEOUT: 'timeout',
  TRAFFIC_UNREACHABLE: 'unreachable',
  TRAFFIC_NOT_FOUND: 'empty',
  TRAFFIC_BAD_ANSWER: 'bad-answer',
}

/** A target that this scope was not opened with. */
export function unknownTarget(targetId: string): Problem {
  return problem('TRAFFIC_NOT_FOUND', `no target ${targetId} in this scope`)
}

/**
 * What a failed connection or request means. A problem stays itself; an abort is TRAFFIC_TIMEOUT; a refusal by the
 * file system is TRAFFIC_REFUSED; anything else is TRAFFIC_UNREACHABLE. The error's code alone is told, because a message
 * may repeat what was sent.
 */
export function connectionProblem(place: string, error: unknown, signal: AbortSignal): Problem {
  if (error instanceof Problem) return error
  const name = error instanceof Error ? error.name : 'unknown'
  if (signal.aborted || name === 'AbortError' || name === 'TimeoutError')
    return problem('TRAFFIC_TIMEOUT', `${place} did not answer within the deadline`, { from: error })
  const code = error instanceof Error && 'code' in error ? String(error.code) : name
  if (code === 'EACCES' || code === 'EPERM')
    return problem('TRAFFIC_REFUSED', `${place} may not be opened: ${code}`, {
      hint: 'let the user that runs Headgate read and write it',
      from: error,
    })
  return problem('TRAFFIC_UNREACHABLE', `${place} cannot be reached: ${code}`, { from: error })
}
