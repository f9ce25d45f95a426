import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const SUBSCRIPTION = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
export const RESOURCE_GROUP = 'edge'

export interface ArmRequest {
  readonly method: string
  /** Below the resource group, e.g. `/providers/Microsoft.Cdn/profiles/shop`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Of JSON; null: none. */
  readonly body: unknown
}

export interface ArmAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Azure Resource Manager, in this process, with one resource group. */
export interface Arm {
  readonly url: string
  /** All that came in, oldest first, as `METHOD path`. */
  readonly calls: string[]
  readonly bodies: unknown[]
  /** Answers all that comes with this instead; null: as it should. */
  answerWith(answer: ((response: ServerResponse, request: ArmRequest, token: string) => void) | null): void
  hang(): void
  stop(): Promise<void>
}

/** An error as Resource Manager words it. */
export function armError(status: number, code: string, message = `${code}.`): ArmAnswer {
  return { status, body: { error: { code, message } } }
}

/** `handle` answers what has a good token, a good api-version and names the resource group. */
export async function startArm(
  token: string,
  apiVersion: string,
  handle: (request: ArmRequest) => ArmAnswer,
): Promise<Arm> {
  const calls: string[] = []
  const bodies: unknown[] = []
  const prefix = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${RESOURCE_GROUP}`
  let instead: ((response: ServerResponse, request: ArmRequest, token: string) => void) | null = null

  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://arm')
    const inGroup = pathname.toLowerCase().startsWith(prefix.toLowerCase())
    const request = {
      method: incoming.method ?? '',
      path: decodeURIComponent(inGroup ? pathname.slice(prefix.length) : pathname),
      query: searchParams,
      body: text === '' ? null : JSON.parse(text),
    }
    calls.push(`${request.method} ${request.path}`)
    bodies.push(request.body)
    if (instead) return instead(response, request, incoming.headers.authorization ?? '')
    const answer =
      incoming.headers.authorization !== `Bearer ${token}`
        ? armError(401, 'InvalidAuthenticationToken')
        : searchParams.get('api-version') !== apiVersion
          ? armError(400, 'InvalidApiVersionParameter')
          : inGroup
            ? handle(request)
            : armError(404, 'ResourceGroupNotFound')
    replyAsArm(response, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    bodies,
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

export function replyAsArm(response: ServerResponse, { status, body, headers }: ArmAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(body === undefined ? '' : JSON.stringify(body))
}
