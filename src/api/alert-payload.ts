import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Alert, UnmatchedAlert } from '../core/observation.ts'
import { clause } from '../shared/text.ts'

/** Alerts of one notification. */
const MAX_ALERTS = 5000
/** Labels and characters of a value that the journal keeps of an alert that nobody routed. */
const KEPT_LABELS = 64

/** Characters of a label: patterns are matched here by going back, which takes long on long texts. */
const MAX_LABEL = 4096

const labelsSchema = z.record(z.string().max(MAX_LABEL), z.string().max(MAX_LABEL))

/** A notification as Alertmanager posts it. Each alert is read by itself: one that is bad must not cost the others. */
export const notificationSchema = z
  .looseObject({
    version: z.literal('4').meta({ description: 'Of the payload' }),
    groupKey: z.string().default('').meta({ description: 'Of the group that it is about' }),
    truncatedAlerts: z.int().min(0).default(0).meta({ description: 'Alerts that `max_alerts` left out' }),
    alerts: z.array(z.unknown()).max(MAX_ALERTS),
  })
  .meta({ id: 'AlertmanagerNotification' })

const alertSchema = z.looseObject({
  status: z.enum(['firing', 'resolved']),
  labels: labelsSchema,
  annotations: z.record(z.string(), z.string()).default({}),
  startsAt: z.iso.datetime({ offset: true }),
  fingerprint: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -'),
})

/** An alert as it was read. */
export interface ReadAlert {
  readonly alert: Alert
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
}

/** Stands for the alerts that Alertmanager has left out; null: it has left none out. */
export function leftOutOf(body: z.output<typeof notificationSchema>, nowMs: number): UnmatchedAlert | null {
  const { truncatedAlerts, groupKey, alerts } = body
  if (truncatedAlerts === 0) return null
  // By the group, the count and what was sent: the same notification, repeated, is the same news.
  const fingerprint = `left-out-${digest([groupKey, truncatedAlerts, alerts])}`
  const alert = { fingerprint, startsAtMs: nowMs, sentence: `left out by max_alerts (${truncatedAlerts} of them)` }
  const reason = 'Alertmanager did not send it: set `max_alerts: 0` for this webhook'
  const id = `alert:${fingerprint}`
  return { id, kind: 'unmatched-alert', workload: null, alert, labels: {}, reason, receivedAtMs: nowMs }
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}

/** What is wrong with an alert, and what can be said of it all the same. */
export interface BadAlert {
  /** Where in the body. */
  readonly pointer: string
  readonly message: string
  readonly alert: Alert
}

/** Reads the alert at `index` of a notification; `nowMs` is when it came. */
export function readAlert(value: unknown, index: number, nowMs: number): ReadAlert | BadAlert {
  const parsed = alertSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = ['alerts', index, ...(issue?.path ?? [])].map((part) => clause(String(part), []))
    const alert = { fingerprint: `unreadable-${digest(value)}`, startsAtMs: nowMs, sentence: 'that cannot be read' }
    return { pointer: `body/${path.join('/')}`, message: issue?.message ?? 'does not fit', alert }
  }
  const { status, labels, annotations, startsAt, fingerprint } = parsed.data
  const sentence = sentenceOf(labels, annotations)
  return { status, labels, alert: { fingerprint, startsAtMs: Date.parse(startsAt), sentence } }
}

export function isBad(read: ReadAlert | BadAlert): read is BadAlert {
  return 'pointer' in read
}

/** The labels as the journal keeps them: not more, and not longer, than a person reads. */
export function keptLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = Object.entries(labels).slice(0, KEPT_LABELS)
  return Object.fromEntries(kept.map(([label, value]) => [clause(label, []), clause(value, [])]))
}

function sentenceOf(labels: ReadAlert['labels'], annotations: ReadAlert['labels']): string {
  const name = labels['alertname'] ?? 'without a name'
  const said = annotations['summary'] ?? annotations['message'] ?? annotations['description']
  return clause(said === undefined ? name : `${name} (${said})`, [])
}
