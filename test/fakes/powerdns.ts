import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { API_KEY, type Powerdns, type SeenRrset, ZONE } from '../support/powerdns-user.ts'
import { answerTo } from './powerdns-dns.ts'

/** A PowerDNS in this process: the part of its API that Headgate uses, and a DNS that evaluates weighted LUA records. */
export interface FakePowerdns extends Powerdns {
  /** Method and path of all calls, oldest first. */
  readonly calls: readonly string[]
  /** The bodies of all PATCHes. */
  readonly patches: readonly string[]
  /** The names that were asked for by DNS. */
  readonly queries: readonly string[]
  /** Answers every call to the API with this instead; null: as it should. */
  answerWith(answer: ((response: ServerResponse, request: IncomingMessage) => void) | null): void
  /** The setting enable-lua-records; and the zone's metadata. */
  evaluateLua(how: 'config' | 'metadata' | 'never'): void
  /** Answers DNS queries with this status instead, or not at all; null: as it should. */
  answerDnsWith(status: 'SERVFAIL' | 'REFUSED' | 'nothing' | null): void
}

interface RrsetChange {
  readonly name: string
  readonly type: string
  readonly changetype: string
  readonly ttl?: number
  readonly records?: SeenRrset['records']
  readonly comments?: SeenRrset['comments']
}

export async function startFakePowerdns(): Promise<FakePowerdns> {
  let rrsets: readonly SeenRrset[] = [
    { name: `${ZONE}.`, type: 'SOA', ttl: 3600, records: [{ content: `ns1.${ZONE}. hostmaster.${ZONE}. 1 2 3 4 5` }] },
  ]
  const calls: string[] = []
  const patches: string[] = []
  const queries: string[] = []
  let instead: Parameters<FakePowerdns['answerWith']>[0] = null
  let dnsStatus: Parameters<FakePowerdns['answerDnsWith']>[0] = null
  let lua: Parameters<FakePowerdns['evaluateLua']>[0] = 'config'

  const api = createServer(async (request, response) => {
    const body = await bodyOf(request)
    calls.push(`${request.method} ${request.url}`)
    if (request.method === 'PATCH') patches.push(body)
    if (instead) return instead(response, request)
    if (request.headers['x-api-key'] !== API_KEY) return reply(response, 401, 'Unauthorized')
    const url = new URL(request.url ?? '', 'http://fake')
    const path = url.pathname.replace('/api/v1/servers/localhost', '')
    if (path === '/config')
      return reply(response, 200, [setting('enable-lua-records', lua === 'config' ? 'yes' : 'no')])
    if (path === `/zones/${ZONE}./metadata`)
      return reply(response, 200, lua === 'metadata' ? [{ kind: 'ENABLE-LUA-RECORDS', metadata: ['1'] }] : [])
    if (path !== `/zones/${ZONE}.`) return reply(response, 404, 'Not Found')
    if (request.method === 'GET') {
      const name = url.searchParams.get('rrset_name')
      return reply(response, 200, { rrsets: rrsets.filter((rrset) => name === null || rrset.name === name) })
    }
    const outcome = applied(rrsets, JSON.parse(body).rrsets)
    if (typeof outcome === 'string') return reply(response, 422, { error: outcome })
    rrsets = outcome
    response.writeHead(204).end()
  })
  const dns = createSocket('udp4')
  dns.on('message', (query, { port, address }) => {
    if (dnsStatus === 'nothing') return
    const answer = answerTo(query, lua === 'never' ? rrsets.filter(({ type }) => type !== 'LUA') : rrsets, dnsStatus)
    queries.push(answer.name)
    dns.send(answer.packet, port, address)
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve))
  let isStopped = false

  return {
    url: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    nameserver: `127.0.0.1:${dns.address().port}`,
    calls,
    patches,
    queries,
    answerWith(answer) {
      instead = answer
    },
    evaluateLua(how) {
      lua = how
    },
    answerDnsWith(status) {
      dnsStatus = status
    },
    freeze() {
      instead = () => {}
      dnsStatus = 'nothing'
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      dns.close()
      await new Promise((resolve) => {
        api.close(resolve)
        api.closeAllConnections()
      })
    },
  }
}

/** Sends JSON, or a text as it is. */
export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** All changes, in their order, or the error of the first that is not taken. */
function applied(rrsets: readonly SeenRrset[], changes: readonly RrsetChange[]): readonly SeenRrset[] | string {
  let next = rrsets
  for (const { name, type, changetype, ttl, records, comments } of changes) {
    const present = next.find((rrset) => rrset.name === name && rrset.type === type)
    next = next.filter((rrset) => rrset !== present)
    if (changetype === 'DELETE') continue
    const what = `RRset ${name} IN ${type}`
    if (!name.endsWith(ZONE.concat('.'))) return `${what}: Name is out of zone`
    if (ttl === undefined || records === undefined) return `${what}: no ttl, or no records`
    const isAlone = (one: string) => one === 'CNAME'
    if (next.some((other) => other.name === name && (isAlone(type) || isAlone(other.type))))
      return `${what}: Conflicts with pre-existing RRset`
    next = [...next, { name, type, ttl, records, comments: comments ?? present?.comments ?? [] }]
  }
  return next
}

function setting(name: string, value: string): object {
  return { name, type: 'ConfigSetting', value }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
