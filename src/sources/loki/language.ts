import { isMissing, type Missing } from '../../core/observation.ts'
import type { QueryFault } from '../../ports/source.ts'
import { parseJson } from '../../shared/json.ts'
import { clause } from '../../shared/text.ts'
import { WINDOW } from '../asked.ts'
import type { Language } from '../asking.ts'
import type { HttpPeer } from '../http.ts'
import { refusalOf } from '../own-words.ts'
import { type Answer, type AnswerForm, readAnswer, type Series } from '../prometheus/answer.ts'
import { sumsByMoment } from '../prometheus/fold.ts'
import { rangesOf } from '../ticks.ts'
import type { LokiSettings } from './settings.ts'

/** Loki refuses more than 11,000 points a series in one range query. */
const RANGE_POINTS = 10_000

/** LogQL, by Loki's query API; its answers have the form of Prometheus's. */
export function lokiLanguage(settings: LokiSettings, peer: HttpPeer, note: Note): Language<Answer> {
  const api = `${settings.url.replace(/\/+$/, '')}/loki/api/v1`
  const headers = settings.tenant === undefined ? {} : { 'x-scope-orgid': settings.tenant }

  async function get(path: string, fields: Readonly<Record<string, string>>, form: AnswerForm, signal: AbortSignal) {
    const url = `${api}/${path}?${new URLSearchParams(fields)}`
    const sent = await peer.ask({ method: 'GET', url, headers }, signal)
    if (isMissing(sent)) return sent
    const answer = refusalOf(sent) ?? readAnswer(parseJson(sent.text), form)
    if (isMissing(answer)) return answer
    return { ...answer, warnings: answer.warnings.map((said) => clause(said, sent.secrets)) }
  }

  return {
    async tick(query, { sinceMs, atMs }, signal) {
      const fields = { query: windowed(query, atMs - sinceMs), time: nanoseconds(atMs) }
      return note(query)(await get('query', fields, 'vector', signal))
    },
    sums(answer, labels) {
      const moments = sumsByMoment(answer.series, labels)
      if (isMissing(moments)) return moments
      // All series of an instant query carry the time that was asked for.
      const [only = new Map()] = moments.values()
      return only
    },
    async past(query, ticks, windowMs, signal) {
      const [first] = ticks
      let series: readonly Series[] = []
      const warnings: string[] = []
      for (const { firstMs, lastMs } of rangesOf(ticks, RANGE_POINTS)) {
        const step = String((first ? first.atMs - first.sinceMs : windowMs) / 1000)
        const range = { start: nanoseconds(firstMs), end: nanoseconds(lastMs), step }
        const answer = await get('query_range', { query: windowed(query, windowMs), ...range }, 'matrix', signal)
        if (isMissing(answer)) return answer
        series = series.concat(answer.series)
        warnings.push(...answer.warnings)
      }
      return note(query)({ series, warnings })
    },
    moments: (answer, labels) => sumsByMoment(answer.series, labels),
  }
}

type Note = (query: string) => <A extends Answer | Missing>(answer: A) => A

/** What is wrong with a query as it is written; its grammar is left to Loki. */
export function logqlFault(query: string, form: 'ask' | 'askValue'): QueryFault | null {
  const at = /^\s*/.exec(query)?.[0].length ?? 0
  if (/^\s*\{[^}]*\}\s*(?:\||$)/.test(query) && !/\[/.test(query))
    return { offset: at, cause: 'this selects lines, and counts none', hint: 'wrap it: count_over_time(… [$window])' }
  if (form === 'ask' && !query.includes(WINDOW))
    return {
      offset: at,
      cause: `the query must count over ${WINDOW}`,
      hint: 'write it as the range: count_over_time({job="web"}[$window])',
    }
  return null
}

function windowed(query: string, windowMs: number): string {
  return query.replaceAll(WINDOW, windowMs % 1000 === 0 ? `${windowMs / 1000}s` : `${windowMs}ms`)
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`
}
