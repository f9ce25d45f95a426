import type { SourceKind } from '../../ports/source.ts'
import { datadogFault } from './query.ts'
import { type DatadogSettings, datadogSettings } from './settings.ts'
import { openDatadog } from './source.ts'
import { openSynthetics } from './synthetics.ts'

/** Metrics of Datadog, in its own query language. */
export const datadogKind: SourceKind<DatadogSettings> = {
  kind: 'datadog',
  settings: datadogSettings,
  measures: ['ask', 'askValue'],
  queryFault: datadogFault,
  usualWindowSeconds: 60,
  privilegesFor: () => [
    {
      title: 'Datadog: scopes of the application key',
      format: 'text',
      document: 'timeseries_query for SLIs, synthetics_read for results of synthetic tests',
    },
  ],
  open: openDatadog,
  synthetics: { open: openSynthetics },
}
