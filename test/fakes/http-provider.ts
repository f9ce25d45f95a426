import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A provider of the `http` kind, in this process, as docs/providers/http.md describes one. */
export interface HttpProvider {
  readonly url: string
  /** By split name, percent. */
  readonly splits: Map<string, unknown>
  readonly requests: SeenRequest[]
  /** Answers all that comes with this instead; null: as it should. */
  answerWith(answer: ((response: ServerResponse, request: SeenRequest) => void) | null): void
  /** Takes requests, and never answers. */
  hang(): void
  stop(): Promise<void>
}

export async function startHttpProvider(
  splits: Readonly<Record<string, number>>,
  token: string | null,
): Promise<HttpProvider> {
  const state = new Map<string, unknown>(Object.entries(splits))
  const requests: SeenRequest[] = []
  let instead: ((response: ServerResponse, request: SeenRequest) => void) | null = null

  const server = createServer(async (incoming, response) => {
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: await bodyOf(incoming),
    }
    requests.push(request)
    if (instead) return instead(response, request)
    if (token !== null && request.headers.authorization !== `Bearer ${token}`)
      return reply(response, 401, { code: 'unauthenticated', message: 'no valid token' })
    if (request.url !== '/v1/splits') return reply(response, 404, { code: 'not-found', message: 'no such path' })
    if (request.method === 'PATCH') return reply(response, 200, { splits: applyPatch(state, request.body) })
    return reply(response, 200, { splits: shown(state, [...state.keys()]) })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    splits: state,
    requests,
    answerWith(answer) {
      instead = answer
    },
    hang() {
      instead = () => {}
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Sends JSON. */
export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Writes the splits that it knows, leaves out the others, and answers with what they are now. */
function applyPatch(state: Map<string, unknown>, body: string): Record<string, unknown> {
  const wanted: Record<string, { weightPercent: number }> = JSON.parse(body).splits
  const known = Object.keys(wanted).filter((name) => state.has(name))
  for (const name of known) state.set(name, wanted[name]?.weightPercent)
  return shown(state, known)
}

function shown(state: ReadonlyMap<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { weightPercent: state.get(name) }]))
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
