import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import { groupKey, type QueryFault, type Tick } from '../../ports/source.ts'
import { parseJson } from '../../shared/json.ts'
import type { Language } from '../asking.ts'
import type { Sums } from '../counters.ts'
import type { HttpPeer } from '../http.ts'
import { refusalOf } from '../own-words.ts'
import { readTempo, type TempoSeries } from './answer.ts'
import type { TempoSettings } from './settings.ts'

/** More steps than that in one answer are not asked for. */
const MAX_STEPS = 11_000

interface Answer {
  readonly series: readonly TempoSeries[]
  /** What each tick of a past is about: so long before its end. */
  readonly windowMs: number
}

/** TraceQL metrics, by Tempo's API. The time is not in the query: it goes beside it. */
export function tempoLanguage(settings: TempoSettings, peer: HttpPeer): Language<Answer> {
  const api = `${settings.url.replace(/\/+$/, '')}/api/metrics/query_range`
  const headers = settings.tenant === undefined ? {} : { 'x-scope-orgid': settings.tenant }

  async function ask(q: string, { sinceMs, atMs }: Tick, stepMs: number, signal: AbortSignal) {
    const fields = { q, start: nanoseconds(sinceMs), end: nanoseconds(atMs), step: durationText(stepMs) }
    const sent = await peer.ask({ method: 'GET', url: `${api}?${new URLSearchParams(fields)}`, headers }, signal)
    if (isMissing(sent)) return sent
    return refusalOf(sent) ?? readTempo(parseJson(sent.text), sent.secrets)
  }

  return {
    async tick(query, span, signal) {
      // One step as long as the time: Tempo then rounds neither end to a multiple of the step.
      const answer = await ask(query, span, span.atMs - span.sinceMs, signal)
      return isMissing(answer) ? answer : { ...answer, windowMs: span.atMs - span.sinceMs }
    },
    // Before 2.8 a step had the time of its beginning.
    sums: ({ series }, labels, { sinceMs, atMs }) =>
      sumsWithin(series, labels, (timestampMs) => timestampMs >= sinceMs && timestampMs <= atMs),

    async past(query, ticks, windowMs, signal) {
      const [first, last] = [ticks.at(0), ticks.at(-1)]
      if (!first || !last) return { series: [], windowMs }
      const sinceMs = first.atMs - windowMs
      const stepMs = [windowMs, first.atMs - first.sinceMs].reduce(greatestDivisor, sinceMs)
      if ((last.atMs - sinceMs) / stepMs > MAX_STEPS)
        return missing(
          'refused',
          `ticks that begin at no multiple of their length need steps of ${stepMs} ms: too many`,
        )
      const chunkMs = Math.max(stepMs, Math.floor((settings.longestQuerySeconds * 1000) / stepMs) * stepMs)
      const series: TempoSeries[] = []
      for (let fromMs = sinceMs; fromMs < last.atMs; fromMs += chunkMs) {
        const span = { sinceMs: fromMs, atMs: Math.min(fromMs + chunkMs, last.atMs) }
        const answer = await ask(query, span, stepMs, signal)
        if (isMissing(answer)) return answer
        // Tempo tells one step more, at the beginning, which is the last one of the part before.
        series.push(...answer.series.map((one) => within(one, span)))
      }
      return { series, windowMs }
    },
    moments({ series, windowMs }, labels, ticks) {
      const moments = new Map<number, Sums>()
      for (const [index, ofTick] of perTick(series, ticks, windowMs).entries()) {
        const sums = sumsWithin(ofTick, labels, () => true)
        if (isMissing(sums)) return sums
        moments.set(ticks[index]?.atMs ?? Number.NaN, sums)
      }
      return moments
    },
  }
}

/** What is wrong with a query as it is written; its grammar is left to Tempo. */
export function traceqlFault(query: string): QueryFault | null {
  const offset = query.search(/\S/)
  if (!query.includes('|'))
    return { offset, cause: 'this selects spans, and counts none', hint: 'add: | count_over_time() by (…)' }
  if (!/_over_time\s*\(|\brate\s*\(/.test(query))
    return { offset, cause: 'this is no query of TraceQL metrics', hint: 'end it in count_over_time() by (…)' }
  return null
}

function within(series: TempoSeries, { sinceMs, atMs }: Tick): TempoSeries {
  return {
    ...series,
    samples: series.samples.filter(({ timestampMs }) => timestampMs > sinceMs && timestampMs <= atMs),
  }
}

/** By tick, the series with the samples of its window alone: each sample is looked at once for each window that it is in. */
function perTick(series: readonly TempoSeries[], ticks: readonly Tick[], windowMs: number): readonly TempoSeries[][] {
  const parts: TempoSeries[][] = ticks.map(() => [])
  const [first] = ticks
  if (!first) return parts
  const tickMs = first.atMs - first.sinceMs
  for (const one of series) {
    const samples = new Map<number, TempoSeries['samples'][number][]>()
    for (const sample of one.samples) {
      let index = Math.max(0, Math.ceil((sample.timestampMs - first.atMs) / tickMs))
      for (; index < ticks.length && sample.timestampMs > first.atMs + index * tickMs - windowMs; index++)
        samples.set(index, [...(samples.get(index) ?? []), sample])
    }
    for (const [index, own] of samples) parts[index]?.push({ ...one, samples: own })
  }
  return parts
}

/** The sum of the samples of these times, by group. A group without any is not there. */
function sumsWithin(
  series: readonly TempoSeries[],
  labels: SliSpec['labels'],
  isWithin: (timestampMs: number) => boolean,
): Sums | Missing {
  const sums = new Map<string, number | Missing>()
  /** Which series each group is of. */
  const seen = new Map<string, string>()
  let hasLabels = series.length === 0
  for (const one of series) {
    const [cluster, workload] = [one.labels.get(labels.cluster), one.labels.get(labels.workload)]
    if (cluster === undefined || workload === undefined) continue
    hasLabels = true
    const key = groupKey(cluster, workload)
    const known = seen.get(key) ?? one.identity
    seen.set(key, known)
    const values = one.samples.flatMap(({ timestampMs, value }) => (isWithin(timestampMs) ? [value] : []))
    if (values.length === 0) continue
    const before = sums.get(key) ?? 0
    if (known !== one.identity)
      sums.set(
        key,
        missing('bad-answer', `several series for one workload: by (${labels.cluster}, ${labels.workload})`),
      )
    else if (typeof before === 'number') sums.set(key, before + values.reduce((all, value) => all + value, 0))
  }
  if (hasLabels) return sums
  return missing('bad-answer', `no series has both attributes, ${labels.cluster} and ${labels.workload}`)
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`
}
