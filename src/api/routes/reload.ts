import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { problem } from '../../core/problem.ts'
import { sendProblem } from '../errors.ts'
import type { ApiOptions } from '../options.ts'
import { reloadedSchema, reloadRefusedSchema } from '../wire-reload.ts'
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
        response: { 200: reloadedSchema, 409: reloadRefusedSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { problems, changes } = await reload()
      const [first, ...others] = problems
      if (!first) return { configHash: control.status().configHash, changes: [...changes] }
      const more = others.length === 0 ? '' : `, and ${others.length} more`
      const refusal = problem('API_CONFIG_REFUSED', `${first.code}: ${first.cause}${more}`)
      return sendProblem(refusal, request, reply, { problems })
    },
  )
}
