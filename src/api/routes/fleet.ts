import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ApiOptions } from '../options.ts'
import { sightOf } from '../places.ts'
import { fleetsSchema, toFleet } from '../wire-fleet.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** The migrations as wholes, as of now. */
export function fleetRoutes(app: FastifyInstance, options: ApiOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/fleet',
    {
      schema: {
        summary: 'Each migration as a whole: its waves, its breaker, the signals of its clusters',
        description: 'Those that the token sees all of: a whole cannot be told by a part.',
        tags: ['state'],
        security: WITH_TOKEN,
        response: { 200: fleetsSchema, ...PROBLEMS },
      },
    },
    async ({ identity }) => {
      const { seesAll } = sightOf(identity, options)
      const seen = options.control.fleets().filter(({ migration }) => seesAll(migration))
      return { migrations: seen.map(toFleet) }
    },
  )
}
