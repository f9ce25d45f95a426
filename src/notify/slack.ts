import { z } from 'zod'
import type { ChannelKind, Delivery, Notification } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { parseJson } from '../shared/json.ts'
import { about, secretReference } from '../shared/schema.ts'
import { clause } from '../shared/text.ts'
import { ACCEPTED, allowedAddresses, type JudgedPost, later, plainUrl, postingChannel, secretsOfUrl } from './http.ts'

// Slack's limits of blocks, with room for what its counting makes of some characters.
const MAX_HEADER = 150
const MAX_SECTION = 2900
const MAX_SECTIONS = 4

const settings = z.union([
  z.strictObject({
    webhook: secretReference().meta(about('URL of an incoming webhook', '${env:SLACK_WEBHOOK}')),
    allowAddresses: allowedAddresses(),
  }),
  z.strictObject({
    token: secretReference().meta(about('Token of a bot that may `chat:write`', '${env:SLACK_TOKEN}')),
    channel: z.string().min(1).meta(about("The channel's id, or its name", 'C0123456789')),
    url: plainUrl()
      .prefault('https://slack.com/api/chat.postMessage')
      .meta(about('The API', 'https://slack.com/api/chat.postMessage')),
    allowAddresses: allowedAddresses(),
  }),
])

type Settings = z.output<typeof settings>

/** `error` of chat.postMessage that is about this very message. */
const UNFIT: readonly string[] = [
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_too_long',
  'msg_blocks_too_long',
  'no_text',
]

const answerSchema = z.object({ ok: z.boolean(), error: z.string().optional() })

/** Slack: an incoming webhook, or a bot's chat.postMessage. */
export const slack: ChannelKind<Settings> = {
  kind: 'slack',
  settings,
  takes: 'messages',
  open: (to, { secret }) =>
    postingChannel(to.allowAddresses, (notification) => [postOf(messageOf(notification), to, secret)]),
}

function postOf(message: object, to: Settings, secret: (reference: string) => string): JudgedPost {
  if ('webhook' in to) {
    const url = secret(to.webhook)
    return { url, body: JSON.stringify(message), secrets: secretsOfUrl(url) }
  }
  const token = secret(to.token)
  return {
    url: to.url,
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ channel: to.channel, ...message }),
    secrets: [token],
    judge: (body) => judge(body, token),
  }
}

/** A refusal comes with a status of 200. */
function judge(body: string, token: string): Delivery {
  const answer = answerSchema.safeParse(parseJson(body))
  if (!answer.success) return later('answered with something else than Slack does')
  const { ok, error = 'no reason' } = answer.data
  if (ok) return ACCEPTED
  const detail = `refused: ${clause(error, [token])}`
  return UNFIT.includes(error) ? { outcome: 'refused', detail } : later(detail)
}

const MARKS: Readonly<Record<Notification['severity'], string>> = { info: '🔵', warn: '🟠', page: '🔴' }

function messageOf({ title, text, severity }: Notification): object {
  const head = `${MARKS[severity]} ${title}`
  const sections = sectionsOf(escaped(text))
  return {
    text: escaped(head),
    // Nothing of a stranger's text becomes a picture of a link.
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(head, MAX_HEADER), emoji: false } },
      ...sections.map((section) => ({ type: 'section', text: { type: 'mrkdwn', text: section } })),
    ],
  }
}

/** Slack takes these three for its own; with them escaped nobody can be mentioned by what a server said. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function sectionsOf(text: string): readonly string[] {
  const sections: string[] = []
  for (const line of text.split('\n')) {
    const last = sections.at(-1)
    const fitting = cut(line, MAX_SECTION)
    if (last !== undefined && last.length + 1 + fitting.length <= MAX_SECTION)
      sections[sections.length - 1] = `${last}\n${fitting}`
    else sections.push(fitting)
  }
  const told = sections.slice(0, MAX_SECTIONS)
  if (sections.length > told.length) told.push('… more is in the journal')
  return told.filter((section) => section.trim() !== '')
}
