import type { AdapterContext } from '../../ports/kind.ts'
import type { MetricSource, SourceKind } from '../../ports/source.ts'
import { historyAsked, pollAsked } from '../asking.ts'
import { openHttp } from '../http.ts'
import { createNoting } from '../prometheus/noting.ts'
import { logqlFault, lokiLanguage } from './language.ts'
import { type LokiSettings, lokiSettings } from './settings.ts'

/** Grafana Loki: SLIs counted from lines of logs. */
export const lokiKind: SourceKind<LokiSettings> = {
  kind: 'loki',
  settings: lokiSettings,
  measures: ['ask', 'askValue'],
  queryFault: (query, { form }) => logqlFault(query, form),
  open: openLoki,
}

function openLoki(settings: LokiSettings, context: AdapterContext): MetricSource {
  const peer = openHttp(settings, context)
  const language = lokiLanguage(settings, peer, createNoting(context.log, 'loki'))
  return {
    ingestDelaySeconds: settings.ingestDelaySeconds,
    poll: (slis, tick, signal) => pollAsked(slis, tick, language, signal),
    history: (sli, span, signal) => historyAsked(sli, span, language, signal),
    close: () => peer.close(),
  }
}
