import { isMissing, missing } from '../../core/observation.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { MetricSource, SourceKind } from '../../ports/source.ts'
import { type Language, pollAsked } from '../asking.ts'
import { type HttpAnswer, type HttpPeer, openHttp } from '../http.ts'
import { refusalOf } from '../own-words.ts'
import { readRows } from './rows.ts'
import { type HttpJsonSettings, httpJsonSettings } from './settings.ts'
import { fill, hasTime, inJson } from './template.ts'

/** Any API that answers a query with rows of JSON: Dynatrace, New Relic, one of your own. */
export const httpJsonKind: SourceKind<HttpJsonSettings> = {
  kind: 'http-json',
  settings: httpJsonSettings,
  measures: ['ask', 'askValue'],
  open: openHttpJson,
}

function openHttpJson(settings: HttpJsonSettings, context: AdapterContext): MetricSource {
  const peer = openHttp(settings, context)
  const language = languageOf(settings, peer)
  return {
    ingestDelaySeconds: settings.ingestDelaySeconds,
    poll: (slis, tick, signal) => pollAsked(slis, tick, language, signal),
    // A row has one number, so a past would be a question for each of hundreds of ticks.
    history: async () => [],
    close: () => peer.close(),
  }
}

function languageOf(settings: HttpJsonSettings, peer: HttpPeer): Pick<Language<HttpAnswer>, 'tick' | 'sums'> {
  const { url, body, headers } = settings
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return {
    async tick(query, span, signal) {
      if (!hasTime(`${url} ${body ?? ''} ${query}`))
        return missing('refused', 'nothing in the request or the query says which time it is about, such as $fromMs')
      const question = {
        url: fill(url, query, span, encodeURIComponent),
        headers: { accept: 'application/json', ...type, ...headers },
        ...(body === undefined
          ? { method: 'GET' as const }
          : { method: 'POST' as const, body: fill(body, query, span, inJson) }),
      }
      const answer = await peer.ask(question, signal)
      return isMissing(answer) ? answer : (refusalOf(answer) ?? answer)
    },
    sums: ({ text, secrets }) => readRows(text, settings, secrets),
  }
}
