import { addCounts, type Counts, isMissing, type Missing, missing, NO_COUNTS } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import type { Clock } from '../ports/runtime.ts'
import { closedMs, type MetricSource, type SliVector } from '../ports/source.ts'
import { byDeadline, within } from '../shared/deadline.ts'

const HOUR_SECONDS = 3600
const SPAN_SECONDS = 30 * 24 * HOUR_SECONDS
/** A month changes slowly, and is much to tell: what was told is kept for so long. */
const FRESH_MS = 15 * 60_000
/** What was not told is asked again after so long. */
const AGAIN_MS = 60_000
/** A month may take longer than a sweep has. */
const ASK_MS = 60_000

/** Events of 30 days, by group. */
export type Spent = ReadonlyMap<string, Counts | Missing>

/** Keeps what the sources remember of each SLI over 30 days. */
export interface BudgetMemory {
  /** null: the source has no memory. May take longer than a sweep; whoever asks again joins what is under way. */
  spent(spec: SliSpec): Promise<Spent | Missing | null>
}

interface Asked {
  readonly answer: Promise<Spent | Missing | null>
  /** null: it is still asked. */
  freshUntilMs: number | null
}

export function createBudgetMemory(sources: ReadonlyMap<string, MetricSource>, clock: Clock): BudgetMemory {
  const asked = new Map<string, Asked>()
  return {
    spent(spec) {
      const key = JSON.stringify([spec.source, spec.labels, spec.measure])
      const known = asked.get(key)
      if (known && (known.freshUntilMs === null || clock.nowMs() < known.freshUntilMs)) return known.answer
      const entry: Asked = { answer: ask(sources.get(spec.source), spec, clock), freshUntilMs: null }
      asked.set(key, entry)
      void entry.answer.then((answer) => {
        const isTold = answer === null || !('kind' in answer)
        entry.freshUntilMs = clock.nowMs() + (isTold ? FRESH_MS : AGAIN_MS)
      })
      return entry.answer
    },
  }
}

async function ask(source: MetricSource | undefined, spec: SliSpec, clock: Clock): Promise<Spent | Missing | null> {
  if (!source) return missing('refused', `there is no source ${spec.source}`)
  const span = {
    untilMs: closedMs(source, clock.nowMs(), HOUR_SECONDS),
    seconds: SPAN_SECONDS,
    tickSeconds: HOUR_SECONDS,
  }
  const late = () => missing('timeout', `the source did not tell 30 days within ${ASK_MS / 1000} s`)
  const vectors = await within(clock, ASK_MS, (signal) =>
    byDeadline<readonly SliVector[] | Missing>(source.history(spec, span, signal), signal, late),
  )
  if ('kind' in vectors) return vectors
  return vectors.length === 0 ? null : sumOf(vectors)
}

/** An hour that is no number would be left out in silence: it makes its group missing. */
function sumOf(vectors: readonly SliVector[]): Spent | Missing {
  const sums = new Map<string, Counts | Missing>()
  for (const vector of vectors) {
    if (vector.kind === 'missing') return vector
    for (const [group, measure] of vector.groups) {
      const before = sums.get(group) ?? NO_COUNTS
      if (isMissing(before) || measure.kind === 'value') continue
      sums.set(group, measure.kind === 'missing' ? measure : addCounts(before, measure))
    }
  }
  return sums
}
