import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiOptions } from '../options.ts'
import { toJournalRow } from '../views.ts'
import { journalPageSchema } from '../wire.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** Rows of one page, at most. */
export const PAGE_LIMIT = 1000

export const workloadQuery = z.string().min(1).max(253).optional().meta({ description: 'Only rows of this workload' })
export const seqQuery = z.coerce.number().int().min(0)

const journalQuery = z.object({
  afterSeq: seqQuery.default(0).meta({ description: 'Rows after this one' }),
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT).default(100),
  workload: workloadQuery,
})

/** The record of what happened, page by page. */
export function journalRoutes(app: FastifyInstance, { journal }: ApiOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/journal',
    {
      schema: {
        summary: 'The journal, oldest first',
        tags: ['journal'],
        security: WITH_TOKEN,
        querystring: journalQuery,
        response: { 200: journalPageSchema, ...PROBLEMS },
      },
    },
    async ({ query: { afterSeq, limit, workload } }) => {
      const rows = await journal.read({ afterSeq, limit, ...(workload !== undefined && { workload }) })
      return {
        rows: rows.map(toJournalRow),
        nextAfterSeq: rows.at(-1)?.seq ?? afterSeq,
        lastSeq: await journal.lastSeq(),
      }
    },
  )
}
