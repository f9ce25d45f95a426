import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import { type Identity, nameOf, seesService } from '../identity.ts'
import type { ApiOptions } from '../options.ts'
import { sightOf } from '../places.ts'
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
export function reportRoute(app: FastifyInstance, options: ApiOptions): void {
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
    async ({ query: { format, migration: asked, plots = null }, identity }, reply) => {
      const migration = migrationFor(identity, asked, options)
      // First: a refusal is no text of a report.
      const text = await options.report({ format, migration, plotPath: plots })
      return reply
        .type(CONTENT_TYPES[format])
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .header('x-content-type-options', 'nosniff')
        .serializer(String)
        .send(text)
    },
  )
}

/** A report is of a whole migration: whoever asks must see all of it. null: the only one. */
function migrationFor(identity: Identity | null, asked: string | undefined, options: ApiOptions): string | null {
  const { seesAll } = sightOf(identity, options)
  if (asked === undefined && seesService(identity)) return null
  if (asked !== undefined && seesAll(asked)) return asked
  const [first, ...others] = options.control.status().migrations.filter(({ migration }) => seesAll(migration))
  if (asked === undefined && first && others.length === 0) return first.migration
  if (asked === undefined && first)
    throw problem('API_BAD_REQUEST', 'there are several migrations', { hint: 'name one of them: `migration`' })
  throw problem('API_FORBIDDEN', `${nameOf(identity)} does not see all of the migration`)
}
