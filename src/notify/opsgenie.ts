import { z } from 'zod'
import type { ChannelKind, Incident, Notification } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { about, secretReference } from '../shared/schema.ts'
import { allowedAddresses, plainUrl, postingChannel } from './http.ts'
import { detailsOf, itemText } from './words.ts'

const MAX_MESSAGE = 130
const MAX_DESCRIPTION = 15_000

const settings = z.strictObject({
  apiKey: secretReference().meta(about('Key of an API integration that may create and close', '${env:OPSGENIE_KEY}')),
  url: plainUrl()
    .prefault('https://api.opsgenie.com/v2/alerts')
    .meta(
      about(
        'The alerts API: of Opsgenie, in the EU api.eu.opsgenie.com, or of Jira Service Management',
        'https://api.atlassian.com/jsm/ops/integration/v2/alerts',
      ),
    ),
  tags: z
    .array(z.string().min(1).max(50))
    .max(20)
    .prefault([])
    .meta(about('Tags of each alert', ['migration'])),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

const PRIORITIES = { info: 'P5', warn: 'P3', page: 'P1' } as const

/** Opsgenie's alerts API: an alert an incident, with an alias that opens and closes it. */
export const opsgenie: ChannelKind<Settings> = {
  kind: 'opsgenie',
  settings,
  takes: 'incidents',
  open: (to, { secret }) =>
    postingChannel(to.allowAddresses, (notification) => {
      const key = secret(to.apiKey)
      const headers = { authorization: `GenieKey ${key}` }
      return notification.incidents.map((incident) => {
        const { url, body } = requestOf(incident, notification, to)
        return { url, headers, body: JSON.stringify(body), secrets: [key] }
      })
    }),
}

function requestOf({ key, change, item }: Incident, { migration }: Notification, { url, tags }: Settings) {
  if (change === 'over')
    return {
      url: `${url}/${encodeURIComponent(key)}/close?identifierType=alias`,
      body: { source: 'headgate', user: 'headgate', note: item.what },
    }
  const about = [migration, item.workload].filter((part) => part !== null).join('/')
  return {
    url,
    body: {
      message: cut(about === '' ? item.what : `${about}: ${item.what}`, MAX_MESSAGE),
      alias: key,
      description: cut(itemText(item), MAX_DESCRIPTION),
      details: detailsOf(item),
      entity: item.workload ?? 'headgate',
      source: 'headgate',
      priority: PRIORITIES[item.severity],
      tags,
    },
  }
}
