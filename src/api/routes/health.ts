import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiOptions } from '../options.ts'
import { readySchema } from '../wire.ts'

/** What machines ask without a token: does it live, can it decide, what does it measure. */
export function healthRoutes(app: FastifyInstance, { control, metrics }: ApiOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/healthz',
    {
      config: { access: 'open', unlimited: true },
      schema: {
        summary: 'Whether the process lives',
        tags: ['health'],
        response: { 200: z.object({ ok: z.literal(true) }) },
      },
    },
    async () => ({ ok: true as const }),
  )
  typed.get(
    '/readyz',
    {
      config: { access: 'open', unlimited: true },
      schema: {
        summary: 'Whether Headgate can decide; 503 says what keeps it',
        tags: ['health'],
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const { notReady } = control.status()
      const ready = notReady.length === 0
      return reply.code(ready ? 200 : 503).send({ ready, problems: [...notReady] })
    },
  )
  typed.get(
    '/metrics',
    {
      config: { access: 'open' },
      schema: { summary: 'Prometheus exposition', tags: ['health'], response: { 200: z.string() } },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.text()),
  )
}
