import { createHash } from 'node:crypto'
import type { TaskRequest } from '../core/effect.ts'
import { isMissing } from '../core/observation.ts'
import type { JobTask } from '../core/task.ts'
import { failed, passed, type RunAttempt, trouble } from './attempt.ts'

const POLL_MS = 3000
/** Questions in a row that the API server may leave unanswered. */
const GAPS = 5

/**
 * Runs a Job of a CronJob's template, and waits for its end. Its name follows from the key and the try: after a crash the
 * same Job is found again, and no second one is made.
 */
export const runJob: RunAttempt<JobTask> = async (attempt, { clustersOf, clock }) => {
  const { request, spec, number, signal } = attempt
  const cluster = clustersOf(request.about.migration)?.[spec.cluster] ?? null
  if (cluster === null) return failed(`no access to the API server of ${spec.cluster} is configured (\`kubernetes:\`)`)
  const { namespace, cronJob } = spec
  const name = jobName(request.key, number)
  const env = environmentOf(request)
  for (let gaps = 0; ; ) {
    const deadlineSeconds = Math.max(1, Math.ceil(attempt.remainingSeconds()))
    const state = await cluster.job({ namespace, cronJob, name, env, deadlineSeconds }, signal)
    signal.throwIfAborted()
    if (isMissing(state)) {
      gaps += 1
      if (gaps >= GAPS) return trouble(`Job ${namespace}/${name}: ${state.detail}`)
      // Neither is mended by waiting.
      if (state.why === 'empty' || state.why === 'refused') return failed(`Job ${namespace}/${name}: ${state.detail}`)
    } else {
      gaps = 0
      const detail = `Job ${namespace}/${name}: ${state.detail}`
      if (state.outcome === 'passed') return passed(detail)
      if (state.outcome === 'failed') return trouble(detail)
      attempt.tell(detail)
    }
    await clock.sleep(POLL_MS, signal)
    signal.throwIfAborted()
  }
}

/** A name for a Job, of at most 63 characters: readable at its start, and another one for each key and try. */
export function jobName(key: string, number: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([key, number]))
    .digest('hex')
    .slice(0, 16)
  // The end of a key says more than its beginning, which is the run's id.
  const words = key
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(-32)
    .replaceAll(/^-+|-+$/g, '')
  return ['headgate', words, hash].filter((part) => part !== '').join('-')
}

function environmentOf({ workload, key, about }: TaskRequest): Readonly<Record<string, string>> {
  return {
    HEADGATE_RUN_ID: about.runId,
    HEADGATE_MIGRATION: about.migration,
    HEADGATE_WORKLOAD: workload,
    HEADGATE_POINT: about.point,
    HEADGATE_NAME: about.name,
    HEADGATE_WEIGHT_PERCENT: String(about.weightPercent),
    HEADGATE_KEY: key,
  }
}
