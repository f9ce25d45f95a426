import type { SourceKind } from '../../ports/source.ts'
import { cloudwatchPrivileges } from './privileges.ts'
import { cloudwatchFault } from './query.ts'
import { type CloudwatchSettings, cloudwatchSettings } from './settings.ts'
import { openCloudwatch } from './source.ts'

/** Metrics of Amazon CloudWatch, by its search expressions. */
export const cloudwatchKind: SourceKind<CloudwatchSettings> = {
  kind: 'cloudwatch',
  settings: cloudwatchSettings,
  measures: ['ask', 'askValue'],
  queryFault: cloudwatchFault,
  usualWindowSeconds: 60,
  privilegesFor: cloudwatchPrivileges,
  open: openCloudwatch,
}
