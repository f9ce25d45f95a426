/**
 * One HTTP service in one of the demo's two clusters: `node service.ts --name checkout --cluster green`.
 *
 * It answers `/`, tells its health at `/healthz` and its metrics at `/metrics`. Nobody tells it when to break. As in
 * life, it was given too little of something, which shows only under enough traffic:
 *
 * - `--connections-per-second N`: a database pool that is too small; requests beyond N a second get a 503.
 * - `--cached-per-second N`: a cache that is too small; requests beyond N a second wait for the disk.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Counter, Histogram, Registry } from 'prom-client'
import { createAllowance } from './allowance.ts'

const WORK_MS = 8
const DISK_MS = 800

const { values: given } = parseArgs({
  options: {
    name: { type: 'string', default: 'service' },
    cluster: { type: 'string', default: 'blue' },
    'connections-per-second': { type: 'string', default: 'Infinity' },
    'cached-per-second': { type: 'string', default: 'Infinity' },
  },
})

const registry = new Registry()
const requests = new Counter({
  name: 'http_requests_total',
  help: 'Requests answered.',
  labelNames: ['code'],
  registers: [registry],
})
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer.',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  registers: [registry],
})
// A series that is there from the start gives the first requests a baseline to count from.
requests.inc({ code: '200' }, 0)

const nowMs = () => performance.now()
const hasConnection = createAllowance(Number(given['connections-per-second']), nowMs)
const isCached = createAllowance(Number(given['cached-per-second']), nowMs)

async function work(response: ServerResponse): Promise<void> {
  const startedMs = nowMs()
  const code = hasConnection() ? 200 : 503
  await sleep(code === 503 ? 1 : isCached() ? WORK_MS : DISK_MS)
  requests.inc({ code: String(code) })
  durations.observe((nowMs() - startedMs) / 1000)
  const body = code === 200 ? { service: given.name } : { error: 'no database connection is free' }
  // The load generator reads from this header who answered.
  response.writeHead(code, { 'content-type': 'application/json', 'x-cluster': given.cluster })
  response.end(JSON.stringify(body))
}

async function metrics(response: ServerResponse): Promise<void> {
  const text = await registry.metrics()
  response.writeHead(200, { 'content-type': registry.contentType }).end(text)
}

// The router keeps connections open; it shall be the one that closes them, or a request may meet a closing one.
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  if (request.url === '/metrics') return void metrics(response)
  if (request.url === '/healthz') return void response.end('ok\n')
  void work(response)
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send?.({ port })
})
