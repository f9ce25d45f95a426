import { fstatSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { type FakeRoute53, fakePair, type Route53Fault, startFakeRoute53 } from './route53.ts'

/**
 * The strict fake of Route 53 in a process of its own, for benchmarks:
 *
 *     node test/fakes/route53-main.ts --latency-ms 40 --per-second 10 --burst 50 --pending-ms 0
 *
 * prints `{"url": …, "controlUrl": …}`, and sends it to a parent that forked it. On the control URL: `PUT /zones` with a `ZoneSeed[]`, `GET /stats` (a
 * `Route53Stats`), `GET /weights?zone=ID`, `POST /forget` (the calls so far), `PUT /fault` with a fault's name or null.
 */

/** A zone full of pairs, `blue` and `green`, with one value each. */
export interface ZoneSeed {
  readonly id: string
  readonly domain: string
  /** Without the domain. */
  readonly labels: readonly string[]
  readonly weights: { readonly old: number; readonly new: number }
}

/** What was called. */
export interface Route53Stats {
  readonly calls: readonly { readonly action: string; readonly atMs: number; readonly outcome: string }[]
  /** Changes of records that were made. */
  readonly changes: number
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'latency-ms': { type: 'string', default: '0' },
    'pending-ms': { type: 'string', default: '0' },
    'per-second': { type: 'string', default: '10' },
    burst: { type: 'string', default: '50' },
    unlimited: { type: 'boolean', default: false },
  },
})

const fake = await startFakeRoute53({
  port: Number(values.port),
  latencyMs: Number(values['latency-ms']),
  pendingMs: Number(values['pending-ms']),
  rate: values.unlimited ? null : { perSecond: Number(values['per-second']), burst: Number(values.burst) },
})

const control = createServer(async (incoming, response) => {
  const answer = controlled(
    fake,
    incoming.method ?? '',
    new URL(incoming.url ?? '', 'http://fake'),
    await jsonOf(incoming),
  )
  response
    .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    .end(JSON.stringify(answer ?? null))
})
await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve))
const controlUrl = `http://127.0.0.1:${(control.address() as AddressInfo).port}`
process.stdout.write(`${JSON.stringify({ url: fake.url, controlUrl })}\n`)
process.send?.({ url: fake.url, controlUrl })
// Whoever started it with a pipe is gone when nobody holds that open any more.
if (!fstatSync(0).isCharacterDevice()) process.stdin.resume().once('end', () => process.exit(0))

function controlled(route53: FakeRoute53, method: string, url: URL, body: unknown): unknown {
  switch (`${method} ${url.pathname}`) {
    case 'PUT /zones':
      for (const { id, domain, labels, weights } of body as ZoneSeed[]) {
        route53.addZone(id, domain)
        route53.seed(
          id,
          labels.flatMap((label) => fakePair(`${label}.${domain}`, weights.old, weights.new)),
        )
      }
      return {}
    case 'GET /stats':
      return {
        calls: route53.calls.map(({ action, atMs, outcome }) => ({ action, atMs, outcome })),
        changes: route53.written.length,
      } satisfies Route53Stats
    case 'GET /weights':
      return route53
        .records(url.searchParams.get('zone') ?? '')
        .map(({ name, setIdentifier, weight }) => [name, setIdentifier, weight])
    case 'POST /forget':
      route53.calls.length = 0
      route53.written.length = 0
      return {}
    case 'PUT /fault': {
      const fault = body as Route53Fault | null
      route53.fault = fault === null ? null : () => fault
      return {}
    }
    default:
      return undefined
  }
}

async function jsonOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? null : JSON.parse(text)
}
