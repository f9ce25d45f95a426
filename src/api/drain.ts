import type { FastifyInstance } from 'fastify'
import type { Clock } from '../ports/runtime.ts'

/**
 * Lets requests that are being answered finish before the sockets are cut, for at most `drainSeconds`. `ending` aborts
 * first, so that what would never finish by itself (a stream) does.
 */
export function drainOnClose(app: FastifyInstance, clock: Clock, drainSeconds: number): AbortSignal {
  const ending = new AbortController()
  const drained = new AbortController()
  let answering = 0
  app.addHook('onRequest', async (_request, reply) => {
    answering += 1
    // `close` comes after the last byte is out, and as well when the client has gone.
    reply.raw.once('close', () => {
      answering -= 1
      if (ending.signal.aborted && answering === 0) drained.abort()
    })
  })
  app.addHook('preClose', async () => {
    ending.abort()
    if (answering > 0) await clock.sleep(drainSeconds * 1000, drained.signal)
  })
  return ending.signal
}
