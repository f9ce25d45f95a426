import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import { onTestFinished, type TestContext } from 'vitest'

/** A request as it came in, body included. */
export interface WebRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** What the client named in its TLS greeting; null: nothing, or no TLS. */
  readonly sni: string | null
  /** The common name of the client's certificate; null: it sent none. */
  readonly clientName: string | null
}

export type Answer = (response: ServerResponse, request: WebRequest) => void

export interface WebServer {
  readonly port: number
  /** Without a slash at its end. */
  readonly url: string
  /** All that came in whole, oldest first. */
  readonly requests: readonly WebRequest[]
  /** How many connections are open. */
  openConnections(): number
  /** How many connections were made. */
  madeConnections(): number
  /** Answers what comes from now on. */
  answer: Answer
  stop(): Promise<void>
}

export interface WebServerOptions {
  /** A loopback address. */
  readonly host?: string
  readonly tls?: ServerOptions
  /** That of its test, where others run beside it. */
  readonly onTestFinished?: TestContext['onTestFinished']
}

/** A web server on a free loopback port that answers as a test says; it ends with the test. */
export async function startWebServer(answer: Answer, options: WebServerOptions = {}): Promise<WebServer> {
  const { host = '127.0.0.1', tls } = options
  const atEnd = options.onTestFinished ?? onTestFinished
  const requests: WebRequest[] = []
  let [openConnections, madeConnections] = [0, 0]
  const listener = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await seen(incoming)
    requests.push(request)
    server.answer(response, request)
  }
  const listening = tls ? createTlsServer(tls, listener) : createServer(listener)
  listening.on('connection', (socket) => {
    openConnections += 1
    madeConnections += 1
    socket.on('close', () => {
      openConnections -= 1
    })
  })
  await new Promise<void>((resolve, reject) => listening.once('error', reject).listen(0, host, resolve))
  const { port } = listening.address() as AddressInfo
  const hostText = host.includes(':') ? `[${host}]` : host
  const server: WebServer = {
    port,
    url: `${tls ? 'https' : 'http'}://${hostText}:${port}`,
    requests,
    openConnections: () => openConnections,
    madeConnections: () => madeConnections,
    answer,
    stop: () =>
      new Promise((resolve) => {
        listening.close(() => resolve())
        listening.closeAllConnections()
      }),
  }
  atEnd(() => server.stop())
  return server
}

/** An answer that is there whole, at once. */
export function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => void response.writeHead(status, headers).end(body)
}

/** Takes the request, and says nothing. */
export const silent: Answer = () => {}

/** Promises more than it sends, and hangs up. */
export const halfAnAnswer: Answer = (response) => {
  response.writeHead(200, { 'content-length': '1000' })
  response.write('{"status": "success"', () => response.destroy())
}

/** Sends a byte now and then, and never ends. */
export const dripping: Answer = (response) => {
  response.writeHead(200)
  const drip = setInterval(() => response.write('.'), 20)
  response.on('close', () => clearInterval(drip))
}

/** Sends as much as is taken, and never ends. */
export const endless: Answer = (response) => {
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
  }
  response.writeHead(200).on('drain', more)
  more()
}

/** Sends so many bytes, whole. */
export function answeringBytes(count: number): Answer {
  return (response) => void response.writeHead(200).end(Buffer.alloc(count, 'x'))
}

async function seen(incoming: IncomingMessage): Promise<WebRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const { socket, method = '', url = '', headers } = incoming
  const body = Buffer.concat(chunks).toString('utf8')
  if (!(socket instanceof TLSSocket)) return { method, url, headers, body, sni: null, clientName: null }
  // Empty when the client sent none, whatever the types say.
  const peer: Partial<PeerCertificate> = socket.getPeerCertificate()
  const sni = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : null
  return { method, url, headers, body, sni, clientName: peer.subject?.CN?.toString() ?? null }
}
