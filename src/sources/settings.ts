import { z } from 'zod'
import { authSettings } from '../shared/http-auth.ts'
import { about, duration, refuse } from '../shared/schema.ts'

const text = z.string().min(1)

/** An http or https URL without credentials in it. `instead` says where those belong. */
export function httpUrl(description: string, example: string, instead: string) {
  return z
    .string()
    .meta(about(description, example))
    .transform((text, ctx): string => {
      const url = URL.parse(text)
      if (url === null || !['http:', 'https:'].includes(url.protocol))
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no http:// or https:// URL')
      if (url.username !== '' || url.password !== '')
        return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'this URL has credentials in it', instead)
      return text
    })
}

/** The largest answer that is read, bytes. */
export function byteLimit(description: string, defaultBytes: number) {
  return z
    .int()
    .min(1024)
    .max(2 ** 30)
    .default(defaultBytes)
    .meta(about(description, defaultBytes))
}

/** `timeout` of one request. */
export function requestTimeout(description: string) {
  return duration({ minSeconds: 1, maxSeconds: 120 }).prefault('5s').meta(about(description, '5s'))
}

/** `gapTolerance`: how long a series may be away. */
export function gapTolerance() {
  return duration({ minSeconds: 1, maxSeconds: 86_400 })
    .prefault('15m')
    .meta(about('What comes back within this time goes on counting where it stopped', '15m'))
}

/** TLS files; `name` is for the examples. */
export function tlsSettings(name: string) {
  return z
    .strictObject({
      ca: text
        .optional()
        .meta(about('PEM file of the authorities to trust, instead of the usual ones', `/etc/ssl/${name}-ca.pem`)),
      cert: text.optional().meta(about('PEM file of the client certificate', '/etc/headgate/tls.crt')),
      key: text.optional().meta(about('PEM file of its key', '/etc/headgate/tls.key')),
      serverName: text
        .optional()
        .meta(about("Name that the server's certificate must carry, if not the URL's", `${name}.internal`)),
    })
    .superRefine(({ cert, key }, ctx) => {
      if ((cert === undefined) !== (key === undefined))
        refuse(ctx, 'CONFIG_WRONG_VALUE', '`cert` and `key` go together', 'give both, or none')
    })
}

export type TlsSettings = z.output<ReturnType<typeof tlsSettings>>

/** What a server of one's own, asked in its own language, has for settings. */
export function serverShape(about_: {
  readonly title: string
  readonly name: string
  readonly url: string
  readonly delay: string
}) {
  const { title, name, url, delay } = about_
  return {
    url: httpUrl(`Where ${title} is; the paths of its API are appended`, url, 'use `auth` instead'),
    auth: authSettings(`${name.toUpperCase()}_TOKEN`, name).optional().meta(about('Credentials; none without it')),
    tls: tlsSettings(name).optional().meta(about('TLS files, read at each new connection, so that rotated ones count')),
    tenant: text.optional().meta(about('Tenant: the header `X-Scope-OrgID`', 'shop')),
    timeout: requestTimeout('A query without an answer by then is missing'),
    maxBytes: byteLimit('A larger answer is refused, bytes', 32 * 2 ** 20),
    ingestDelay: ingestDelay(delay),
  }
}

/** `ingestDelay`: how late data may come. */
export function ingestDelay(usual: string) {
  return duration({ maxSeconds: 3600 })
    .prefault(usual)
    .meta(about('How long after the fact all data has arrived: each sweep is about a time so long ago', usual))
}
