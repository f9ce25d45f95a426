import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SyntheticTest } from '../../core/synthetic.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { SyntheticReader } from '../../ports/source.ts'
import { createDatadogClient, type DatadogClient } from './client.ts'
import { judgeRuns, type Run, readRuns, readSchedule, type TestSchedule } from './results.ts'
import type { DatadogSettings } from './settings.ts'

/** How long a test's schedule is believed, ms. */
const SCHEDULE_MS = 600_000
/** A test is asked about at most so often, ms, and four times between two runs. */
const ASK_MS = 10_000
const ASKS_A_RUN = 4
/** How far back results are asked for, runs. */
const RUNS_BACK = 10

/** What is known of one test. */
interface Known {
  schedule: (TestSchedule & { readonly readAtMs: number }) | null
  runs: { readonly all: readonly Run[]; readonly askedAtMs: number } | null
  /** Why the newest question had no answer; null: it had one. */
  why: Missing | null
}

/** Results of Datadog's synthetic tests: asked for once in a while, since each endpoint has a limit of its own. */
export function openSynthetics(settings: DatadogSettings, context: AdapterContext): SyntheticReader {
  const { clock } = context
  const client = createDatadogClient(settings, context)
  const known = new Map<string, Known>()
  return {
    async read(test, signal) {
      const key = JSON.stringify([test.id, test.location])
      const one = known.get(key) ?? { schedule: null, runs: null, why: null }
      known.set(key, one)
      await refresh(one, test, { client, nowMs: clock.nowMs(), signal })
      const { schedule, runs } = one
      if (schedule === null || runs === null)
        return one.why ?? missing('empty', `nothing is known of the test ${test.id}`)
      if (schedule.isPaused) return missing('stale', `the test ${test.id} is paused`)
      // A run is told some time after it has ended; when the next one is over, the one before says nothing any more.
      const maxAgeSeconds = schedule.everySeconds + settings.ingestDelaySeconds
      const said = judgeRuns(runs.all, test, { nowMs: clock.nowMs(), maxAgeSeconds })
      // Where the newest question had no answer, that is the reason.
      return isMissing(said) ? (one.why ?? said) : said
    },
    close: () => client.close(),
  }
}

interface Asking {
  readonly client: DatadogClient
  readonly nowMs: number
  readonly signal: AbortSignal
}

async function refresh(one: Known, test: SyntheticTest, asking: Asking): Promise<void> {
  const { nowMs } = asking
  const isOld = (atMs: number, ms: number) => nowMs - atMs >= ms || nowMs < atMs
  if (one.schedule === null || isOld(one.schedule.readAtMs, SCHEDULE_MS)) {
    const schedule = await askSchedule(test, asking)
    one.why = isMissing(schedule) ? schedule : null
    if (!isMissing(schedule)) one.schedule = { ...schedule, readAtMs: nowMs }
  }
  if (one.schedule === null) return
  const everyMs = one.schedule.everySeconds * 1000
  if (one.runs !== null && !isOld(one.runs.askedAtMs, Math.max(ASK_MS, everyMs / ASKS_A_RUN))) return
  const runs = await askRuns(test, RUNS_BACK * everyMs, asking)
  one.why = isMissing(runs) ? runs : null
  if (!isMissing(runs)) one.runs = { all: runs, askedAtMs: nowMs }
}

async function askSchedule({ id }: SyntheticTest, { client, signal }: Asking): Promise<TestSchedule | Missing> {
  const path = `/api/v1/synthetics/tests/${encodeURIComponent(id)}`
  const sent = await client.call({ endpoint: 'synthetics test', path, body: null }, signal)
  return sent.kind === 'body' ? readSchedule(sent.body) : told(sent, id)
}

async function askRuns(
  { id, location }: SyntheticTest,
  backMs: number,
  { client, nowMs, signal }: Asking,
): Promise<readonly Run[] | Missing> {
  const asked = new URLSearchParams({ from_ts: String(Math.floor(nowMs - backMs)) })
  if (location !== null) asked.append('probe_dc', location)
  const path = `/api/v2/synthetics/tests/${encodeURIComponent(id)}/results?${asked}`
  const sent = await client.call({ endpoint: 'synthetics results', path, body: null }, signal)
  return sent.kind === 'body' ? readRuns(sent.body) : told(sent, id)
}

function told({ why, detail }: Missing, id: string): Missing {
  return missing(why, `the test ${id}: ${detail}`)
}
