import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../../shared/schema.ts'
import { endpoint, quota } from '../account.ts'
import { movingTtl } from '../moving-ttl.ts'
import { canonicalName, canonicalValue, RECORD_TYPES } from './names.ts'

/**
 * Google counts requests a minute, reads and writes apart; the numbers are each project's own, and told in its console
 * alone. 300 calls a minute are a careful guess, and far more than a migration needs: a call moves a whole zone.
 */
const DEFAULT_QUOTA = { callsPerSecond: 5, burst: 50 }

/** One record set with a weighted round robin, or a plain one that is to become one. */
export const googleCloudDnsSettings = z
  .strictObject({
    project: z
      .string()
      .superRefine((text, ctx) => {
        if (!/^(?:[a-z0-9.-]{1,100}:)?[a-z0-9][a-z0-9-]{1,62}$/.test(text))
          refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no id of a project`, 'use letters, digits and -')
      })
      .meta(about("The project's id", 'shop-prod')),
    zone: z
      .string()
      .superRefine((text, ctx) => {
        if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(text))
          refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no name of a managed zone`, 'not its domain: its name')
      })
      .meta(about("The managed zone's name, not its domain", 'example-com')),
    record: z
      .string()
      .meta(about('The name that clients resolve', 'checkout.example.com'))
      .transform((text, ctx): string => {
        const name = canonicalName(text)
        return name ?? refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no domain name`, 'write it in full')
      }),
    type: z.enum(RECORD_TYPES).prefault('A').meta(about('Its type', 'A')),
    old: values('old'),
    new: values('new'),
    propagation: duration({ maxSeconds: 3600 })
      .prefault('60s')
      .meta(about('From a change that is done until every name server of Google has it', '60s')),
    ttl: movingTtl('20s', 'The TTL while traffic moves, or `keep`'),
  })
  .superRefine(({ type, old, new: fresh }, ctx) => {
    for (const value of [...old, ...fresh])
      if (canonicalValue(type, value) === null)
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${value}" is no value of a record of type ${type}`)
    if (type === 'CNAME' && (old.length > 1 || fresh.length > 1))
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'a CNAME has one value', 'name one on each side')
    const both = old.find((value) => fresh.some((other) => canonicalValue(type, other) === canonicalValue(type, value)))
    if (both !== undefined)
      refuse(ctx, 'CONFIG_DUPLICATE', `${both} is in old and in new`, 'give each side values of its own')
  })
  .transform(({ propagation, ttl, ...rest }) => ({
    ...rest,
    propagationSeconds: propagation,
    movingTtlSeconds: ttl,
  }))

export type GoogleCloudDnsSettings = z.output<typeof googleCloudDnsSettings>

/** How to reach the API. Without `token` and `credentials`, Google's default credentials are looked for. */
export const googleCloudDnsAccount = z
  .strictObject({
    credentials: secretReference()
      .optional()
      .meta(
        about(
          'Credentials as JSON: of a service account, or of workload identity federation',
          '${file:/run/secrets/google.json}',
        ),
      ),
    token: secretReference()
      .optional()
      .meta(about('A bearer token that somebody else keeps fresh', '${file:/run/token}')),
    endpoint: endpoint('https://dns.googleapis.com'),
    quota: quota(DEFAULT_QUOTA),
  })
  .superRefine((account, ctx) => {
    if (account.token !== undefined && account.credentials !== undefined)
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'both token and credentials are given', 'keep one of them')
  })

export type GoogleCloudDnsAccount = z.output<typeof googleCloudDnsAccount>

function values(side: 'old' | 'new') {
  const example = side === 'old' ? ['192.0.2.10'] : ['198.51.100.10']
  return z
    .array(z.string())
    .min(1)
    .max(100)
    .meta(about(`The values that lead to the ${side} cluster: addresses, or one name for a CNAME`, example))
}
