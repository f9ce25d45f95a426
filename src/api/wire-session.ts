import { z } from 'zod'
import { ROLES } from '../policy/schema-api.ts'
import { momentSchema } from './wire-rollout.ts'

const names = z.array(z.string()).nullable()

export const sessionSchema = z
  .object({
    name: z.string().nullable().meta({ description: 'The actor in the journal; null: nobody in particular' }),
    via: z.enum(['token', 'oidc', 'certificate']).nullable(),
    roles: z.array(z.enum(ROLES)),
    grants: z
      .array(
        z.object({
          role: z.enum(ROLES),
          approves: z.array(z.string()),
          scope: z.object({ migrations: names, teams: names, workloads: names }),
        }),
      )
      .meta({ description: 'What they may do, and where; null in a scope: everywhere' }),
    csrfToken: z.string().nullable().meta({ description: 'For `X-CSRF-Token`; null: no session' }),
    endsAtMs: momentSchema.nullable(),
  })
  .meta({ id: 'Session' })

export const endedSessionSchema = z.object({
  ended: z.boolean().meta({ description: 'Whether the request came by a session' }),
})

export type SessionJson = z.infer<typeof sessionSchema>
