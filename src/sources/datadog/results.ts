import { z } from 'zod'
import { type Missing, missing } from '../../core/observation.ts'
import type { SyntheticTest } from '../../core/synthetic.ts'
import type { SyntheticResult } from '../../ports/source.ts'
import { clause } from '../../shared/text.ts'

/** "Get a test configuration" of Datadog's API reference, the part that says how often it runs. */
const testBody = z.object({
  status: z.enum(['live', 'paused']).optional(),
  options: z.object({ tick_every: z.number().positive() }),
})

/** "Get a test's latest results"; durations in ms. */
const resultsBody = z.object({
  data: z.array(
    z.object({
      attributes: z.object({
        started_at: z.number().optional(),
        finished_at: z.number(),
        status: z.string(),
        run_type: z.string().optional(),
        location: z.object({ id: z.string().optional() }).nullish(),
        execution_info: z
          .object({
            duration: z.object({ value: z.number().optional() }).nullish(),
            error_message: z.string().nullish(),
            unhealthy: z.boolean().nullish(),
          })
          .nullish(),
      }),
    }),
  ),
})

/** How often a test runs. */
export interface TestSchedule {
  readonly everySeconds: number
  readonly isPaused: boolean
}

export function readSchedule(body: unknown): TestSchedule | Missing {
  const parsed = testBody.safeParse(body)
  if (!parsed.success) return missing('bad-answer', 'not a synthetic test of Datadog’s that says how often it runs')
  const { status, options } = parsed.data
  return { everySeconds: options.tick_every, isPaused: status === 'paused' }
}

/** One run. */
export interface Run {
  readonly endedAtMs: number
  readonly location: string
  /** `blind`: it came to nothing, or the place where it ran was unwell. */
  readonly kind: 'passed' | 'failed' | 'blind'
  readonly seconds: number
  readonly error: string | null
}

/** Runs that the schedule began; those that a person or a pipeline began may have been of something else. */
const SCHEDULED: readonly string[] = ['scheduled', 'fast']

export function readRuns(body: unknown): readonly Run[] | Missing {
  const parsed = resultsBody.safeParse(body)
  if (!parsed.success) return missing('bad-answer', 'not results of a synthetic test of Datadog’s')
  const attributes = parsed.data.data.map((one) => one.attributes)
  return attributes
    .filter(({ run_type = 'scheduled' }) => SCHEDULED.includes(run_type))
    .map(({ status, finished_at, started_at = finished_at, location, execution_info }): Run => {
      const isJudged = (status === 'passed' || status === 'failed') && execution_info?.unhealthy !== true
      return {
        endedAtMs: finished_at,
        location: location?.id ?? '',
        kind: isJudged ? status : 'blind',
        seconds: Math.max(0, execution_info?.duration?.value ?? finished_at - started_at) / 1000,
        error: execution_info?.error_message ?? null,
      }
    })
}

/**
 * What the newest runs say, one of each place where the test runs: harm where half of the places or more have failed, so
 * that one place with trouble of its own is not taken for the service's. Counted from the oldest of them: a result is new when every place has
 * run again.
 */
export function judgeRuns(
  runs: readonly Run[],
  { id, location }: SyntheticTest,
  at: { readonly nowMs: number; readonly maxAgeSeconds: number },
): SyntheticResult | Missing {
  const wanted = runs.filter((run) => location === null || run.location === location)
  const newest = [...Map.groupBy(wanted, (run) => run.location).values()].map((all) =>
    all.reduce((one, other) => (other.endedAtMs > one.endedAtMs ? other : one)),
  )
  if (newest.length === 0) return missing('empty', `no result of the test ${id}${location ? ` from ${location}` : ''}`)
  const fresh = newest.filter(({ endedAtMs }) => at.nowMs - endedAtMs <= at.maxAgeSeconds * 1000)
  if (fresh.length === 0) {
    const ageSeconds = Math.round((at.nowMs - Math.max(...newest.map(({ endedAtMs }) => endedAtMs))) / 1000)
    return missing('stale', `the newest result of the test ${id} is ${ageSeconds} s old`)
  }
  const judged = fresh.filter(({ kind }) => kind !== 'blind')
  if (judged.length === 0) return missing('empty', `the newest runs of the test ${id} came to nothing`)
  const failed = judged.filter(({ kind }) => kind === 'failed')
  const seconds = Math.max(...judged.map((run) => run.seconds))
  const endedAtMs = Math.min(...judged.map((run) => run.endedAtMs))
  if (failed.length * 2 < judged.length) return { kind: 'result', outcome: { kind: 'passed', seconds }, endedAtMs }
  const where = judged.length === 1 ? '' : ` in ${failed.length} of ${judged.length} places`
  const said = failed.find(({ error }) => error !== null)?.error ?? null
  const why = clause(`the test ${id} failed${where}${said === null ? '' : `: ${said}`}`, [])
  return { kind: 'result', outcome: { kind: 'failed', seconds, why }, endedAtMs }
}
