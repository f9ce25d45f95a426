/**
 * The demo's load balancer: `ROUTER_TOKEN=… node router.ts '{"checkout": {"old": "http://…", "new": "http://…"}}'`.
 *
 * It has two doors: traffic, where `/checkout/anything` goes to one of checkout's two backends by the weight of its
 * split, and control, where Headgate reads and writes the splits (see splits.ts).
 */
import { Agent, createServer, type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { z } from 'zod'
import { createSplitsServer, type Splits } from './splits.ts'

const Backends = z.record(z.string(), z.object({ old: z.url(), new: z.url() }))

const backends = new Map(Object.entries(Backends.parse(JSON.parse(process.argv[2] ?? '{}'))))
const splits: Splits = new Map([...backends.keys()].map((name) => [name, { weightPercent: 0 }]))
const credits = new Map<string, number>()
const agent = new Agent({ keepAlive: true })

/**
 * Smooth weighted round robin: each request earns the new cluster its weight, in tenths of a percent; whenever a whole
 * is together, it gets one. At 25 % that is exactly every fourth request.
 */
function choose(name: string, weightPercent: number): 'old' | 'new' {
  const earned = (credits.get(name) ?? 0) + Math.round(weightPercent * 10)
  const isNew = earned >= 1000
  credits.set(name, isNew ? earned - 1000 : earned)
  return isNew ? 'new' : 'old'
}

function route(request: IncomingMessage, response: ServerResponse): void {
  const [, name = '', path = '/'] = /^\/([^/]+)(\/.*)?$/.exec(request.url ?? '') ?? []
  const backend = backends.get(name)
  const split = splits.get(name)
  if (!backend || !split) return void response.writeHead(404).end()
  const { method, headers } = request
  const upstream = openRequest(new URL(path, backend[choose(name, split.weightPercent)]), { method, headers, agent })
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    answer.on('error', () => response.destroy())
  })
  upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  // The client has gone before its answer was whole: nobody waits for the backend any more.
  response.on('close', () => response.writableFinished || upstream.destroy())
  request.pipe(upstream)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

// A server that closes idle connections races with the next request on them: let the clients be the first to close.
const trafficPort = await listen(createServer({ keepAliveTimeout: 60_000 }, route))
const controlPort = await listen(createSplitsServer(splits, z.string().min(1).parse(process.env['ROUTER_TOKEN'])))
process.send?.({ trafficPort, controlPort })
