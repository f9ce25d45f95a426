import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { HistorySpan, MetricSource, SliVector, Tick } from '../../ports/source.ts'
import {
  type AskPeriods,
  askDistinct,
  isSeries,
  type PeriodAnswer,
  type PeriodQuery,
  type PeriodSeries,
  type PeriodSpan,
  remembering,
  UNANSWERED,
} from './ask.ts'
import { joinParts } from './parts.ts'
import { type PeriodMeasure, readWindow, spanOf, windowOf } from './window.ts'

export interface PeriodOptions {
  /** For people: the kind of the source. */
  readonly kind: string
  /** Length of a period, seconds: points begin at whole multiples of it since 1970. */
  readonly periodSeconds: number
  /** So long after a period's end its point is there, and changes no more, seconds. */
  readonly ingestDelaySeconds: number
  /** More periods than these are not asked for in one call. */
  readonly maxPeriods: number
  close(): Promise<void>
}

/** Coarser periods, for a long past, seconds. */
const COARSE_SECONDS: readonly number[] = [60, 300, 900, 3600, 4 * 3600, 86_400]

/**
 * A source whose store counts by whole periods. Ticks are shorter than windows: each takes its share of the newest window
 * of whole periods, so that over time every event counts once, spread over a window's length.
 */
export function openPeriods(ask: AskPeriods, options: PeriodOptions): MetricSource {
  const { periodSeconds, ingestDelaySeconds } = options
  const askAgain = remembering(ask)
  return {
    ingestDelaySeconds,

    async poll(slis, tick, signal) {
      const asked = slis.map((sli) => ({ sli, measured: measuredOf(sli, options.kind) }))
      const windows = asked.flatMap(({ measured }) =>
        isMissing(measured) ? [] : [windowOf(measured.measure, tick, periodSeconds)],
      )
      if (windows.length === 0) return new Map(asked.map(({ sli, measured }) => [sli, vectorOf(measured, tick)]))
      const queries = asked.flatMap(({ measured }) => (isMissing(measured) ? [] : queriesOf(measured)))
      const answerTo = await askDistinct(askAgain, queries, spanOf(windows, periodSeconds), signal)
      return new Map(
        asked.map(({ sli, measured }): [SliSpec, SliVector] => {
          if (isMissing(measured)) return [sli, measured]
          const window = windowOf(measured.measure, tick, periodSeconds)
          const groups = readWindow(measured, queriesOf(measured).map(answerTo), { tick, window })
          return [sli, isMissing(groups) ? groups : { kind: 'vector', ...tick, groups }]
        }),
      )
    },

    async history(sli, span, signal) {
      const measured = measuredOf(sli, options.kind)
      if (isMissing(measured)) return measured
      const period = historyPeriod(span, options)
      const windows = ticksOf(span).map((tick) => ({ tick, window: windowOf(measured.measure, tick, period) }))
      if (windows.length === 0) return []
      const whole = spanOf(
        windows.map(({ window }) => window),
        period,
      )
      const answers: PeriodAnswer[] = []
      for (const query of queriesOf(measured)) answers.push(await askInParts(ask, query, whole, { options, signal }))
      const vectors: SliVector[] = []
      for (const at of windows) {
        const groups = readWindow(measured, answers, at)
        if (isMissing(groups)) return groups
        vectors.push({ kind: 'vector', ...at.tick, groups })
      }
      return vectors
    },

    close: () => options.close(),
  }
}

interface Measured {
  readonly labels: SliSpec['labels']
  readonly measure: PeriodMeasure
}

function measuredOf({ labels, measure }: SliSpec, kind: string): Measured | Missing {
  if (measure.kind === 'ask' || measure.kind === 'askValue') return { labels, measure }
  return missing('refused', `the source ${kind} has no PromQL for an SLI of the form ${measure.kind}`)
}

function vectorOf(measured: Measured | Missing, tick: Tick): SliVector {
  return isMissing(measured) ? measured : { kind: 'vector', ...tick, groups: new Map() }
}

function queriesOf({ labels, measure }: Measured): readonly PeriodQuery[] {
  const texts = measure.kind === 'ask' ? [measure.total, measure.bad] : [measure.value]
  return texts.map((text) => ({ text, labels }))
}

/** The finest period in which a past fits into one call and its ticks are whole; else the source's own, in several calls. */
function historyPeriod({ seconds, tickSeconds }: HistorySpan, { periodSeconds, maxPeriods }: PeriodOptions): number {
  if (seconds / periodSeconds <= maxPeriods) return periodSeconds
  const fits = (period: number) =>
    period % periodSeconds === 0 && tickSeconds % period === 0 && seconds / period <= maxPeriods
  return COARSE_SECONDS.find(fits) ?? periodSeconds
}

/** One call after the other: a past is never urgent, and must not take the quota of what is. */
async function askInParts(
  ask: AskPeriods,
  query: PeriodQuery,
  { fromMs, toMs, periodSeconds }: PeriodSpan,
  { options, signal }: { readonly options: PeriodOptions; readonly signal: AbortSignal },
): Promise<PeriodAnswer> {
  const stepMs = options.maxPeriods * periodSeconds * 1000
  const parts: (readonly PeriodSeries[])[] = []
  for (let beginMs = fromMs; beginMs < toMs; beginMs += stepMs) {
    const part = { fromMs: beginMs, toMs: Math.min(beginMs + stepMs, toMs), periodSeconds }
    const [answer = UNANSWERED] = await ask([query], part, signal)
    if (!isSeries(answer)) return answer
    parts.push(answer)
  }
  return joinParts(parts)
}

/** The ticks of a span, oldest first; the last one ends with it. */
function ticksOf({ untilMs, seconds, tickSeconds }: HistorySpan): Tick[] {
  const count = Math.floor(seconds / tickSeconds)
  const tickMs = tickSeconds * 1000
  return Array.from({ length: count }, (_, index) => {
    const atMs = untilMs - (count - 1 - index) * tickMs
    return { sinceMs: atMs - tickMs, atMs }
  })
}
