import type { SSEMessage } from '@fastify/sse'
import type { FastifyReply } from 'fastify'
import { Problem } from '../core/problem.ts'
import { recognise, refusalOf } from './auth.ts'
import type { ApiLimits } from './options.ts'
import { type Sight, sightOf } from './places.ts'
import type { Api } from './session.ts'
import { toJournalRow } from './views.ts'

interface Stream {
  readonly reply: FastifyReply
  readonly options: Api
  readonly limits: ApiLimits
  /** Aborts when the service stops. */
  readonly ending: AbortSignal
  readonly workload: string | undefined
}

const ROWS_A_READ = 200
const RECONNECT_MS = 1000

/**
 * Sends rows after `cursor` until the reader has gone, stalls, or the service stops. Every row comes out of the
 * journal, also the newest: so nothing is buffered for a reader, and none is lost or doubled over a reconnect.
 */
export async function streamJournal(stream: Stream, cursor: number): Promise<void> {
  const { reply, options, ending, workload } = stream
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const over = AbortSignal.any([gone.signal, ending])
  const bell = createBell(over)
  const unsubscribe = options.control.onCommit(bell.ring)
  const send = (message: SSEMessage) => sendOne(stream, message, gone, over)
  let afterSeq = cursor
  try {
    // Also tells the reader at once that it is connected, and where a reconnect would go on.
    await send({ id: String(afterSeq), event: 'ready', data: { afterSeq }, retry: RECONNECT_MS })
    while (!over.aborted) {
      const query = { afterSeq, limit: ROWS_A_READ, ...(workload !== undefined && { workload }) }
      const rows = await options.journal.read(query)
      const sight = await sightNow(stream)
      if (sight === null) return
      for (const row of rows) {
        if (over.aborted) return
        if (sight.sees(row.event.workload)) await send({ id: String(row.seq), data: toJournalRow(row) })
        afterSeq = row.seq
      }
      if (rows.length < ROWS_A_READ) await bell.rung()
    }
  } catch (error) {
    // The answer has begun, so it can only end; the reader comes back and goes on where it was.
    if (!over.aborted) options.log.warn({ requestId: reply.request.id, err: error }, 'a journal stream broke off')
  } finally {
    unsubscribe()
  }
}

/** What the reader sees by now; null: a token that was taken away, or has expired, reads no further. */
async function sightNow({ reply, options }: Stream): Promise<Sight | null> {
  const found = await recognise('viewer', reply.request, options)
  if (found instanceof Problem || refusalOf(found.identity, 'viewer')) return null
  return sightOf(found.identity, options)
}

/** Hands one message over, and waits while the reader's connection is full: so long, and it is cut. */
async function sendOne(stream: Stream, message: SSEMessage, gone: AbortController, over: AbortSignal): Promise<void> {
  const { reply, options, limits } = stream
  const sent = reply.sse.send(message)
  if (!reply.raw.writableNeedDrain) return sent
  const moved = new AbortController()
  // `send` never settles when the connection closes while it is full, so the end of the stream counts as well.
  const stalled = options.clock.sleep(limits.stallSeconds * 1000, AbortSignal.any([moved.signal, over]))
  await Promise.race([sent, stalled])
  moved.abort()
  if (!reply.raw.writableNeedDrain || over.aborted) return
  options.log.warn({ requestId: reply.request.id }, 'the reader of a journal stream takes nothing and is disconnected')
  gone.abort()
  reply.raw.destroy()
}

/** A bell that was rung while nobody listened is heard by the next who does. */
function createBell(over: AbortSignal) {
  let isRung = false
  let wake = () => {}
  const ring = () => {
    isRung = true
    wake()
  }
  over.addEventListener('abort', ring, { once: true })
  const rung = async () => {
    if (!isRung && !over.aborted) await new Promise<void>((resolve) => (wake = resolve))
    isRung = false
  }
  return { ring, rung }
}
