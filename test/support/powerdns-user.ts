import { request } from 'undici'

export const ZONE = 'example.test'
export const API_KEY = 'canary-of-powerdns'

export interface SeenRrset {
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly records: readonly { readonly content: string; readonly disabled?: boolean }[]
  readonly comments?: readonly { readonly content: string; readonly account: string }[]
}

/** A PowerDNS with the zone ZONE, a real one or a fake. */
export interface Powerdns {
  /** Of its API. */
  readonly url: string
  /** Of its DNS, as `nameservers` has it. */
  readonly nameserver: string
  /** From now on it takes calls, and does not answer. */
  freeze(): void
  stop(): Promise<void>
}

/** A call as an operator makes it by hand; resolves with the status and the JSON of the answer, or its text. */
export async function callApi(
  { url }: Pick<Powerdns, 'url'>,
  method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await request(`${url}/api/v1/servers/localhost${path}`, {
    method,
    headers: { 'x-api-key': API_KEY, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

/** Puts record sets in the place of those that are there, with a TTL of 300 s where none is said. */
export async function putRrsets(
  server: Pick<Powerdns, 'url'>,
  rrsets: readonly {
    readonly name: string
    readonly type: string
    readonly contents: readonly string[]
    readonly ttl?: number
    readonly comments?: SeenRrset['comments']
  }[],
): Promise<void> {
  const changes = rrsets.map(({ name, type, contents, ttl = 300, comments }) => ({
    name: `${name}.`,
    type,
    ttl,
    changetype: 'REPLACE',
    records: contents.map((content) => ({ content, disabled: false })),
    ...(comments && { comments }),
  }))
  const { status, text } = await callApi(server, 'PATCH', `/zones/${ZONE}.`, { rrsets: changes })
  if (status !== 204) throw new Error(`PowerDNS answered ${status}: ${text}`)
}

/** A LUA record as one writes it by hand. */
export function luaContent(type: string, entries: readonly (readonly [weight: number, value: string])[]): string {
  return `${type} "pickwrandom({${entries.map(([weight, value]) => `{${weight},'${value}'}`).join(',')}})"`
}

/** The record sets with records at a name, by type. */
export async function rrsetsAt(
  server: Pick<Powerdns, 'url'>,
  name: string,
): Promise<Readonly<Record<string, SeenRrset>>> {
  const { text } = await callApi(server, 'GET', `/zones/${ZONE}.`)
  const { rrsets }: { rrsets: readonly SeenRrset[] } = JSON.parse(text)
  const found = rrsets.filter((rrset) => rrset.name === `${name}.` && rrset.records.length > 0)
  return Object.fromEntries(found.map((rrset) => [rrset.type, rrset]))
}
