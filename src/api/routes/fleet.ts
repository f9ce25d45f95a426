import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ApiOptions } from '../options.ts'
import { fleetsSchema, toFleet } from '../wire-fleet.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** The migrations as wholes, as of now. */
export function fleetRoutes(app: FastifyInstance, { control }: ApiOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/fleet',
    {
      schema: {
        summary: 'Each migration as a whole: its waves, its breaker, the signals of its clusters',
        tags: ['state'],
        security: WITH_TOKEN,
        response: { 200: fleetsSchema, ...PROBLEMS },
      },
    },
    async () => ({ migrations: control.fleets().map(toFleet) }),
  )
}
