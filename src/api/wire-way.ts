import { z } from 'zod'
import { CHECK_IDS, type CheckReading } from '../core/check.ts'
import type { Plan } from '../core/plan.ts'
import { HOOK_POINTS } from '../core/task.ts'
import { sliSpecSchema } from './wire-sli.ts'

/** What a plan has around its weights, as the API shows it: objects, checks, hooks, capacity, drain. */

const objectSchema = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  namespace: z.string(),
  name: z.string(),
})

const hookTaskSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('http'),
    url: z.string(),
    signingKey: z.string().nullable().meta({ description: 'A reference to the secret' }),
    expectStatus: z.array(z.int()),
    expectBody: z.string().nullable(),
    timeoutSeconds: z.number(),
    allowAddresses: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('job'),
    cluster: z.enum(['old', 'new']),
    namespace: z.string(),
    cronJob: z.string(),
  }),
])

const hookSchema = z.object({
  id: z.string(),
  at: z.enum(HOOK_POINTS),
  weightsPercent: z.array(z.number()).nullable(),
  task: hookTaskSchema,
  tries: z.int(),
  deadlineSeconds: z.number(),
  then: z.enum(['hold', 'revert', 'go-on']),
})

export const wayShape = {
  objects: z.object({ old: objectSchema, new: objectSchema }).nullable(),
  checks: z.array(
    z.object({ id: z.enum(CHECK_IDS as readonly [Plan['checks'][number]['id']]), then: z.enum(['hold', 'tell']) }),
  ),
  checkRules: z.object({
    certificateDays: z.number(),
    clockSeconds: z.number(),
    ttlSeconds: z.number(),
    errorBudgetPercent: z.number(),
    mayDiffer: z.array(z.string()),
    stateful: z.string().nullable(),
    replication: z.object({ query: z.string(), max: z.number() }).nullable(),
  }),
  hooks: z.array(hookSchema),
  capacity: z
    .object({
      fullReplicas: z.number().nullable(),
      headroomPercent: z.number(),
      scale: z.enum(['off', 'up']),
      oldAfterwards: z.object({ replicas: z.int(), approval: z.boolean() }).nullable(),
    })
    .nullable(),
  drain: z.object({
    maxRequests: z.number(),
    connections: z.object({ sli: z.string(), max: z.number() }).nullable(),
    by: z.array(z.object({ label: z.string(), sli: sliSpecSchema.nullable() })),
  }),
}

export const checkReadingSchema: z.ZodType<CheckReading> = z
  .object({
    outcome: z.enum(['pass', 'fail', 'skipped', 'missing']),
    sentence: z.string(),
    hint: z.string().nullable(),
    atMs: z.number(),
  })
  .meta({ id: 'Check', description: 'What one look of a check came to' })
