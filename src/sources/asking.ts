import { isMissing, type Missing } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import type { HistorySpan, SliVector, Tick } from '../ports/source.ts'
import { askedOf } from './asked.ts'
import type { Sums } from './counters.ts'
import { ticksOf } from './ticks.ts'

/** A source's own language: how its queries are sent, and what their answers say. `$window` is still in the queries. */
export interface Language<Answer extends object> {
  /** Asks about one span. Never throws. */
  tick(query: string, span: Tick, signal: AbortSignal): Promise<Answer | Missing>
  /** By group. */
  sums(answer: Answer, labels: SliSpec['labels'], span: Tick): Sums | Missing
  /** Asks about ticks that follow each other, oldest first, each of them over the `windowMs` before its end. */
  past(query: string, ticks: readonly Tick[], windowMs: number, signal: AbortSignal): Promise<Answer | Missing>
  /** By the end of the tick, and by group. */
  moments(answer: Answer, labels: SliSpec['labels'], ticks: readonly Tick[]): ReadonlyMap<number, Sums> | Missing
}

const NO_SUMS: Sums = new Map()

/** Answers a poll. Equal queries are sent once. */
export async function pollAsked<Answer extends object>(
  slis: readonly SliSpec[],
  tick: Tick,
  language: Pick<Language<Answer>, 'tick' | 'sums'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<SliSpec, SliVector>> {
  const sent = new Map<string, Promise<Answer | Missing>>()
  const ask = (query: string, span: Tick) => {
    const key = `${span.sinceMs} ${query}`
    const answer = sent.get(key) ?? language.tick(query, span, signal)
    sent.set(key, answer)
    return answer
  }
  const pairs = slis.map(async (sli): Promise<[SliSpec, SliVector]> => {
    const asked = askedOf(sli, tick)
    if (isMissing(asked)) return [sli, asked]
    const sums: Sums[] = []
    for (const answer of await Promise.all(asked.queries.map((query) => ask(query, asked.span)))) {
      const groups = isMissing(answer) ? answer : language.sums(answer, sli.labels, asked.span)
      if (isMissing(groups)) return [sli, groups]
      sums.push(groups)
    }
    return [sli, { kind: 'vector', ...tick, groups: asked.read(sums) }]
  })
  return new Map(await Promise.all(pairs))
}

/** Answers for the past, of an SLI with queries of its own. */
export async function historyAsked<Answer extends object>(
  sli: SliSpec,
  span: HistorySpan,
  language: Language<Answer>,
  signal: AbortSignal,
): Promise<readonly SliVector[] | Missing> {
  const tickMs = span.tickSeconds * 1000
  const asked = askedOf(sli, { sinceMs: span.untilMs - tickMs, atMs: span.untilMs })
  if (isMissing(asked)) return asked
  const ticks = ticksOf(span)
  const windowMs = asked.span.atMs - asked.span.sinceMs
  const byQuery: ReadonlyMap<number, Sums>[] = []
  for (const query of asked.queries) {
    const answer = await language.past(query, ticks, windowMs, signal)
    const moments = isMissing(answer) ? answer : language.moments(answer, sli.labels, ticks)
    if (isMissing(moments)) return moments
    byQuery.push(moments)
  }
  return ticks.map((tick) => {
    const sums = byQuery.map((moments) => moments.get(tick.atMs) ?? NO_SUMS)
    return { kind: 'vector', ...tick, groups: asked.read(sums) }
  })
}
