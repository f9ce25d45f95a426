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
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer out of place, none at all, a connection that ends, or an answer that does not. */
export type Fault = (request: ArmRequest, authorization: string) => ArmAnswer | 'hang' | 'reset' | 'endless' | null

/** Azure Resource Manager, in this process, with one resource group. */
export interface Arm {
  readonly url: string
  /** All that came in, oldest first, as `METHOD path`. */
  readonly calls: string[]
  readonly bodies: unknown[]
  /** What goes wrong with a request from now on; null, or nothing for it: it is answered as it should. */
  failWith(fault: Fault | null): void
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
  let fault: Fault | null = null

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
    const authorization = incoming.headers.authorization ?? ''
    const wrong = fault?.(request, authorization) ?? null
    if (wrong === 'hang') return
    if (wrong === 'reset') return void incoming.socket.resetAndDestroy()
    if (wrong === 'endless') return pourInto(response)
    if (wrong !== null) return reply(response, wrong)
    if (authorization !== `Bearer ${token}`) return reply(response, armError(401, 'InvalidAuthenticationToken'))
    if (searchParams.get('api-version') !== apiVersion)
      return reply(response, armError(400, 'InvalidApiVersionParameter'))
    return reply(response, inGroup ? handle(request) : armError(404, 'ResourceGroupNotFound'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    bodies,
    failWith(next) {
      fault = next
    },
    hang() {
      fault = () => 'hang'
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function reply(response: ServerResponse, { status, body, text, headers }: ArmAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(text ?? (body === undefined ? '' : JSON.stringify(body)))
}

function pourInto(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  }
  response.writeHead(200, { 'content-type': 'application/json' }).on('drain', more)
  more()
}
