import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal, Route53Answers } from './route53-answers.ts'
import { errorXml, refusedBatchXml } from './route53-xml.ts'
import type { FakeRecord } from './route53-zone.ts'

/** What goes wrong with a call. `lost-answer`: the change is made, its acknowledgement is not sent. */
export type Route53Fault = 'throttled' | 'hang' | 'reset' | 'garbage' | 'html' | 'lost-answer' | 'unavailable'

/** An API call as it came in. */
export interface Route53Call {
  readonly action: string
  readonly path: string
  readonly atMs: number
  /** AWS's code where it was refused, a fault's name, or `ok`. */
  outcome: string
}

export interface FakeRoute53Options {
  /** A call takes so long, ms; meanwhile another change of the zone is refused with PriorRequestNotComplete. */
  readonly latencyMs?: number
  /** Calls a second and at once; null: as many as come. */
  readonly rate?: { readonly perSecond: number; readonly burst: number } | null
  /** A change is PENDING for so long, ms; null: until `sync`. */
  readonly pendingMs?: number | null
  readonly nowMs?: () => number
  readonly port?: number
}

/** A strict Route 53 on loopback, for the real SDK. */
export interface FakeRoute53 {
  readonly url: string
  readonly calls: Route53Call[]
  /** All that was changed, in order, e.g. `UPSERT checkout.example.com. A blue 75 ttl=60`. */
  readonly written: string[]
  /** Which call goes wrong, and how; null: none. */
  fault: ((action: string) => Route53Fault | null) | null
  /** Refuses batches by a bare list of messages: the other form that AWS has for it. */
  refusesByList: boolean
  /** Actions that the credentials are not allowed, e.g. `GetChange`. */
  readonly forbidden: Set<string>
  /** Access keys that are known. */
  readonly accessKeys: Set<string>
  addZone(id: string, domain: string): void
  addHealthCheck(id: string): void
  /** Puts records there behind everybody's back: no call, no change. */
  seed(zoneId: string, records: readonly FakeRecord[]): void
  records(zoneId: string): readonly FakeRecord[]
  /** All changes so far are INSYNC. */
  sync(): void
  stop(): Promise<void>
}

export const FAKE_ACCESS_KEY = 'AKIAFAKEFAKEFAKEFAKE'

/** Starts it on a free port. By default it is quick, knows no rate, and tells all servers at once. */
export async function startFakeRoute53(options: FakeRoute53Options = {}): Promise<FakeRoute53> {
  const { latencyMs = 0, rate = null, port: wantedPort = 0, nowMs = () => performance.now() } = options
  const answers = new Route53Answers(options.pendingMs === undefined ? 0 : options.pendingMs, nowMs)
  const bucket = rate && new Bucket(rate.perSecond, rate.burst, nowMs)

  const server = createServer(async (incoming, response) => {
    const body = await bodyOf(incoming)
    const path = incoming.url ?? ''
    const action = actionOf(incoming.method ?? '', path)
    const call: Route53Call = { action, path, atMs: nowMs(), outcome: 'ok' }
    fake.calls.push(call)
    const fault = fake.fault?.(action) ?? null
    if (fault !== null) call.outcome = fault
    if (fault === 'hang') return
    if (fault === 'reset') return void incoming.socket.destroy()
    if (fault === 'garbage') return void response.end('<?xml version="1.0"?><ListResourceRecordSetsRes')
    if (fault === 'html') return void response.end('<html><body>Please sign in</body></html>')
    try {
      if (fault === 'throttled' || (bucket && !bucket.take())) throw new Refusal(400, 'Throttling', 'Rate exceeded')
      if (fault === 'unavailable') throw new Refusal(503, 'ServiceUnavailable', 'Service is unavailable')
      authorize(incoming, action)
      const finish = answers.begin(action, path, body)
      if (latencyMs > 0) await sleep(latencyMs)
      const xml = finish()
      if (fault === 'lost-answer') return void incoming.socket.destroy()
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      call.outcome = error.code
      const isList = fake.refusesByList && error.code === 'InvalidChangeBatch'
      const xml = isList ? refusedBatchXml(error.message) : errorXml(error.code, error.message)
      response.writeHead(error.status, { 'content-type': 'text/xml' }).end(xml)
    }
  })
  server.keepAliveTimeout = 60_000

  function authorize(incoming: IncomingMessage, action: string): void {
    const key = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1]
    if (key === undefined) throw new Refusal(403, 'MissingAuthenticationToken', 'Missing Authentication Token')
    if (!fake.accessKeys.has(key))
      throw new Refusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
    if (fake.forbidden.has(action))
      throw new Refusal(
        403,
        'AccessDenied',
        `User: arn:aws:iam::123456789012:user/test is not authorized to perform: route53:${action} because no identity-based policy allows the route53:${action} action`,
      )
  }

  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeRoute53 = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    written: answers.written,
    fault: null,
    refusesByList: false,
    forbidden: new Set(),
    accessKeys: new Set([FAKE_ACCESS_KEY]),
    addZone: (id, domain) => answers.addZone(id, domain),
    addHealthCheck: (id) => void answers.healthChecks.add(id),
    seed: (zoneId, records) => answers.zone(zoneId).seed(records),
    records: (zoneId) => answers.zone(zoneId).records(),
    sync: () => answers.sync(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

/** A record with the usual parts; `set` makes it weighted. */
export function fakeRecord(name: string, parts: Partial<Omit<FakeRecord, 'name'>> = {}): FakeRecord {
  const wireName = `${name.replaceAll('*', '\\052')}.`
  const isAlias = (parts.alias ?? null) !== null
  return {
    name: wireName,
    type: 'A',
    setIdentifier: '',
    weight: null,
    otherRouting: null,
    ttlSeconds: isAlias ? null : 60,
    values: isAlias ? [] : ['192.0.2.1'],
    alias: null,
    healthCheck: null,
    ...parts,
  }
}

/** Both siblings of a name, `blue` and `green`. */
export function fakePair(
  name: string,
  old: number,
  fresh: number,
  parts: Partial<Omit<FakeRecord, 'name'>> = {},
): readonly FakeRecord[] {
  return [
    fakeRecord(name, { values: ['192.0.2.1'], ...parts, setIdentifier: 'blue', weight: old }),
    fakeRecord(name, { values: ['192.0.2.2'], ...parts, setIdentifier: 'green', weight: fresh }),
  ]
}

function actionOf(method: string, path: string): string {
  if (/^\/2013-04-01\/hostedzone\/[^/]+\/rrset/.test(path))
    return method === 'POST' ? 'ChangeResourceRecordSets' : 'ListResourceRecordSets'
  if (/^\/2013-04-01\/hostedzone\/[^/]+$/.test(path)) return 'GetHostedZone'
  if (path.startsWith('/2013-04-01/change/')) return 'GetChange'
  if (path.startsWith('/2013-04-01/healthcheck/')) return 'GetHealthCheck'
  return 'Unknown'
}

/** AWS's own side of the rate. */
class Bucket {
  #tokens: number
  #atMs: number
  readonly #perSecond: number
  readonly #burst: number
  readonly #nowMs: () => number

  constructor(perSecond: number, burst: number, nowMs: () => number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#nowMs = nowMs
    this.#tokens = burst
    this.#atMs = nowMs()
  }

  take(): boolean {
    const nowMs = this.#nowMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.#perSecond)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
