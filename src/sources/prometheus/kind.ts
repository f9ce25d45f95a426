import type { SourceKind } from '../../ports/source.ts'
import { type PrometheusSettings, prometheusSettings } from './settings.ts'
import { openPrometheus } from './source.ts'

/** Prometheus, Thanos, Mimir, VictoriaMetrics: all forms of SLI, and the past to fill windows from. */
export const prometheusKind: SourceKind<PrometheusSettings> = {
  kind: 'prometheus',
  settings: prometheusSettings,
  measures: ['selector', 'goodSelector', 'histogram', 'nativeHistogram', 'query', 'value'],
  open: openPrometheus,
}
