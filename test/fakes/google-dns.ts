import type { ServerResponse } from 'node:http'
import { startWebServer, type WebRequest } from '../support/web-server.ts'

// Shapes after the discovery document of the Cloud DNS API, v1: ResourceRecordSet, RRSetRoutingPolicy, Change. Zeros are
// left out, as the wire format does it.

export interface FakeWrrItem {
  weight?: number
  rrdatas?: readonly string[]
  signatureRrdatas?: readonly string[]
  healthCheckedTargets?: { readonly externalEndpoints?: readonly string[] }
}

export interface FakeRrset {
  kind?: 'dns#resourceRecordSet'
  name: string
  type: string
  ttl: number
  rrdatas?: readonly string[]
  signatureRrdatas?: readonly string[]
  routingPolicy?: { wrr?: { items: readonly FakeWrrItem[] }; geo?: { items: readonly object[] } }
}

export interface FakeChange {
  readonly kind: 'dns#change'
  readonly id: string
  readonly startTime: string
  status: 'pending' | 'done'
  readonly additions: readonly FakeRrset[]
  readonly deletions: readonly FakeRrset[]
}

export interface GoogleDns {
  readonly url: string
  readonly requests: readonly WebRequest[]
  /** By `NAME. TYPE`. */
  readonly rrsets: Map<string, FakeRrset>
  readonly changes: FakeChange[]
  /** Whether a change is done when it is answered. */
  isInstant: boolean
  /** At most so many record sets a page. */
  pageSize: number
  /** Answers instead of the API what this says something to; null: the API answers. */
  instead: ((request: WebRequest, response: ServerResponse) => boolean) | null
  put(rrset: FakeRrset): void
  /** All changes are on all name servers. */
  settle(): void
  stop(): Promise<void>
}

const MAX_PER_CHANGE = 1000
const MAX_RRDATA_BYTES = 100_000

/** The part of the Cloud DNS API that Headgate uses, strict: a change is all or nothing and names what it deletes exactly. */
export async function startGoogleDns(place: { project: string; zone: string; token: string }): Promise<GoogleDns> {
  const zonePath = `/dns/v1/projects/${place.project}/managedZones/${place.zone}`
  const server = await startWebServer((response, request) => {
    if (fake.instead?.(request, response)) return
    if (request.headers.authorization !== `Bearer ${place.token}`)
      return refuse(response, 401, 'authError', 'Request had invalid authentication credentials.')
    const url = new URL(request.url, server.url)
    if (!url.pathname.startsWith(`${zonePath}/`))
      return refuse(response, 404, 'notFound', "The 'parameters.managedZone' resource does not exist.")
    route(fake, response, request, url)
  })
  const fake: GoogleDns = {
    url: server.url,
    requests: server.requests,
    rrsets: new Map(),
    changes: [],
    isInstant: true,
    pageSize: 1000,
    instead: null,
    put: (rrset) => void fake.rrsets.set(keyOf(rrset), rrset),
    settle() {
      for (const change of fake.changes) change.status = 'done'
    },
    stop: server.stop,
  }
  return fake
}

function route(fake: GoogleDns, response: ServerResponse, request: WebRequest, url: URL) {
  const [collection, id] = url.pathname.split('/').slice(7)
  if (collection === 'rrsets' && request.method === 'GET') return listRrsets(fake, response, url.searchParams)
  if (collection === 'changes' && request.method === 'POST') return createChange(fake, response, request.body)
  if (collection === 'changes' && request.method === 'GET' && id !== undefined) {
    const change = fake.changes.find((one) => one.id === id)
    return change
      ? reply(response, 200, change)
      : refuse(response, 404, 'notFound', "The 'parameters.changeId' resource does not exist.")
  }
  if (collection === 'changes' && request.method === 'GET') {
    const newestFirst = url.searchParams.get('sortOrder') === 'descending'
    const changes = newestFirst ? fake.changes.toReversed() : fake.changes
    return reply(response, 200, { changes: changes.slice(0, Number(url.searchParams.get('maxResults') ?? '100')) })
  }
  refuse(response, 404, 'notFound', 'no such method')
}

function listRrsets(fake: GoogleDns, response: ServerResponse, query: URLSearchParams) {
  const [name, type] = [query.get('name'), query.get('type')]
  if (type !== null && name === null) return refuse(response, 400, 'invalid', 'type without name')
  const all = [...fake.rrsets.values()].filter(
    (one) => (name === null || one.name === name) && (type === null || one.type === type),
  )
  const from = Number(query.get('pageToken') ?? '0')
  const to = from + Math.min(fake.pageSize, Number(query.get('maxResults') ?? fake.pageSize))
  const rrsets = all.slice(from, to).map((one) => ({ kind: 'dns#resourceRecordSet', ...one }))
  reply(response, 200, { rrsets, ...(to < all.length && { nextPageToken: String(to) }) })
}

function createChange(fake: GoogleDns, response: ServerResponse, text: string) {
  const body: { additions?: FakeRrset[]; deletions?: FakeRrset[] } = JSON.parse(text)
  const { additions = [], deletions = [] } = body
  const excess = excessOf(additions, deletions)
  if (excess !== null)
    return refuse(response, 403, 'quotaExceeded', `The change would exceed quota for ${excess} per change.`)
  const after = new Map(fake.rrsets)
  for (const [index, one] of deletions.entries()) {
    const there = after.get(keyOf(one))
    const at = `entity.change.deletions[${index}]`
    if (!there) return refuse(response, 404, 'notFound', `The '${at}' resource named '${one.name}' does not exist.`)
    if (exact(there) !== exact(one)) return refuse(response, 412, 'conditionNotMet', `Precondition not met for '${at}'`)
    after.delete(keyOf(one))
  }
  for (const [index, one] of additions.entries()) {
    const at = `entity.change.additions[${index}]`
    if (after.has(keyOf(one)))
      return refuse(
        response,
        409,
        'alreadyExists',
        `The resource '${at}' named '${one.name} (${one.type})' already exists`,
      )
    if (!isValid(one)) return refuse(response, 400, 'invalid', `Invalid value for '${at}'`)
    after.set(keyOf(one), wireForm(one))
  }
  fake.rrsets.clear()
  for (const [key, one] of after) fake.rrsets.set(key, one)
  const change: FakeChange = {
    kind: 'dns#change',
    id: String(fake.changes.length),
    startTime: '2026-01-01T00:00:00.000Z',
    status: fake.isInstant ? 'done' : 'pending',
    additions,
    deletions,
  }
  fake.changes.push(change)
  reply(response, 200, change)
}

function excessOf(additions: readonly FakeRrset[], deletions: readonly FakeRrset[]): string | null {
  if (additions.length > MAX_PER_CHANGE) return 'additions'
  if (deletions.length > MAX_PER_CHANGE) return 'deletions'
  const values = [...additions, ...deletions].flatMap(({ rrdatas = [], routingPolicy }) => [
    ...rrdatas,
    ...(routingPolicy?.wrr?.items ?? []).flatMap((item) => item.rrdatas ?? []),
  ])
  return values.join('').length > MAX_RRDATA_BYTES ? 'total rrdata size' : null
}

function isValid({ name, rrdatas = [], routingPolicy }: FakeRrset): boolean {
  if (!name.endsWith('.')) return false
  if (!routingPolicy?.wrr) return rrdatas.length > 0
  const { items } = routingPolicy.wrr
  const hasValues = items.every(
    (item) => (item.rrdatas ?? item.healthCheckedTargets?.externalEndpoints ?? []).length > 0,
  )
  return hasValues && rrdatas.length === 0 && items.every(({ weight = 0 }) => weight >= 0 && weight <= 1)
}

/** What makes two record sets the same: signatures are the server's own, and a zero may be left out. */
function exact(rrset: FakeRrset): string {
  const { name, type, ttl, rrdatas = [], routingPolicy } = rrset
  const items = routingPolicy?.wrr?.items.map(({ weight = 0, rrdatas: values = [], healthCheckedTargets = null }) => [
    weight,
    values,
    healthCheckedTargets,
  ])
  return JSON.stringify([name, type, ttl, rrdatas, items ?? null])
}

function wireForm(rrset: FakeRrset): FakeRrset {
  const items = rrset.routingPolicy?.wrr?.items
  if (!items) return rrset
  const shown = items.map(({ weight = 0, ...item }) => (weight === 0 ? item : { ...item, weight }))
  return { ...rrset, routingPolicy: { wrr: { items: shown } } }
}

function keyOf({ name, type }: FakeRrset): string {
  return `${name} ${type}`
}

export function refuse(response: ServerResponse, code: number, reason: string, message: string): void {
  reply(response, code, { error: { code, message, errors: [{ domain: 'global', reason, message }] } })
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body))
}
