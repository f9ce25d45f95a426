import { z } from 'zod'
import type { Residual } from '../ports/residual.ts'
import { missingSchema, momentSchema } from './wire-rollout.ts'

const residualSchema: z.ZodType<Residual> = z.object({
  seconds: z.number(),
  untilMs: momentSchema,
  requests: z.union([z.number(), missingSchema]),
  by: z.array(
    z.object({
      label: z.string(),
      values: z.union([z.array(z.object({ value: z.string(), requests: z.number() })), missingSchema]),
    }),
  ),
})

export const decommissionSchema = z
  .object({
    /** True when every one of them may. */
    mayGo: z.boolean(),
    atMs: momentSchema,
    workloads: z.array(
      z.object({
        workload: z.string(),
        migration: z.string(),
        phase: z.string(),
        mayGo: z.boolean(),
        /** Why not, a clause each; or what shows that it may. */
        reasons: z.array(z.string()),
        /** How long OLD was watched to be quiet. */
        quietSeconds: z.number(),
        /** The end of the last tick in which it was not, while draining; null: in none. */
        lastRequestAtMs: momentSchema.nullable(),
        residual: residualSchema,
      }),
    ),
  })
  .meta({ id: 'Decommission' })

export type DecommissionJson = z.infer<typeof decommissionSchema>
