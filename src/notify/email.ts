import { lookup } from 'node:dns/promises'
import type { Transporter } from 'nodemailer'
import { z } from 'zod'
import type { ChannelKind, Delivery, Notification } from '../ports/channel.ts'
import { byDeadline } from '../shared/deadline.ts'
import { isGuarded } from '../shared/guard.ts'
import { about, refuse, secretReference } from '../shared/schema.ts'
import { clause, codeOf } from '../shared/text.ts'
import { ACCEPTED, allowedAddresses, later, withSecrets } from './http.ts'

const CONNECT_TIMEOUT_MS = 5000
const SILENCE_TIMEOUT_MS = 8000

const settings = z.strictObject({
  host: z.string().min(1).meta(about('The SMTP server', 'smtp.example.com')),
  port: z.int().min(1).max(65_535).prefault(587).meta(about('Its port: 587, or 465 with `tls: always`', 587)),
  tls: z
    .enum(['starttls', 'always', 'never'])
    .prefault('starttls')
    .meta(
      about(
        '`starttls` refuses to send without; `always` from the first byte; `never` for a relay on this machine',
        'starttls',
      ),
    ),
  user: z.string().min(1).optional().meta(about('Who logs in', 'headgate')),
  password: secretReference().optional().meta(about('The password of `user`', '${env:SMTP_PASSWORD}')),
  from: address().meta(about('The sender', 'headgate@example.com')),
  to: z
    .array(address())
    .min(1)
    .max(50)
    .meta(about('The receivers', ['oncall@example.com'])),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

/** Email over SMTP; of one notification every copy has the same Message-ID. */
export const email: ChannelKind<Settings> = {
  kind: 'email',
  settings: settings.superRefine(({ user, password }, ctx) => {
    if ((user === undefined) === (password === undefined)) return
    const [has, lacks] = user === undefined ? ['password', 'user'] : ['user', 'password']
    const params = { code: 'CONFIG_MISSING_KEY', hint: 'give both, or neither' }
    ctx.addIssue({ code: 'custom', message: `\`${has}\` without \`${lacks}\``, params })
  }),
  takes: 'messages',
  open(to, { secret }) {
    return {
      send: (notification, signal) =>
        withSecrets(async () => {
          const password = to.password === undefined ? null : secret(to.password)
          const sending = sendOne(to, password, notification)
          return byDeadline(sending, signal, () => later('not all of it was taken in time'))
        }),
      close: async () => {},
    }
  },
}

async function sendOne(to: Settings, password: string | null, notification: Notification): Promise<Delivery> {
  let transport: Transporter | null = null
  try {
    // The address that was looked at is the one that is connected to.
    const { address } = await lookup(to.host)
    if (isGuarded(address, to.allowAddresses))
      return later(
        `${address} is a link-local or a metadata address: it is not asked, unless \`allowAddresses\` has it`,
      )
    const { createTransport } = await import('nodemailer')
    transport = createTransport({
      host: address,
      port: to.port,
      secure: to.tls === 'always',
      requireTLS: to.tls === 'starttls',
      ignoreTLS: to.tls === 'never',
      servername: to.host,
      tls: { servername: to.host },
      ...(to.user !== undefined && password !== null && { auth: { user: to.user, pass: password } }),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    await transport.sendMail({
      from: to.from,
      to: [...to.to],
      subject: notification.title,
      text: notification.text,
      messageId: `<${notification.id.replaceAll(/[^A-Za-z0-9._-]/g, '-')}@headgate>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    return ACCEPTED
  } catch (error) {
    return deliveryOf(error, password === null ? [] : secretsOf(to.user ?? '', password))
  } finally {
    transport?.close()
  }
}

/** What a server may repeat of a login: the password, and the words of AUTH PLAIN (RFC 4616) and AUTH LOGIN. */
function secretsOf(user: string, password: string): readonly string[] {
  const [pair, alone] = [`\0${user}\0${password}`, password].map((text) => Buffer.from(text).toString('base64'))
  return [pair ?? '', alone ?? '', password].filter((secret) => secret !== '')
}

/** What the server has against the message is told for good by a 5xx; against the sender or a receiver a person can help. */
function deliveryOf(error: unknown, secrets: readonly string[]): Delivery {
  if (!(error instanceof Error) || !('response' in error) || typeof error.response !== 'string')
    return later(`no answer (${codeOf(error)})`)
  const detail = `answered ${clause(error.response, secrets)}`
  const isAboutMessage = codeOf(error) === 'EMESSAGE' && /^5/.test(error.response)
  return isAboutMessage ? { outcome: 'refused', detail } : later(detail)
}

/** An address alone: no name beside it, no second one, no line that would become a header. */
function address() {
  return z
    .string()
    .meta({ 'x-type': 'email address' })
    .superRefine((text, ctx) => {
      if (!/^[^\s@<>",;:]+@[^\s@<>",;:]+$/.test(text))
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no email address`, 'write NAME@HOST alone')
    })
}
