import type { AdapterContext } from '../../ports/kind.ts'
import type { MetricSource, SourceKind } from '../../ports/source.ts'
import { historyAsked, pollAsked } from '../asking.ts'
import { openHttp } from '../http.ts'
import { tempoLanguage, traceqlFault } from './language.ts'
import { type TempoSettings, tempoSettings } from './settings.ts'

/** Tempo looks through the spans themselves: a past of weeks is more than it tells. */
const LONGEST_PAST_SECONDS = 86_400

/** Grafana Tempo: SLIs counted from spans. */
export const tempoKind: SourceKind<TempoSettings> = {
  kind: 'tempo',
  settings: tempoSettings,
  measures: ['ask', 'askValue'],
  queryFault: traceqlFault,
  open: openTempo,
}

function openTempo(settings: TempoSettings, context: AdapterContext): MetricSource {
  const peer = openHttp(settings, context)
  const language = tempoLanguage(settings, peer)
  return {
    ingestDelaySeconds: settings.ingestDelaySeconds,
    poll: (slis, tick, signal) => pollAsked(slis, tick, language, signal),
    history: async (sli, span, signal) =>
      span.seconds > LONGEST_PAST_SECONDS ? [] : historyAsked(sli, span, language, signal),
    close: () => peer.close(),
  }
}
