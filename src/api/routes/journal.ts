import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { JournalRow } from '../../core/event.ts'
import type { Journal, JournalQuery } from '../../ports/store.ts'
import { demand } from '../identity.ts'
import type { ApiOptions } from '../options.ts'
import { placesOf, type Sight, sightOf } from '../places.ts'
import { toJournalRow } from '../views.ts'
import { journalHeadSchema, journalPageSchema, journalVerdictSchema } from '../wire.ts'
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

const expectedQuery = z
  .object({
    seq: z.coerce.number().int().min(1).optional().meta({ description: 'A row whose hash was noted down' }),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
      .optional()
      .meta({ description: 'Its hash' }),
  })
  .refine(({ seq, hash }) => (seq === undefined) === (hash === undefined), {
    path: ['seq'],
    message: 'seq and hash go together',
  })

/** The record of what happened, page by page, and whether it still is as it was written. */
export function journalRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { journal } = options
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
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
    async ({ query: { afterSeq, limit, workload }, identity }) => {
      if (workload !== undefined) demand(identity, 'viewer', placesOf(options)(workload))
      const query = { afterSeq, limit, ...(workload !== undefined && { workload }) }
      const { rows, readToSeq } = await readSeen(journal, query, sightOf(identity, options))
      return { rows: rows.map(toJournalRow), nextAfterSeq: readToSeq, lastSeq: await journal.lastSeq() }
    },
  )
  typed.get(
    '/api/v1/journal/head',
    {
      schema: {
        summary: 'The newest row’s number and hash',
        tags: ['journal'],
        security: WITH_TOKEN,
        response: { 200: journalHeadSchema, ...PROBLEMS },
      },
    },
    () => journal.head(),
  )
  typed.get(
    '/api/v1/journal/verify',
    {
      schema: {
        summary: 'Whether every row is as it was written; the first one that is not',
        tags: ['journal'],
        security: WITH_TOKEN,
        querystring: expectedQuery,
        response: { 200: journalVerdictSchema, ...PROBLEMS },
      },
    },
    ({ query: { seq, hash } }) => journal.verify(seq === undefined || hash === undefined ? null : { seq, hash }),
  )
}

/** A page of the rows that somebody sees: full, or there are no more. `readToSeq` is how far it looked. */
async function readSeen(journal: Journal, { afterSeq, limit, ...query }: JournalQuery, { sees }: Sight) {
  const seen: JournalRow[] = []
  let readToSeq = afterSeq
  for (;;) {
    const rows = await journal.read({ ...query, afterSeq: readToSeq, limit })
    for (const row of rows) {
      if (seen.length === limit) return { rows: seen, readToSeq }
      readToSeq = row.seq
      if (sees(row.event.workload)) seen.push(row)
    }
    if (rows.length < limit || seen.length === limit) return { rows: seen, readToSeq }
  }
}
