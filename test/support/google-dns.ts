import { onTestFinished } from 'vitest'
import type { TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import { googleCloudDns } from '../../src/traffic/google-cloud-dns/kind.ts'
import { googleCloudDnsAccount, googleCloudDnsSettings } from '../../src/traffic/google-cloud-dns/settings.ts'
import { TARGET_IDS } from '../conformance/traffic.ts'
import { type FakeRrset, type FakeWrrItem, type GoogleDns, startGoogleDns } from '../fakes/google-dns.ts'
import { adapterContext } from './adapter-context.ts'

export const CANARY = 'canary-ya29-51c07'
/** Where the fake is, and the token that it takes. */
export const PLACE = { project: 'shop-prod', zone: 'example-com', token: CANARY }
export const QUOTA = { callsPerSecond: 1000, burst: 10_000 }
export const OLD = '192.0.2.10'
export const NEW = '198.51.100.10'

export function openZone(dns: { url: string }, ids: readonly string[] = TARGET_IDS, parts: object = {}): TrafficScope {
  const account = googleCloudDnsAccount.parse({ token: '${env:GOOGLE_TOKEN}', endpoint: dns.url, quota: QUOTA })
  const { project, zone } = PLACE
  const targets = ids.map((id) => ({
    id,
    settings: googleCloudDnsSettings.parse({
      project,
      zone,
      record: `${id}.example.com`,
      old: [OLD],
      new: [NEW],
      ...parts,
    }),
  }))
  return googleCloudDns.open(targets, account, adapterContext({ GOOGLE_TOKEN: CANARY }))
}

export function weighted(id: string, weightPercent: number, parts: Partial<FakeRrset> = {}): FakeRrset {
  const items = [
    { weight: 1 - weightPercent / 100, rrdatas: [OLD] },
    { weight: weightPercent / 100, rrdatas: [NEW] },
  ]
  return { name: `${id}.example.com.`, type: 'A', ttl: 300, routingPolicy: { wrr: { items } }, ...parts }
}

export function plain(id: string, value: string): FakeRrset {
  return { name: `${id}.example.com.`, type: 'A', ttl: 300, rrdatas: [value] }
}

export function soon(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

export function change(targetId: string, weightPercent: number, parts: Partial<WeightChange> = {}): WeightChange {
  return { targetId, weightPercent, ttlSeconds: null, urgency: 'forward', ...parts }
}

/** A fake zone, and a scope of it that ends with the test. */
export interface Bench {
  readonly dns: GoogleDns
  readonly scope: TrafficScope
  read(id?: string): Promise<unknown>
  write(...changes: WeightChange[]): Promise<Record<string, unknown>>
  posts(): readonly { additions: FakeRrset[]; deletions: FakeRrset[] }[]
}

export async function bench(
  rrsets: readonly FakeRrset[],
  ids: readonly string[] = ['a', 'b'],
  parts = {},
): Promise<Bench> {
  const dns = await startGoogleDns(PLACE)
  for (const rrset of rrsets) dns.put(rrset)
  const scope = openZone(dns, ids, parts)
  onTestFinished(() => scope.close())
  return {
    dns,
    scope,
    read: async (id = 'a') => (await scope.read([id], soon())).get(id),
    write: async (...changes) => Object.fromEntries(await scope.write(changes, soon())),
    posts: () => dns.requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body)),
  }
}

export function policy(list: readonly FakeWrrItem[]): FakeRrset {
  return { name: 'a.example.com.', type: 'A', ttl: 300, routingPolicy: { wrr: { items: list } } }
}

export function items(pairs: readonly (readonly [number | undefined, string])[]): FakeRrset {
  return policy(pairs.map(([weight, value]) => ({ ...(weight !== undefined && { weight }), rrdatas: [value] })))
}
