import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import type { ApiOptions } from '../options.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** Has the config read now, as SIGHUP does. */
export function reloadRoute(app: FastifyInstance, { control, reload }: ApiOptions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/reload',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Read the config again; with any problem the old one stays',
        tags: ['commands'],
        security: WITH_TOKEN,
        response: { 200: z.object({ configHash: z.string() }), ...PROBLEMS },
      },
    },
    async () => {
      const [first, ...others] = await reload()
      if (!first) return { configHash: control.status().configHash }
      const more = others.length === 0 ? '' : `, and ${others.length} more`
      throw problem('API_CONFIG_REFUSED', `${first.code}: ${first.cause}${more}`)
    },
  )
}
