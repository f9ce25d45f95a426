import type { TaskRequest } from '../core/effect.ts'
import { formatSpan } from '../core/format.ts'
import type { TaskReading, TaskSpec } from '../core/task.ts'
import type { Log } from '../ports/runtime.ts'
import type { TaskRunner } from '../ports/sight.ts'
import { byDeadline, within } from '../shared/deadline.ts'
import { type Attempt, type AttemptEnd, failed, type TaskTools } from './attempt.ts'
import { runAttempt } from './kinds.ts'

/** Of each workload, so many that have ended keep their reading. */
const KEPT = 10
/** Before the second try, ms; twice as long before each further one, up to the longest. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export interface TaskRunnerDeps extends TaskTools {
  readonly log: Log
  /** A task of this workload has ended: its reading has the outcome. */
  readonly onEnded: (workload: string) => void
}

/** Does tasks, each in the way of its kind: with tries, pauses between them, and one deadline over all. */
export function createTaskRunner(deps: TaskRunnerDeps): TaskRunner {
  const byWorkload = new Map<string, Map<string, TaskReading>>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()

  const begin = (request: TaskRequest, readings: Map<string, TaskReading>) => {
    const tell = (detail: string) => void readings.set(request.key, { kind: 'running', detail })
    tell('begun')
    const done = runToItsEnd(request, deps, { closing: closing.signal, tell }).then((ended) => {
      readings.delete(request.key)
      // Stopped on the way, it has no outcome: whoever starts next is asked for it again.
      if (closing.signal.aborted) return
      readings.set(request.key, ended)
      forgetOld(readings)
      deps.onEnded(request.workload)
    })
    running.add(done)
    void done.finally(() => running.delete(done))
  }

  return {
    want(requests) {
      if (closing.signal.aborted) return
      for (const request of requests) {
        const readings = byWorkload.get(request.workload) ?? new Map<string, TaskReading>()
        byWorkload.set(request.workload, readings)
        if (!readings.has(request.key)) begin(request, readings)
      }
    },
    readings: (workload) => Object.fromEntries(byWorkload.get(workload) ?? []),
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

/** A map has its entries in the order in which they ended. */
function forgetOld(readings: Map<string, TaskReading>): void {
  const ended = [...readings].filter(([, { kind }]) => kind !== 'running')
  for (const [key] of ended.slice(0, -KEPT)) readings.delete(key)
}

interface Way {
  readonly closing: AbortSignal
  readonly tell: (detail: string) => void
}

async function runToItsEnd(request: TaskRequest, deps: TaskRunnerDeps, way: Way): Promise<TaskReading> {
  const { clock } = deps
  const startMs = clock.nowMs()
  let last = ''
  const tell = (detail: string) => {
    last = detail
    way.tell(detail)
  }
  const { outcome, detail } = await within(clock, request.deadlineSeconds * 1000, (deadline) => {
    const signal = AbortSignal.any([deadline, way.closing])
    const late = () => {
      const soFar = last === '' ? '' : `; so far: ${last}`
      return failed(`not done within ${formatSpan(request.deadlineSeconds)}${soFar}`)
    }
    return byDeadline(tryAll(request, deps, { signal, tell, startMs }), signal, late)
  })
  const atMs = clock.nowMs()
  return {
    kind: outcome === 'passed' ? 'passed' : 'failed',
    atMs,
    seconds: Math.max(0, atMs - startMs) / 1000,
    detail,
  }
}

interface Tries {
  readonly signal: AbortSignal
  readonly tell: (detail: string) => void
  readonly startMs: number
}

async function tryAll(request: TaskRequest, deps: TaskRunnerDeps, { signal, tell, startMs }: Tries) {
  const { clock, random } = deps
  const remainingSeconds = () => Math.max(0, request.deadlineSeconds - (clock.nowMs() - startMs) / 1000)
  for (let number = 1; ; number++) {
    const end = await tryOnce({ request, spec: request.spec, number, signal, tell, remainingSeconds }, deps)
    if (end.outcome !== 'trouble') return end
    if (number >= request.tries)
      return number === 1 ? failed(end.detail) : failed(`${end.detail}; tried ${number} times`)
    tell(`try ${number} of ${request.tries}: ${end.detail}`)
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (number - 1))
    // Between half and one and a half of it, so that what failed together does not come back together.
    const jitteredMs = pauseMs * (0.5 + random.next())
    await clock.sleep(Math.max(jitteredMs, 1000 * (end.retryAfterSeconds ?? 0)), signal)
    // The deadline has given the answer already.
    if (signal.aborted) return end
  }
}

async function tryOnce(attempt: Attempt<TaskSpec>, deps: TaskRunnerDeps): Promise<AttemptEnd> {
  const { request, signal } = attempt
  try {
    return await runAttempt(attempt, deps)
  } catch (error) {
    if (!signal.aborted)
      deps.log.error({ error, workload: request.workload, task: request.key }, 'a task broke: a fault in Headgate')
    return failed('a fault in Headgate: its log has more')
  }
}
