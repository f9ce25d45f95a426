import { z } from 'zod'
import type { Mood } from '../conformance/channel.ts'
import { type Answer, answering, silent, startWebServer, type WebRequest } from '../support/web-server.ts'

/** A server of one of the published APIs: checks what it gets as they say that they do. */
export interface FakeChannelServer {
  readonly url: string
  mood(mood: Mood): void
  accepted(): readonly WebRequest[]
  asked(): number
}

export interface Api {
  /** null: the request fits. */
  fault(request: WebRequest): string | null
  readonly accepts: Answer
  readonly unfit: Answer
  readonly forbids: Answer
}

export async function startChannelServer(api: Api): Promise<FakeChannelServer> {
  let mood: Mood = 'fine'
  const accepted: WebRequest[] = []
  const server = await startWebServer((response, request) => {
    switch (mood) {
      case 'fine': {
        const fault = api.fault(request)
        if (fault !== null) return answering(400, fault)(response, request)
        accepted.push(request)
        return api.accepts(response, request)
      }
      case 'busy':
        return answering(429, 'slow down', { 'retry-after': '30' })(response, request)
      case 'forbidding':
        return api.forbids(response, request)
      case 'unfit':
        return api.unfit(response, request)
      case 'echoing':
        return answering(500, `you sent ${request.url} ${JSON.stringify(request.headers)} ${request.body}`)(
          response,
          request,
        )
      case 'silent':
        return silent(response, request)
      case 'hanging-up':
        return void response.destroy()
    }
  })
  return {
    url: server.url,
    mood: (next) => {
      mood = next
    },
    accepted: () => accepted,
    asked: () => server.requests.length,
  }
}

export const json = (status: number, body: object) =>
  answering(status, JSON.stringify(body), { 'content-type': 'application/json' })

function fits(schema: z.ZodType, { method, headers, body }: WebRequest): string | null {
  if (method !== 'POST' || headers['content-type'] !== 'application/json') return 'no POST of JSON'
  const parsed = schema.safeParse(JSON.parse(body))
  return parsed.success ? null : z.prettifyError(parsed.error)
}

// The limits are Slack's: https://docs.slack.dev/reference/block-kit/blocks.
const slackMessage = z.object({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('header'),
          text: z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(150), emoji: z.boolean() }),
        }),
        z.strictObject({
          type: z.literal('section'),
          text: z.strictObject({
            type: z.literal('mrkdwn'),
            text: z
              .string()
              .min(1)
              .max(3000)
              .regex(/^[^<>]*$/),
          }),
        }),
      ]),
    )
    .max(50),
})

export const slackWebhook: Api = {
  fault: (request) => fits(slackMessage, request),
  accepts: answering(200, 'ok'),
  unfit: answering(400, 'invalid_blocks'),
  forbids: answering(403, 'action_prohibited'),
}

export const slackApi: Api = {
  fault: (request) =>
    request.headers.authorization?.startsWith('Bearer ')
      ? fits(slackMessage.extend({ channel: z.string() }), request)
      : 'no token',
  accepts: json(200, { ok: true, channel: 'C1', ts: '1503435956.000247' }),
  unfit: json(200, { ok: false, error: 'invalid_blocks' }),
  forbids: json(200, { ok: false, error: 'not_in_channel' }),
}

const card = z.object({
  type: z.literal('message'),
  attachments: z
    .array(
      z.object({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: z.object({
          type: z.literal('AdaptiveCard'),
          version: z.string(),
          body: z
            .array(z.object({ type: z.literal('TextBlock'), text: z.string().min(1), wrap: z.literal(true) }))
            .min(1),
          actions: z.array(z.object({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() })).max(6),
        }),
      }),
    )
    .length(1),
})

export const teamsWorkflow: Api = {
  fault: (request) => (request.body.length > 28 * 1024 ? 'too large' : fits(card, request)),
  accepts: answering(202, ''),
  unfit: answering(400, 'TriggerInputSchemaMismatch'),
  forbids: answering(401, 'DirectApiAuthorizationRequired'),
}

const dedupKey = z.string().min(1).max(255)
const pagerdutyEvent = z.discriminatedUnion('event_action', [
  z.strictObject({ routing_key: z.string(), event_action: z.literal('resolve'), dedup_key: dedupKey }),
  z.strictObject({
    routing_key: z.string(),
    event_action: z.literal('trigger'),
    dedup_key: dedupKey,
    client: z.string(),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })),
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      component: z.string(),
      group: z.string().optional(),
      class: z.string(),
      custom_details: z.record(z.string(), z.string()),
    }),
  }),
])

export const pagerdutyEvents: Api = {
  fault: (request) => fits(pagerdutyEvent, request),
  accepts: json(202, { status: 'success', message: 'Event processed', dedup_key: 'as sent' }),
  unfit: json(400, {
    status: 'invalid event',
    message: 'Event object is invalid',
    errors: ["'payload.severity' is invalid"],
  }),
  forbids: answering(403, 'Forbidden'),
}

const opsgenieAlert = z.strictObject({
  message: z.string().min(1).max(130),
  alias: z.string().min(1).max(512),
  description: z.string().max(15_000),
  details: z.record(z.string(), z.string()),
  entity: z.string().max(512),
  source: z.string().max(100),
  priority: z.enum(['P1', 'P2', 'P3', 'P4', 'P5']),
  tags: z.array(z.string().max(50)).max(20),
})
const opsgenieClose = z.strictObject({ source: z.string(), user: z.string(), note: z.string() })

export const opsgenieAlerts: Api = {
  fault(request) {
    if (!request.headers.authorization?.startsWith('GenieKey ')) return 'no key'
    if (request.url === '/v2/alerts') return fits(opsgenieAlert, request)
    return /^\/v2\/alerts\/[^/]+\/close\?identifierType=alias$/.test(request.url)
      ? fits(opsgenieClose, request)
      : 'no such path'
  },
  accepts: json(202, { result: 'Request will be processed', took: 0.107, requestId: '43a29c5c' }),
  unfit: json(422, { message: 'Request body is not processable.', took: 0.083 }),
  forbids: json(403, { message: 'You are not authorized to access this resource', took: 0.01 }),
}

export const ownWebhook: Api = {
  fault: (request) =>
    request.headers['x-headgate-signature'] ? fits(z.object({ version: z.literal(1) }), request) : 'unsigned',
  accepts: answering(204, ''),
  unfit: answering(422, 'what is this'),
  forbids: answering(401, 'who are you'),
}
