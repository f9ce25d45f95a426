import type { z } from 'zod'
import { type AlertmanagerConfig, alertmanagerSchema } from '../../src/policy/schema-alertmanager.ts'

/** What a config's `alertmanager` comes to. */
export function alertmanagerConfig(written: z.input<typeof alertmanagerSchema>): AlertmanagerConfig {
  const parsed = alertmanagerSchema.parse(written)
  if (parsed === undefined) throw new Error('nothing was written')
  return parsed
}

export const STARTED_AT = '2026-11-20T21:44:00.123456789Z'

/** An alert as Alertmanager posts it, firing on NEW. */
export function postedAlert(labels: Readonly<Record<string, string>> = {}, more: object = {}) {
  return {
    status: 'firing',
    labels: { alertname: 'ErrorRatio', severity: 'critical', cluster: 'prod-b', service: 'checkout', ...labels },
    annotations: { summary: '12 % of the requests fail' },
    startsAt: STARTED_AT,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus/graph',
    fingerprint: 'c0ffee0123456789',
    ...more,
  }
}

/** A notification of these alerts. */
export function notification(alerts: readonly unknown[], more: object = {}) {
  return {
    version: '4',
    groupKey: '{}:{alertname="ErrorRatio"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'headgate',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager',
    alerts,
    ...more,
  }
}
