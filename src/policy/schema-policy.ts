import { z } from 'zod'
import { about, duration, percent } from '../shared/schema.ts'
import { drainSchema } from './schema-drain.ts'
import { budgetSchema, evidenceSchema, proofSchema } from './schema-evidence.ts'
import { hooksSchema } from './schema-hooks.ts'
import { capacitySchema } from './schema-kubernetes.ts'
import { name } from './schema-names.ts'
import { preflightSchema } from './schema-preflight.ts'
import { stepsSchema } from './schema-steps.ts'

const DAY_SECONDS = 86_400

const harm = z.enum(['halt', 'revert'])

const pairSchema = z
  .strictObject({
    long: duration({ minSeconds: 2, maxSeconds: 3 * DAY_SECONDS }).meta(
      about('The longer window: shows that it matters', '5m'),
    ),
    short: duration({ minSeconds: 1, maxSeconds: DAY_SECONDS }).meta(
      about('The shorter window: shows that it still goes on', '1m'),
    ),
    factor: z
      .number()
      .min(2)
      .meta(about("Times the budget's even spending, from 2", 14.4, 'times')),
    then: harm.meta(about('What to do when both windows are at or above the factor', 'revert')),
  })
  .superRefine(({ long, short }, ctx) => {
    if (long > short) return
    const params = { code: 'CONFIG_WRONG_VALUE', hint: 'the short window is usually a twelfth of the long one' }
    ctx.addIssue({ code: 'custom', path: ['short'], message: 'must be shorter than `long`', params })
  })

/** A policy as written: what it does not say comes from the one that it extends. */
export const policySchema = z.strictObject({
  extends: name()
    .optional()
    .meta({ ...about('Policy to take the rest from', 'standard'), default: 'standard' }),
  steps: stepsSchema.optional(),
  hooks: hooksSchema.optional(),
  safeWeight: percent({ max: 99.9 }).optional().meta(about('Where a revert goes; below the first step', '0%')),
  bake: duration().optional().meta(about('How long 100 % is watched before the workload counts as moved', '24h')),
  drain: drainSchema.optional(),
  minRequests: z
    .int()
    .min(0)
    .optional()
    .meta(about('Requests that NEW must have served at a weight before a count gate may pass', 100, 'requests')),
  burnRate: z
    .array(pairSchema)
    .min(1)
    .optional()
    .meta(
      about('Alerts on how fast NEW spends the error budget; each SLI with an objective gets them all', [
        { long: '5m', short: '1m', factor: 14.4, then: 'revert' },
      ]),
    ),
  evidence: evidenceSchema,
  proof: proofSchema,
  budget: budgetSchema,
  probes: z
    .strictObject({
      failures: z
        .int()
        .min(1)
        .optional()
        .meta(about('Failures in a row on NEW that count as harm', 3, 'rounds')),
      passes: z
        .int()
        .min(1)
        .optional()
        .meta(about('Passes in a row on NEW, at this weight, before a raise', 3, 'rounds')),
      then: harm.optional().meta(about('What so many failures do', 'revert')),
    })
    .optional()
    .meta(about('How probes are judged', { failures: 3, passes: 3 })),
  preflight: preflightSchema,
  capacity: capacitySchema,
  blindAfter: duration({ minSeconds: 1 })
    .optional()
    .meta(about('A page goes out when data has been missing for so long', '5m')),
  drift: z
    .enum(['hold', 'correct'])
    .optional()
    .meta(about('What to do about a weight that somebody else wrote: hold and tell, or write it again', 'hold')),
  share: z
    .union([
      z.literal('off'),
      z.strictObject({
        tolerance: percent({ min: 0.1, max: 50 })
          .optional()
          .meta(about('How far the observed share may be from the weight, in points, beside chance', '5%')),
        stuckAfter: duration({ minSeconds: 1 })
          .optional()
          .meta(about('A gap that lasts so long is told as stuck', '10m')),
      }),
    ])
    .optional()
    .meta(about('Whether the observed share must follow the weight; `off`: not checked', { tolerance: '5%' })),
})

export type PolicySettings = z.output<typeof policySchema>
