import { z } from 'zod'
import type { ConfigChange } from '../policy/changes.ts'
import { problemSchema, refusalSchema } from './wire.ts'

const changeSchema = z.object({
  change: z.enum(['added', 'removed', 'changed']),
  what: z.enum(['migration', 'workload', 'setting']),
  name: z.string().meta({ description: 'Of a setting, its key; values are not told' }),
  migration: z.string().nullable().meta({ description: 'null: of the service, or a migration itself' }),
}) satisfies z.ZodType<ConfigChange>

export const reloadedSchema = z
  .object({
    configHash: z.string(),
    changes: z.array(changeSchema).meta({ description: 'Against the config before; none: it was in force already' }),
  })
  .meta({ id: 'Reloaded' })

export const reloadRefusedSchema = refusalSchema
  .extend({ problems: z.array(problemSchema).meta({ description: 'All that is wrong, each at its place' }) })
  .meta({ id: 'ReloadRefused', description: 'The old config stays' })

export type ReloadedJson = z.infer<typeof reloadedSchema>
