import { z } from 'zod'
import type { ChannelKind, Notification } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { about, secretReference } from '../shared/schema.ts'
import { allowedAddresses, postingChannel, secretsOfUrl } from './http.ts'

// Teams takes 28 KB; a character may need six bytes as JSON.
const MAX_TEXT = 8000
const MAX_BLOCKS = 60
const MAX_ACTIONS = 4

const settings = z.strictObject({
  webhook: secretReference().meta(about('URL of a workflow that posts to a channel', '${env:TEAMS_WEBHOOK}')),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

const COLORS: Readonly<Record<Notification['severity'], string>> = {
  info: 'Accent',
  warn: 'Warning',
  page: 'Attention',
}

/** Microsoft Teams: an adaptive card to a workflow's webhook. */
export const teams: ChannelKind<Settings> = {
  kind: 'teams',
  settings,
  takes: 'messages',
  open: (to, { secret }) =>
    postingChannel(to.allowAddresses, (notification) => {
      const url = secret(to.webhook)
      return [{ url, body: JSON.stringify(cardOf(notification)), secrets: secretsOfUrl(url) }]
    }),
}

function cardOf({ title, text, severity, items }: Notification): object {
  const lines = cut(text, MAX_TEXT)
    .split('\n')
    .filter((line) => line.trim() !== '')
  const links = new Map(items.flatMap(({ links }) => links).map((link) => [link.url, link]))
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              size: 'Medium',
              weight: 'Bolder',
              wrap: true,
              color: COLORS[severity],
              text: escaped(title),
            },
            ...lines
              .slice(0, MAX_BLOCKS)
              .map((line) => ({ type: 'TextBlock', wrap: true, spacing: 'Small', text: escaped(line) })),
          ],
          actions: [...links.values()]
            .slice(0, MAX_ACTIONS)
            .map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
        },
      },
    ],
  }
}

/** A text block takes a little Markdown: what a server said must not become a link. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>]/g, (mark) => `\\${mark}`)
}
