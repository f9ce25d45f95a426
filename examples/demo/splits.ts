/**
 * The protocol of Headgate's `http` traffic provider, as a server speaks it. To let Headgate move traffic with something
 * that it does not know, put these two requests in front of it:
 *
 *     GET   /v1/splits                                                → {"splits": {"checkout": {"weightPercent": 10}}}
 *     PATCH /v1/splits  {"splits": {"checkout": {"weightPercent": 25}}} → the same shape: the splits as they are now
 *
 * Four promises matter. The answer to a PATCH is given when the weights are in force. A request is taken whole or refused
 * whole. Writing a weight that is there already changes nothing. A GET says what is true, whoever wrote it.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'

export interface Split {
  /** The share of the new cluster: 0 to 100, in steps of 0.1. */
  weightPercent: number
}

/** The splits by name. Whoever routes reads them anew for each request. */
export type Splits = Map<string, Split>

const MAX_BODY_BYTES = 64 * 1024

const Patch = z.object({
  splits: z.record(z.string(), z.object({ weightPercent: z.number().min(0).max(100).multipleOf(0.1) })),
})

/** Serves the protocol for these splits, to those who send `Authorization: Bearer TOKEN`. */
export function createSplitsServer(splits: Splits, token: string): Server {
  return createServer((request, response) => {
    answer(request, splits, token).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', 'a fault in the router')
        send(response, refusal.status, { code: refusal.code, message: refusal.message })
      },
    )
  })
}

async function answer(request: IncomingMessage, splits: Splits, token: string): Promise<object> {
  if (!isEqual(request.headers.authorization ?? '', `Bearer ${token}`))
    throw new Refusal(401, 'unauthenticated', 'no valid token')
  if (request.url !== '/v1/splits') throw new Refusal(404, 'not-found', 'there is only /v1/splits')
  if (request.method === 'GET') return { splits: Object.fromEntries(splits) }
  if (request.method === 'PATCH') return { splits: change(splits, await readBody(request)) }
  throw new Refusal(405, 'method', 'GET or PATCH')
}

/** A name that is not known is left out of the answer: the other changes of the request are not refused for it. */
function change(splits: Splits, body: string): Record<string, Split> {
  const patch = Patch.safeParse(parseJson(body))
  if (!patch.success) throw new Refusal(400, 'bad-request', z.prettifyError(patch.error))
  const changed: Record<string, Split> = {}
  for (const [name, { weightPercent }] of Object.entries(patch.data.splits)) {
    if (!splits.has(name)) continue
    splits.set(name, { weightPercent })
    changed[name] = { weightPercent }
  }
  return changed
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'bad-request', 'the body is not JSON')
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, 'too-large', `a body has at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Compares digests: neither the length nor the first differing character shows in the time taken. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}
