import { z } from 'zod'
import { OUTCOMES, type Verdict } from '../core/gates/verdict.ts'
import type { Counts, Missing, Observation } from '../core/observation.ts'
import type { Json, Plan, Trial } from '../core/plan.ts'
import { HOLD_CAUSES, type Hold, type Phase, type SliEvidence } from '../core/state.ts'
import { sliSpecSchema } from './wire-sli.ts'
import { checkReadingSchema, wayShape } from './wire-way.ts'

/**
 * The core's shapes as the API shows them. Each schema is checked against its type here, and a test sends whole values
 * through: a field that is added to the core and forgotten here fails that test.
 */

export const percentSchema = z.number().min(0).max(100)
const secondsSchema = z.number().min(0)
/** Milliseconds since 1970. */
export const momentSchema = z.number()

export const phaseSchema: z.ZodType<Phase> = z
  .discriminatedUnion('name', [
    z.object({ name: z.literal('waiting') }),
    z.object({ name: z.literal('preflight') }),
    z.object({ name: z.literal('preparing') }),
    z.object({ name: z.literal('stepping'), stepIndex: z.int().min(0) }),
    z.object({ name: z.literal('baking') }),
    z.object({ name: z.literal('draining') }),
    z.object({ name: z.literal('completed') }),
    z.object({ name: z.literal('reverting'), reason: z.string(), startedAtMs: momentSchema }),
    z.object({ name: z.literal('reverted'), reason: z.string() }),
    z.object({ name: z.literal('cancelled'), reason: z.string() }),
  ])
  .meta({ id: 'Phase' })

export const holdSchema: z.ZodType<Hold> = z
  .object({ cause: z.enum(HOLD_CAUSES), detail: z.string(), sinceMs: momentSchema, actor: z.string() })
  .meta({ id: 'Hold', description: 'A reason not to raise the weight' })

export const outcomeSchema = z.enum(OUTCOMES)

export const verdictSchema: z.ZodType<Verdict> = z
  .object({
    gate: z.string(),
    outcome: outcomeSchema,
    evidence: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
    sentence: z.string(),
  })
  .meta({ id: 'Verdict', description: 'A gate’s judgement, with the numbers that it rests on' })

const countsSchema: z.ZodType<Counts> = z.object({ total: z.number(), bad: z.number() })

export const missingSchema = z.object({
  kind: z.literal('missing'),
  why: z.enum(['timeout', 'unreachable', 'refused', 'empty', 'not-a-number', 'stale', 'bad-answer', 'no-baseline']),
  detail: z.string(),
}) satisfies z.ZodType<Missing>

function sides<T extends z.ZodType>(schema: T) {
  return z.object({ old: schema, new: schema })
}

const trialSchema: z.ZodType<Trial> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('marked') }),
  z.object({ kind: z.literal('mirror'), percent: percentSchema }),
])

const targetReadingSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('weight'),
    atMs: momentSchema,
    weightPercent: percentSchema,
    pending: z.string().exactOptional(),
    ttlSeconds: secondsSchema.exactOptional(),
    trial: trialSchema.exactOptional(),
    otherWriter: z.string().exactOptional(),
  }),
  missingSchema.extend({ atMs: momentSchema }),
])

const countsOrMissing = z.union([countsSchema, missingSchema])

const sliReadingSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('counts'),
    sinceMs: momentSchema,
    atMs: momentSchema,
    tick: sides(countsOrMissing),
    windows: z.array(z.object({ seconds: secondsSchema, counts: sides(countsOrMissing) })),
    latencies: z
      .object({ boundsSeconds: z.array(z.number()), slower: sides(z.array(z.number()).nullable()) })
      .nullable(),
    dispersion: z.object({ phi: z.number(), ticks: z.int(), bad: z.number() }).nullable(),
  }),
  z.object({ kind: z.literal('value'), atMs: momentSchema, value: sides(z.union([z.number(), missingSchema])) }),
  missingSchema,
])

const replicasSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('replicas'), ready: z.int(), wanted: z.int(), atMs: momentSchema }),
  missingSchema,
])

const probeOutcomeSchema = z.union([
  z.object({ kind: z.literal('passed'), seconds: secondsSchema }),
  z.object({ kind: z.literal('failed'), seconds: secondsSchema, why: z.string() }),
  missingSchema,
  z.null(),
])

/** The newest readings, by target id, SLI name, probe name and check id. */
export const readingsSchema: z.ZodType<Pick<Observation, 'targets' | 'slis' | 'probes' | 'checks' | 'replicas'>> = z
  .object({
    targets: z.record(z.string(), targetReadingSchema),
    slis: z.record(z.string(), sliReadingSchema),
    probes: z.record(z.string(), z.object({ atMs: momentSchema, outcome: sides(probeOutcomeSchema) })),
    /** null: nobody counts them. */
    replicas: sides(replicasSchema).nullable(),
    checks: z.record(z.string(), checkReadingSchema),
  })
  .meta({ id: 'Readings' })

export const sliEvidenceSchema: z.ZodType<SliEvidence> = z.object({
  untilMs: momentSchema,
  counts: sides(countsSchema),
})

const harm = z.enum(['halt', 'revert'])
const harmShape = { then: harm }
const allowance = z.object({ ratio: z.number(), margin: z.number(), alpha: z.number() })
const dispersionLimits = z.object({ assumed: z.number(), max: z.number() })

const gateSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('burnRate'),
    id: z.string(),
    sli: z.string(),
    pairs: z.array(
      z.object({ longSeconds: secondsSchema, shortSeconds: secondsSchema, factor: z.number(), ...harmShape }),
    ),
  }),
  z.object({
    kind: z.literal('threshold'),
    id: z.string(),
    sli: z.string(),
    bound: z.union([z.object({ max: z.number() }), z.object({ min: z.number() })]),
    ...harmShape,
  }),
  z.object({
    kind: z.literal('probe'),
    id: z.string(),
    probe: z.string(),
    failures: z.int(),
    passes: z.int(),
    ...harmShape,
  }),
  z.object({
    kind: z.literal('harm'),
    id: z.string(),
    of: z.union([z.object({ sli: z.string() }), z.object({ probe: z.string() })]),
    worst: harm,
    revert: allowance,
    halt: allowance,
    absolute: allowance,
    dispersion: dispersionLimits,
  }),
  z.object({
    kind: z.literal('latency'),
    id: z.string(),
    sli: z.string(),
    worst: harm,
    margin: z.number(),
    alpha: z.object({ halt: z.number(), revert: z.number() }),
    dispersion: dispersionLimits,
  }),
  z.object({
    kind: z.literal('proof'),
    id: z.string(),
    sli: z.string(),
    ratio: z.number(),
    margin: z.number(),
    need: z.number(),
    lowTraffic: z.object({ afterSeconds: secondsSchema, then: z.enum(['wait', 'probes', 'person']) }),
    dispersion: dispersionLimits,
  }),
  z.object({
    kind: z.literal('budget'),
    id: z.string(),
    sli: z.string(),
    worst: harm,
    haltPercent: z.number(),
    revertPercent: z.number(),
  }),
])

// `z.json()` is recursive, which not every OpenAPI reader takes: any value is what it says in effect.
const jsonSchema = z.custom<Json>().meta({ description: 'Settings of the provider kind; secrets are references' })

const probeSchema = z.object({
  name: z.string(),
  url: z.string(),
  method: z.enum(['GET', 'HEAD']),
  address: sides(z.string().nullable()),
  expectStatus: z.array(z.int()),
  expectBody: z.string().nullable(),
  slowerThanSeconds: secondsSchema,
  certificateDays: z.number().nullable(),
  allowAddresses: z.array(z.string()),
})

const syntheticTestSchema = z.object({ id: z.string(), location: z.string().nullable() })

const syntheticSchema = z.object({
  name: z.string(),
  source: z.string(),
  test: sides(syntheticTestSchema.nullable()),
})

export const planSchema: z.ZodType<Plan> = z
  .object({
    hash: z.string(),
    migration: z.string(),
    workload: z.string(),
    clusters: sides(z.string()),
    policy: z.string(),
    after: z.array(z.string()),
    steps: z.array(
      z.object({
        weightPercent: percentSchema,
        trial: trialSchema.nullable(),
        warm: z
          .object({
            kind: z.literal('warm'),
            requests: z.int(),
            perSecond: z.number(),
            passPercent: percentSchema,
            probes: z.array(probeSchema),
          })
          .nullable(),
        holdSeconds: secondsSchema,
        approval: z.object({ roles: z.array(z.string()), expiresSeconds: secondsSchema.nullable() }).nullable(),
      }),
    ),
    safeWeightPercent: percentSchema,
    bakeSeconds: secondsSchema,
    drainSeconds: secondsSchema,
    minRequests: z.number().min(0),
    blindAfterSeconds: secondsSchema,
    drift: z.enum(['hold', 'correct']),
    shareTolerancePercent: z.number().nullable(),
    stuckAfterSeconds: secondsSchema,
    gates: z.array(gateSchema),
    targets: z.array(
      z.object({
        id: z.string(),
        role: z.enum(['split', 'boomerang']),
        kind: z.string(),
        scope: z.string(),
        settings: jsonSchema,
        propagationSeconds: secondsSchema,
        movingTtlSeconds: secondsSchema.nullable(),
      }),
    ),
    slis: z.array(sliSpecSchema),
    probes: z.array(probeSchema),
    synthetics: z.array(syntheticSchema),
    ...wayShape,
  })
  .meta({ id: 'Plan', description: 'A policy resolved for one workload' })
