import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../../shared/schema.ts'
import { endpoint } from '../account.ts'
import { movingTtl } from '../moving-ttl.ts'

/** Each answers one kind of query; a record set has values of one of them. */
export type RecordType = 'A' | 'AAAA' | 'CNAME'

const DNS_PORT = 53
/** Each of them is a part of the answer's text, which must stay a few hundred bytes. */
const MAX_VALUES = 16
/** The longest name to lead to: with its weight it must fit into one string of 255 bytes of a record. */
const MAX_VALUE_LENGTH = 200

/** One name of a zone with the addresses, or the names, that it leads to in each cluster. */
export const powerdnsSettings = z
  .strictObject({
    zone: dnsName().meta(about('The zone at PowerDNS', 'example.com')),
    record: dnsName().meta(about('The name in it, in full', 'checkout.example.com')),
    old: values().meta(about('What leads to the old cluster: addresses of one family, or names (CNAME)', '192.0.2.10')),
    new: values().meta(about('What leads to the new cluster, of the same kind', ['192.0.2.20', '192.0.2.21'])),
    pick: z
      .enum(['random', 'hashed'])
      .prefault('random')
      .meta(
        about(
          '`random`: anew for each query; `hashed`: the same for the same resolver, or its client subnet',
          'random',
        ),
      ),
    ttl: movingTtl('20s', 'The TTL while traffic moves, or `keep`'),
    propagation: duration({ maxSeconds: 3600 })
      .prefault('20s')
      .meta(about('From a write until every name server of the zone has it', '20s')),
  })
  .transform(({ ttl, propagation, ...rest }, ctx) => {
    const all = [...rest.old, ...rest.new]
    const type = typeOf(all[0] ?? '')
    if (all.some((value) => typeOf(value) !== type))
      return refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        'old and new are not of one kind',
        'name IPv4 addresses, or IPv6, or names',
      )
    const twice = all.find((value, index) => all.indexOf(value) !== index)
    if (twice !== undefined)
      return refuse(ctx, 'CONFIG_DUPLICATE', `${twice} is named twice`, 'give each cluster values of its own')
    if (rest.record !== rest.zone && !rest.record.endsWith(`.${rest.zone}`))
      return refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        `${rest.record} is not in the zone ${rest.zone}`,
        'write the name in full',
      )
    if (type === 'CNAME' && rest.record === rest.zone)
      return refuse(ctx, 'CONFIG_WRONG_VALUE', 'the top of a zone cannot be a CNAME', 'name addresses there')
    return { ...rest, type, movingTtlSeconds: ttl, propagationSeconds: propagation }
  })

export type PowerdnsSettings = z.output<typeof powerdnsSettings>

/** The API of one PowerDNS Authoritative Server, and where its answers are checked. */
export const powerdnsAccount = z
  .strictObject({
    url: endpoint('http://127.0.0.1:8081').meta(
      about('Where its API answers; `/api/v1` is appended', 'http://pdns:8081'),
    ),
    apiKey: secretReference().meta(about('Sent as X-API-Key', '${env:PDNS_API_KEY}')),
    server: z
      .string()
      .superRefine((text, ctx) => {
        if (!/^[A-Za-z0-9_.-]{1,100}$/.test(text)) refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no server id`)
      })
      .prefault('localhost')
      .meta(about('The server id in the paths of the API', 'localhost')),
    nameservers: z
      .array(nameserver())
      .max(8)
      .optional()
      .meta(
        about(
          'Who is asked what is served after a write: HOST or HOST:PORT; by default the host of `url`; []: nobody',
          ['ns1.example.com'],
        ),
      ),
    timeout: duration({ minSeconds: 1, maxSeconds: 60 }).prefault('5s').meta(about('How long one call may take', '5s')),
  })
  .transform(({ timeout, nameservers, ...rest }) => ({
    ...rest,
    nameservers: nameservers ?? [{ host: new URL(rest.url).hostname.replace(/^\[|\]$/g, ''), port: DNS_PORT }],
    timeoutSeconds: timeout,
  }))

export type PowerdnsAccount = z.output<typeof powerdnsAccount>
export type Nameserver = PowerdnsAccount['nameservers'][number]

/** One form for each value: lower case, no dot at the end, IPv6 shortened; null: it is none. */
export function canonical(text: string): string | null {
  if (isIPv4(text)) return text
  if (isIPv6(text)) return text.includes('%') ? null : new URL(`http://[${text}]`).hostname.slice(1, -1)
  return canonicalName(text)
}

/** The kind of a canonical value. */
function typeOf(value: string): RecordType {
  if (isIPv4(value)) return 'A'
  return isIPv6(value) ? 'AAAA' : 'CNAME'
}

function canonicalName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '')
  const labels = name.split('.')
  const isName = name.length <= 253 && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  // What ends in a number is a mistyped address.
  return isName && !/^\d+$/.test(labels.at(-1) ?? '') ? name : null
}

function dnsName() {
  return z
    .string()
    .transform(
      (text, ctx): string =>
        canonicalName(text) ??
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no DNS name`, 'use letters, digits, - and _ between dots'),
    )
}

/** Values become part of Lua: nothing but addresses and names gets there. */
function value() {
  return z.string().transform((text, ctx): string => {
    const value = canonical(text)
    if (value !== null && value.length <= MAX_VALUE_LENGTH) return value
    return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no address and no DNS name`)
  })
}

function values() {
  return z
    .union([value(), z.array(value()).min(1).max(MAX_VALUES)])
    .transform((one) => (Array.isArray(one) ? one : [one]))
}

function nameserver() {
  return z.string().transform((text, ctx) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
    const host = isIPv6(text) ? text : (match?.[1] ?? match?.[2])
    const port = Number((isIPv6(text) ? undefined : match?.[3]) ?? DNS_PORT)
    if (host !== undefined && canonical(host) !== null && port >= 1 && port <= 65_535) return { host, port }
    return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no HOST or HOST:PORT`)
  })
}
