import type { ProblemJson } from '../core/problem.ts'
import type { Tracer } from '../ports/tracer.ts'
import { type ThinkInput, type Thought, think } from './think.ts'

/** Of many workloads a span names the first. */
const MOST_NAMES = 20

export type RoundOutcome = 'committed' | 'conflict' | 'failed'

export interface Sweep {
  readonly tracer: Tracer
  readonly runId: string
  /** The workloads that somebody woke; null: the timer woke all. */
  readonly woken: readonly string[] | null
}

/** Does a sweep within its trace. `trouble` says why it came to nothing. */
export function sweepTraced(
  { tracer, runId, woken }: Sweep,
  work: () => Promise<RoundOutcome>,
  trouble: () => ProblemJson | null,
): Promise<RoundOutcome> {
  const fields = () => ({
    'headgate.run_id': runId,
    'headgate.wake': woken === null ? 'timer' : 'urgent',
    ...(woken !== null && { 'headgate.workload_names': woken.slice(0, MOST_NAMES) }),
  })
  return tracer.span('headgate.sweep', fields, async (span) => {
    const outcome = await work()
    span.set(() => ({ 'headgate.outcome': outcome }))
    const why = trouble()
    if (outcome !== 'committed') span.fail(why === null ? outcome : `${why.code}: ${why.cause}`)
    return outcome
  })
}

/** Thinks, within a span of its own. */
export function thinkTraced(tracer: Tracer, input: ThinkInput): Promise<Thought> {
  return tracer.span(
    'headgate.think',
    () => ({ 'headgate.facts': input.facts.length }),
    async () => think(input),
  )
}

/** Has a thought committed after this revision, within a span of its own. */
export function commitTraced(tracer: Tracer, thought: Thought, revision: number, commit: () => Promise<void>) {
  const { states, events, consumedFactIds } = thought
  const fields = () => ({
    'headgate.revision': revision + 1,
    'headgate.states': states.length,
    'headgate.facts': consumedFactIds.length,
    'headgate.events': [...new Set(events.map(({ type }) => type))],
  })
  return tracer.span('headgate.commit', fields, commit)
}
