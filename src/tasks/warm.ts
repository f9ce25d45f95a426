import { formatNumber } from '../core/format.ts'
import { isMissing, type Missing, type ProbeOutcome } from '../core/observation.ts'
import type { ProbeSpec } from '../core/plan.ts'
import type { WarmTask } from '../core/task.ts'
import { type Attempt, failed, passed, type RunAttempt, type TaskTools } from './attempt.ts'

/** Requests under way at a time: a NEW that is slow gets fewer a second, not ever more at once. */
const AT_ONCE = 64
/** Of the answers, the last fifth counts, and at least so many: the first ones may well be cold. */
const COUNTED = 100

/** Sends requests to NEW, at an even rate and in turns of the probes, and judges the last of the answers. */
export const runWarm: RunAttempt<WarmTask> = async (attempt, tools) => {
  const { spec } = attempt
  const probes = spec.probes.filter(({ address }) => address.new !== null)
  if (probes.length === 0) return failed('no probe of the workload has an address of new')
  return judge(await ask(probes, attempt, tools), spec)
}

type Outcome = ProbeOutcome | Missing | null

async function ask(
  probes: readonly ProbeSpec[],
  attempt: Attempt<WarmTask>,
  { clock, prober }: TaskTools,
): Promise<readonly Outcome[]> {
  const { requests, perSecond } = attempt.spec
  const { signal } = attempt
  const outcomes = new Array<Outcome>(requests).fill(null)
  const underWay = new Set<Promise<void>>()
  const gapMs = 1000 / perSecond
  let dueMs = clock.nowMs()
  let answered = 0
  for (let index = 0; index < requests; index++) {
    const probe = probes[index % probes.length]
    if (!probe) break
    const waitMs = dueMs - clock.nowMs()
    // A sleep of less than a few ms is not worth its timer: some go together then.
    if (waitMs > 5) await clock.sleep(waitMs, signal)
    while (underWay.size >= AT_ONCE) await Promise.race(underWay)
    signal.throwIfAborted()
    // Of what could not be sent in its time, no more than a second's worth comes in a burst later.
    dueMs = Math.max(dueMs + gapMs, clock.nowMs() - 1000)
    const one = prober.probe(probe, 'new', signal).then((outcome) => {
      outcomes[index] = outcome
      answered += 1
      if (answered % 10 === 0) attempt.tell(`${answered} of ${requests} requests answered`)
    })
    underWay.add(one)
    void one.finally(() => underWay.delete(one))
  }
  await Promise.all(underWay)
  signal.throwIfAborted()
  return outcomes
}

function judge(outcomes: readonly Outcome[], { passPercent }: WarmTask) {
  const last = outcomes.slice(-Math.max(COUNTED, Math.ceil(outcomes.length / 5)))
  const seconds = last.flatMap((one) => (one?.kind === 'passed' ? one.seconds : [])).sort((a, b) => a - b)
  const p95 = seconds[Math.ceil(0.95 * seconds.length) - 1]
  const whole = last.length === outcomes.length ? `all ${last.length}` : `the last ${last.length} of ${outcomes.length}`
  const numbers = `${seconds.length} of ${whole} requests at new passed`
  const latency = p95 === undefined ? '' : `, 95 % of these within ${formatNumber(p95)} s`
  if (seconds.length >= (passPercent / 100) * last.length) return passed(`${numbers}${latency}`)
  const why = last.map(whyNot).findLast((one) => one !== null)
  return failed(`${numbers}${latency}; ${passPercent} % must${why ? `; the newest failure: ${why}` : ''}`)
}

function whyNot(outcome: Outcome): string | null {
  if (outcome === null) return 'no answer'
  if (isMissing(outcome)) return outcome.detail
  return outcome.kind === 'failed' ? outcome.why : null
}
