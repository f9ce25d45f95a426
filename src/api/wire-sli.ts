import { z } from 'zod'
import type { SliSpec } from '../core/plan.ts'

const secondsSchema = z.number().min(0)

const measureSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('selector'), total: z.string(), bad: z.string() }),
  z.object({ kind: z.literal('goodSelector'), total: z.string(), good: z.string() }),
  z.object({ kind: z.literal('histogram'), metric: z.string(), slowerThanSeconds: secondsSchema }),
  z.object({ kind: z.literal('nativeHistogram'), metric: z.string(), slowerThanSeconds: secondsSchema }),
  z.object({ kind: z.literal('query'), total: z.string(), bad: z.string(), windowSeconds: secondsSchema }),
  z.object({ kind: z.literal('value'), value: z.string(), windowSeconds: secondsSchema }),
  z.object({
    kind: z.literal('ask'),
    total: z.string(),
    bad: z.string(),
    windowSeconds: secondsSchema.nullable(),
  }),
  z.object({ kind: z.literal('askValue'), value: z.string(), windowSeconds: secondsSchema }),
])

export const sliSpecSchema: z.ZodType<SliSpec> = z.object({
  name: z.string(),
  source: z.string(),
  objectivePercent: z.number().nullable(),
  labels: z.object({ cluster: z.string(), workload: z.string() }),
  measure: measureSchema,
  origin: z.object({ tool: z.enum(['openslo', 'sloth', 'pyrra']), of: z.string() }).exactOptional(),
})
