import { z } from 'zod'
import { awsAccountKeys, awsRegion } from '../../shared/aws.ts'
import { about, duration, refuse } from '../../shared/schema.ts'
import { quota } from '../account.ts'
import { movingTtl } from '../moving-ttl.ts'

/** "Quotas" in the Route 53 developer guide: calls a second of an account, and what its bucket holds. */
const CALLS_PER_SECOND = 10
const BURST = 50
/** The same page: elements and characters of a ChangeResourceRecordSets request, those of an UPSERT counted twice. */
const MAX_RECORDS = 1000
const MAX_CHARACTERS = 32_000

const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'HTTPS', 'SRV'] as const

/** One name and type of a hosted zone, with its two weighted records. */
export const route53Settings = z
  .strictObject({
    zone: zoneId().meta(about('The hosted zone', 'Z0123456789')),
    record: name().meta(about("The records' name", 'checkout.example.com')),
    type: z
      .enum(RECORD_TYPES)
      .optional()
      .meta(about("The records' type, where there are several of the name; otherwise it is found", 'A')),
    old: setIdentifier().meta(about('The SetIdentifier of the record that leads to the old cluster', 'blue')),
    new: setIdentifier().meta(about('The SetIdentifier of the record that leads to the new cluster', 'green')),
    newValues: z
      .array(z.string().min(1).max(4000))
      .min(1)
      .max(400)
      .optional()
      .meta(about('What the new record is created with, if it is missing', ['203.0.113.9'])),
    newAlias: z
      .strictObject({
        zone: zoneId().meta(
          about("The target's hosted zone, e.g. that of load balancers in its region", 'Z215JYRZR1TBD5'),
        ),
        name: name().meta(about("The target's name", 'new-1234.eu-central-1.elb.amazonaws.com')),
        evaluateTargetHealth: z
          .boolean()
          .prefault(true)
          .meta(about('Leave the record out of answers while its target is unhealthy', true)),
      })
      .optional()
      .meta(
        about('The alias that the new record is created as, if it is missing', {
          zone: 'Z215JYRZR1TBD5',
          name: 'new-1234.eu-central-1.elb.amazonaws.com',
        }),
      ),
    failover: z
      .strictObject({
        healthCheck: z
          .string()
          .superRefine((text, ctx) => {
            if (!/^[A-Za-z0-9-]{1,64}$/.test(text))
              refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no id of a health check`)
          })
          .meta(about('A health check that watches Headgate itself', 'abcdef11-2222-3333-4444-555555fedcba')),
      })
      .optional()
      .meta(
        about('Bring all traffic to the old cluster when Headgate is gone; see the page for what that risks', {
          healthCheck: 'abcdef11-2222-3333-4444-555555fedcba',
        }),
      ),
    ttl: movingTtl('20s', 'The TTL of both records while traffic moves; or `keep`, as alias records need it'),
    propagation: duration({ maxSeconds: 3600 })
      .prefault('10s')
      .meta(about('From INSYNC until resolvers can count on the new answer', '10s')),
  })
  .superRefine((settings, ctx) => {
    if (settings.old === settings.new)
      refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${settings.old}`, 'name two records of the set')
    if (settings.newValues !== undefined && settings.newAlias !== undefined)
      refuse(ctx, 'CONFIG_DUPLICATE', 'newValues and newAlias both say what the new record is', 'keep one of them')
  })
  .transform(({ ttl, propagation, ...rest }) => ({
    ...rest,
    movingTtlSeconds: ttl,
    propagationSeconds: propagation,
  }))

export type Route53Settings = z.output<typeof route53Settings>

/** The account that holds the zones. */
export const route53Account = z.strictObject({
  ...awsAccountKeys(),
  region: awsRegion()
    .prefault('us-east-1')
    .meta(about('Route 53 is global: a region tells its partition (also cn-northwest-1, us-gov-west-1)', 'us-east-1')),
  quota: quota({ callsPerSecond: CALLS_PER_SECOND, burst: BURST }),
  batch: z
    .strictObject({
      records: z
        .int()
        .min(2)
        .max(MAX_RECORDS)
        .prefault(MAX_RECORDS)
        .meta(about('Values in one call, those of an UPSERT counted twice', MAX_RECORDS)),
      characters: z
        .int()
        .min(2)
        .max(MAX_CHARACTERS)
        .prefault(MAX_CHARACTERS)
        .meta(about('Characters of all values in one call, those of an UPSERT counted twice', MAX_CHARACTERS)),
    })
    .prefault({})
    .meta(about('How much one call may change')),
})

export type Route53Account = z.output<typeof route53Account>

function zoneId() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[A-Z0-9]{1,32}$/.test(text))
      refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        `"${text}" is no id of a hosted zone`,
        'write what follows /hostedzone/, as Z012345',
      )
  })
}

function name() {
  return z
    .string()
    .superRefine((text, ctx) => {
      if (text.length > 254 || !/^(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}\.?$/i.test(text))
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no full DNS name`, 'write it as checkout.example.com')
    })
    .transform((text) => text.toLowerCase().replace(/\.$/, ''))
}

function setIdentifier() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[^\p{C}]{1,128}$/u.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no SetIdentifier', 'use 1 to 128 printable characters')
  })
}
