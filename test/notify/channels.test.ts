import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { email } from '../../src/notify/email.ts'
import { grafana } from '../../src/notify/grafana.ts'
import { opsgenie } from '../../src/notify/opsgenie.ts'
import { pagerduty } from '../../src/notify/pagerduty.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { slack } from '../../src/notify/slack.ts'
import { teams } from '../../src/notify/teams.ts'
import { webhook } from '../../src/notify/webhook.ts'
import type { ChannelKind } from '../../src/ports/channel.ts'
import { type ChannelPlace, channelConformance } from '../conformance/channel.ts'
import * as fakes from '../fakes/channels.ts'
import { startGrafana } from '../fakes/grafana.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { startSmtpServer } from '../support/smtp.ts'
import { sampleNotification } from './samples.ts'

const MESSAGE = [
  'eks-1-33/checkout',
  'search: reverted',
  'longBurn 31.3',
  'and 3 more',
  'https://wiki.test/headgate#reverted',
]
const INCIDENTS = ['headgate/eks-1-33/checkout/revert', 'headgate/eks-1-33/search/revert', 'longBurn 31.3']
const KEY = 'canary-of-a-key-7d1f'
const signal = new AbortController().signal

type Server = fakes.FakeChannelServer
type Api = Parameters<typeof fakes.startChannelServer>[0]

/** A place over HTTP: `env` and `settings` by the server's address. */
async function overHttp<S>(
  api: Api,
  kind: ChannelKind<S>,
  shows: readonly string[],
  settings: (url: string) => { readonly env: Readonly<Record<string, string>>; readonly settings: unknown },
): Promise<ChannelPlace & { readonly server: Server }> {
  const server = await fakes.startChannelServer(api)
  const made = settings(server.url)
  return {
    server,
    open: (context) => kind.open(kind.settings.parse(made.settings), context),
    env: made.env,
    secrets: [KEY],
    mood: server.mood,
    accepted: () => server.accepted().map(({ url, body }) => `${decodeURIComponent(url)}\n${body}`),
    asked: server.asked,
    shows,
  }
}

const HTTP = {
  'a Slack webhook': () =>
    overHttp(fakes.slackWebhook, slack, MESSAGE, (url) => ({
      env: { URL: `${url}/services/T0/B0/${KEY}` },
      settings: { webhook: '${env:URL}' },
    })),
  'Slack’s chat.postMessage': () =>
    overHttp(fakes.slackApi, slack, MESSAGE, (url) => ({
      env: { TOKEN: KEY },
      settings: { token: '${env:TOKEN}', channel: 'C1', url: `${url}/api/chat.postMessage` },
    })),
  'a Teams workflow': () =>
    overHttp(fakes.teamsWorkflow, teams, ['eks-1-33/checkout', 'search: reverted', 'longBurn 31.3'], (url) => ({
      env: { URL: `${url}/workflows/1/triggers/manual/paths/invoke?sig=${KEY}` },
      settings: { webhook: '${env:URL}' },
    })),
  PagerDuty: () =>
    overHttp(fakes.pagerdutyEvents, pagerduty, INCIDENTS, (url) => ({
      env: { KEY },
      settings: { routingKey: '${env:KEY}', url: `${url}/v2/enqueue` },
    })),
  Opsgenie: () =>
    overHttp(fakes.opsgenieAlerts, opsgenie, INCIDENTS, (url) => ({
      env: { KEY },
      settings: { apiKey: '${env:KEY}', url: `${url}/v2/alerts` },
    })),
  'a webhook': () =>
    overHttp(fakes.ownWebhook, webhook, MESSAGE, (url) => ({
      env: { KEY },
      settings: { url: `${url}/headgate`, signingKey: '${env:KEY}' },
    })),
}

async function inGrafana(): Promise<ChannelPlace> {
  const server = await startGrafana()
  return {
    open: (context) => grafana.open(grafana.settings.parse({ url: server.url, token: '${env:KEY}' }), context),
    env: { KEY },
    secrets: [KEY],
    mood: server.mood,
    accepted: () => server.annotations.map((one) => JSON.stringify(one)),
    asked: server.asked,
    shows: ['workload:checkout', 'migration:eks-1-33', 'run:01RUN', 'reverting 25 % → 0 %', 'longBurn 31.3'],
  }
}

channelConformance('Grafana', inGrafana)

for (const [name, start] of Object.entries(HTTP)) channelConformance(name, start)

/** What each mood is in SMTP. */
const SMTP_MOODS = {
  fine: {},
  busy: { RCPT: '451 4.7.1 Greylisted' },
  forbidding: { AUTH: '535 5.7.8 Authentication failed' },
  unfit: { '.': '554 5.6.0 Message content rejected' },
  echoing: {
    AUTH: (line: string) => `535 5.7.8 you sent ${line}, which is ${Buffer.from(line.split(' ')[2] ?? '', 'base64')}`,
  },
  silent: { greeting: 'silent' },
  'hanging-up': { EHLO: '421 4.3.2 closing', HELO: '421 4.3.2 closing' },
} as const

async function overSmtp(): Promise<ChannelPlace> {
  const smtp = await startSmtpServer()
  const settings = {
    ...{ host: '127.0.0.1', port: smtp.port, tls: 'never', user: 'headgate', password: '${env:PASSWORD}' },
    ...{ from: 'headgate@example.com', to: ['oncall@example.com', 'leads@example.com'] },
  }
  return {
    open: (context) => email.open(email.settings.parse(settings), context),
    env: { PASSWORD: KEY },
    secrets: [KEY],
    mood: (mood) => {
      smtp.answers = SMTP_MOODS[mood]
    },
    accepted: () => smtp.mails.map(({ data }) => decodedMail(data)),
    asked: smtp.connections,
    shows: [
      'eks-1-33/checkout',
      'and 3 more',
      'Message-ID: <team-7-12-eks-1-33@headgate>',
      'Auto-Submitted: auto-generated',
    ],
  }
}

/** Soft line ends and escapes of quoted-printable taken back, folded headers made one line. */
function decodedMail(data: string): string {
  return data
    .replaceAll(/=\n/g, '')
    .replaceAll(/((?:=[0-9A-F]{2})+)/g, (hex) => Buffer.from(hex.replaceAll('=', ''), 'hex').toString())
    .replaceAll(/\n[ \t]+/g, ' ')
}

channelConformance('email', overSmtp)

test('every kind passed the suite above', () => {
  expect(channelKinds.map(({ kind }) => kind)).toEqual([
    'email',
    'grafana',
    'opsgenie',
    'pagerduty',
    'slack',
    'teams',
    'webhook',
  ])
})

describe('what is peculiar to one', () => {
  const opened = async (start: () => Promise<ChannelPlace & { readonly server: Server }>) => {
    const place = await start()
    return { place, channel: place.open(adapterContext(place.env)) }
  }

  test('a throttled channel is left alone for as long as it says', async () => {
    const { place, channel } = await opened(HTTP.PagerDuty)
    place.mood('busy')
    expect(await channel.send(sampleNotification(), signal)).toMatchObject({ outcome: 'later', retryAfterSeconds: 30 })
  })

  test('PagerDuty gets a trigger with all that a person needs, and a resolve, in that order', async () => {
    const { place, channel } = await opened(HTTP.PagerDuty)
    await channel.send(sampleNotification(), signal)
    const [trigger, resolve, ...more] = place.server.accepted().map(({ body }) => JSON.parse(body))
    expect(more).toEqual([])
    expect(trigger).toMatchObject({
      event_action: 'trigger',
      client_url: 'https://headgate.test/api/v1/workloads/checkout',
      payload: {
        summary: expect.stringContaining('eks-1-33/checkout: reverting 25 % → 0 %'),
        severity: 'critical',
        custom_details: {
          why: expect.stringContaining('longBurn 31.3'),
          next: expect.stringContaining('headgate status checkout'),
        },
      },
    })
    expect(resolve).toEqual({ routing_key: KEY, event_action: 'resolve', dedup_key: 'headgate/eks-1-33/search/revert' })
  })

  test('a mail server that repeats the login as it was sent has nobody read the password', async () => {
    const smtp = await startSmtpServer()
    const sent: string[] = []
    smtp.answers = {
      AUTH: (line) => {
        sent.push(line)
        return `535 5.7.8 refused: ${line}`
      },
    }
    const to = { host: '127.0.0.1', port: smtp.port, tls: 'never', user: 'headgate', password: '${env:PASSWORD}' }
    const settings = email.settings.parse({ ...to, from: 'a@example.com', to: ['b@example.com'] })
    const delivery = await email.open(settings, adapterContext({ PASSWORD: KEY })).send(sampleNotification(), signal)
    const pair = Buffer.from(`\0headgate\0${KEY}`).toString('base64')
    expect(sent).toEqual([`AUTH PLAIN ${pair}`])
    expect(delivery).toMatchObject({ outcome: 'later', detail: expect.stringContaining('535 5.7.8 refused') })
    expect(JSON.stringify(delivery)).not.toContain(pair)
  })

  test('Opsgenie closes by alias', async () => {
    const { place, channel } = await opened(HTTP.Opsgenie)
    await channel.send(sampleNotification(), signal)
    expect(place.server.accepted().map(({ url }) => url)).toEqual([
      '/v2/alerts',
      '/v2/alerts/headgate%2Feks-1-33%2Fsearch%2Frevert/close?identifierType=alias',
    ])
  })

  test('nobody is mentioned, and no link made, by what a server said', async () => {
    const said = { ...sampleNotification(), text: '<!channel> & [here](http://evil.test)' }
    const inSlack = await opened(HTTP['a Slack webhook'])
    await inSlack.channel.send(said, signal)
    expect(inSlack.place.accepted().join()).toContain('&lt;!channel&gt; &amp;')
    const inTeams = await opened(HTTP['a Teams workflow'])
    await inTeams.channel.send(said, signal)
    expect(JSON.parse(inTeams.place.server.accepted()[0]?.body ?? '').attachments[0].content.body[1].text).toBe(
      '\\<!channel\\> & \\[here\\](http://evil.test)',
    )
  })

  test('a webhook can check the signature, and knows a notification that it had', async () => {
    const { place, channel } = await opened(HTTP['a webhook'])
    await channel.send(sampleNotification(), signal)
    const [got] = place.server.accepted()
    const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(got?.headers['x-headgate-signature'])) ?? []
    expect(createHmac('sha256', KEY).update(`${seconds}.${got?.body}`).digest('hex')).toBe(digest)
    expect(got?.headers['idempotency-key']).toBe('team-7-12-eks-1-33')
    expect(JSON.parse(got?.body ?? '')).toMatchObject({ ...sampleNotification(), version: 1 })
  })

  test('mail logs in, goes to every receiver, and its subject stays one line', async () => {
    const smtp = await startSmtpServer()
    const channel = email.open(
      email.settings.parse({
        ...{ host: 'localhost', port: smtp.port, tls: 'never', user: 'headgate', password: '${env:PASSWORD}' },
        ...{ from: 'headgate@example.com', to: ['oncall@example.com', 'leads@example.com'] },
      }),
      adapterContext({ PASSWORD: KEY }),
    )
    const sample = sampleNotification()
    expect(await channel.send({ ...sample, title: 'a\r\nBcc: evil@example.com' }, signal)).toEqual({
      outcome: 'accepted',
    })
    expect(smtp.mails).toMatchObject([{ login: `headgate ${KEY}`, to: ['oncall@example.com', 'leads@example.com'] }])
    expect(smtp.mails[0]?.data).not.toMatch(/^Bcc/m)
  })

  test('mail is not sent in the clear where TLS is asked for', async () => {
    const smtp = await startSmtpServer()
    const settings = { host: '127.0.0.1', port: smtp.port, from: 'a@example.com', to: ['b@example.com'] }
    const channel = email.open(email.settings.parse(settings), adapterContext())
    expect(await channel.send(sampleNotification(), signal)).toMatchObject({ outcome: 'later' })
    expect(smtp.mails).toEqual([])
  })

  test.each([
    ['slack', slack.settings, { webhook: '${env:URL}' }],
    ['email', email.settings, { host: '169.254.169.254', from: 'a@example.com', to: ['b@example.com'] }],
  ])('%s asks no metadata address', async (name, settings, written) => {
    const context = adapterContext({ URL: 'http://169.254.169.254/latest/' })
    const kind = channelKinds.find((one) => one.kind === name)
    const delivery = await kind?.open(settings.parse(written), context).send(sampleNotification(), signal)
    expect(delivery).toMatchObject({ outcome: 'later', detail: expect.stringContaining('metadata address') })
  })
})
