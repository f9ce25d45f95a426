import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import { demand } from '../identity.ts'
import type { ApiLimits, ApiOptions } from '../options.ts'
import { placesOf } from '../places.ts'
import { streamJournal } from '../stream.ts'
import { seqQuery, workloadQuery } from './journal.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

const streamHeaders = z.looseObject({
  'last-event-id': seqQuery
    .optional()
    .meta({ description: 'Goes on after this row; sent by a reader that comes back' }),
})
const streamQuery = z.object({
  afterSeq: seqQuery
    .optional()
    .meta({ description: 'Where to begin without Last-Event-ID; default: with what is new' }),
  workload: workloadQuery,
})

/** The journal as server-sent events: `id` is the row's seq, `data` the row. */
export function streamRoute(app: FastifyInstance, options: ApiOptions, limits: ApiLimits, ending: AbortSignal): void {
  let open = 0
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/stream',
    {
      // The handler answers refusals itself, in the same shape as everywhere.
      sse: 'manual',
      schema: {
        summary: 'The journal as it grows (server-sent events)',
        tags: ['journal'],
        security: WITH_TOKEN,
        headers: streamHeaders,
        querystring: streamQuery,
        produces: ['text/event-stream'],
        response: PROBLEMS,
      },
    },
    async ({ headers, query: { afterSeq, workload }, identity }, reply) => {
      if (workload !== undefined) demand(identity, 'viewer', placesOf(options)(workload))
      if (open >= limits.streams) throw problem('API_OVERLOADED', `${limits.streams} streams are open already`)
      open += 1
      try {
        const cursor = headers['last-event-id'] ?? afterSeq ?? (await options.journal.lastSeq())
        await streamJournal({ reply, options, limits, ending, workload }, cursor)
      } finally {
        open -= 1
      }
    },
  )
}
