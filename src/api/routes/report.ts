import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiOptions } from '../options.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

const CONTENT_TYPES = {
  html: 'text/html; charset=utf-8',
  json: 'application/json; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
} as const

const reportQuery = z.object({
  format: z.enum(['html', 'json', 'md', 'svg']).default('html').meta({ description: '`svg`: the plots alone' }),
  migration: z.string().min(1).max(253).optional().meta({ description: 'Needed where there are several' }),
  plots: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .meta({ description: 'Where Markdown finds the plots, as it links them' }),
})

/** The document for a postmortem or an audit. */
export function reportRoute(app: FastifyInstance, { report }: ApiOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/report',
    {
      schema: {
        summary: 'What happened in a migration, with its numbers, as one document',
        tags: ['journal'],
        security: WITH_TOKEN,
        querystring: reportQuery,
        response: { 200: z.string(), ...PROBLEMS },
      },
    },
    async ({ query: { format, migration = null, plots = null } }, reply) => {
      // First: a refusal is no text of a report.
      const text = await report({ format, migration, plotPath: plots })
      return reply
        .type(CONTENT_TYPES[format])
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .header('x-content-type-options', 'nosniff')
        .serializer(String)
        .send(text)
    },
  )
}
