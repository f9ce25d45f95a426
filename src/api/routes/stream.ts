import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import { demand, nameOf } from '../identity.ts'
import type { ApiLimits } from '../options.ts'
import { placesOf } from '../places.ts'
import type { Api } from '../session.ts'
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
export function streamRoute(app: FastifyInstance, options: Api, limits: ApiLimits, ending: AbortSignal): void {
  const open = new Map<string, number>()
  const openOf = (who: string) => open.get(who) ?? 0
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
      const who = identity === null ? '' : `${identity.via} ${identity.name}`
      if ([...open.values()].reduce((sum, count) => sum + count, 0) >= limits.streams)
        throw problem('API_OVERLOADED', `${limits.streams} streams are open already`)
      if (identity !== null && openOf(who) >= limits.streamsEach)
        throw problem('API_OVERLOADED', `${nameOf(identity)} has ${limits.streamsEach} streams open already`)
      open.set(who, openOf(who) + 1)
      try {
        const cursor = headers['last-event-id'] ?? afterSeq ?? (await options.journal.lastSeq())
        await streamJournal({ reply, options, limits, ending, workload }, cursor)
      } finally {
        const left = openOf(who) - 1
        if (left === 0) open.delete(who)
        else open.set(who, left)
      }
    },
  )
}
