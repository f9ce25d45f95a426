import { z } from 'zod'
import type { ChannelKind, Incident, Notification } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { about, secretReference } from '../shared/schema.ts'
import { allowedAddresses, plainUrl, postingChannel } from './http.ts'
import { detailsOf } from './words.ts'

const MAX_SUMMARY = 1024

const settings = z.strictObject({
  routingKey: secretReference().meta(about('Integration key of an Events API v2 integration', '${env:PAGERDUTY_KEY}')),
  url: plainUrl()
    .prefault('https://events.pagerduty.com/v2/enqueue')
    .meta(about('The API; in the EU events.eu.pagerduty.com', 'https://events.eu.pagerduty.com/v2/enqueue')),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

const SEVERITIES = { info: 'info', warn: 'warning', page: 'critical' } as const

/** PagerDuty, Events API v2: an event an incident, with a dedup key that opens and resolves it. */
export const pagerduty: ChannelKind<Settings> = {
  kind: 'pagerduty',
  settings,
  takes: 'incidents',
  open: (to, { secret }) =>
    postingChannel(to.allowAddresses, (notification) => {
      const routingKey = secret(to.routingKey)
      return notification.incidents.map((incident) => ({
        url: to.url,
        body: JSON.stringify({ routing_key: routingKey, ...eventOf(incident, notification) }),
        secrets: [routingKey],
      }))
    }),
}

function eventOf({ key, change, item }: Incident, { migration }: Notification): object {
  if (change === 'over') return { event_action: 'resolve', dedup_key: key }
  const { workload, severity, what, atMs, event, links } = item
  const about = [migration, workload].filter((part) => part !== null).join('/')
  return {
    event_action: 'trigger',
    dedup_key: key,
    client: 'Headgate',
    ...(links[0] && { client_url: links[0].url }),
    links: links.map(({ label, url }) => ({ href: url, text: label })),
    payload: {
      summary: cut(about === '' ? what : `${about}: ${what}`, MAX_SUMMARY),
      source: about === '' ? 'headgate' : about,
      severity: SEVERITIES[severity],
      timestamp: new Date(atMs).toISOString(),
      component: workload ?? 'headgate',
      ...(migration !== null && { group: migration }),
      class: event,
      custom_details: detailsOf(item),
    },
  }
}
