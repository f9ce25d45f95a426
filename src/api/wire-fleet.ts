import { z } from 'zod'
import type { FleetView } from '../core/fleet-view.ts'
import { verdictSchema } from './wire-rollout.ts'

const waveSchema = z
  .object({
    name: z.string(),
    workloads: z.array(z.string()),
    /** null: the migration's alone. */
    concurrency: z.int().nullable(),
    /** They add up to the wave's workloads. */
    counts: z.object({
      waiting: z.int(),
      underWay: z.int(),
      baked: z.int(),
      reverted: z.int(),
      cancelled: z.int(),
    }),
  })
  .meta({ id: 'Wave', description: 'Workloads that may move at the same time' })

export const fleetSchema = z
  .object({
    migration: z.string(),
    clusters: z.object({ old: z.string(), new: z.string() }),
    waves: z.array(waveSchema),
    /** null: any number. */
    concurrency: z.int().nullable(),
    spacingSeconds: z.number(),
    canaryFirst: z.boolean(),
    breaker: z
      .object({
        reverts: z.int(),
        withinSeconds: z.number(),
        /** Those that were neither retried nor cancelled since. */
        reverted: z.array(z.string()),
        /** Why nothing starts; null: it does not keep anything from starting. */
        tripped: z.string().nullable(),
      })
      .nullable(),
    /** A verdict a signal. */
    signals: z.array(verdictSchema),
  })
  .meta({ id: 'Fleet', description: 'A migration as a whole' })

export const fleetsSchema = z.object({ migrations: z.array(fleetSchema) })

export type FleetJson = z.infer<typeof fleetSchema>

export function toFleet(view: FleetView): FleetJson {
  const { waves, breaker, signals } = view
  return {
    ...view,
    waves: waves.map((wave) => ({ ...wave, workloads: [...wave.workloads] })),
    breaker: breaker && { ...breaker, reverted: [...breaker.reverted] },
    signals: [...signals],
  }
}
