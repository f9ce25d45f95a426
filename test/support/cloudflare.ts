import { onTestFinished } from 'vitest'
import type { TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import { cloudflare } from '../../src/traffic/cloudflare/kind.ts'
import { cloudflareAccount, cloudflareSettings } from '../../src/traffic/cloudflare/settings.ts'
import { TARGET_IDS } from '../conformance/traffic.ts'
import { type Cloudflare, type LoadBalancer, startCloudflare } from '../fakes/cloudflare.ts'
import { adapterContext } from './adapter-context.ts'
import { combinedScope } from './combined-scope.ts'

export const CANARY = 'canary-cf-77b1'
export const ZONE = '0'.repeat(32)
export const OLD = '1'.repeat(32)
export const NEW = '2'.repeat(32)
export const THIRD = '3'.repeat(32)

/** By target: the load balancer's id. */
export const IDS: Readonly<Record<string, string>> = {
  a: 'a'.repeat(32),
  b: 'b'.repeat(32),
  c: 'c'.repeat(32),
  ghost: 'f'.repeat(32),
}

export function openAll(api: { url: string }, ids: readonly string[] = TARGET_IDS, parts: object = {}): TrafficScope {
  const quota = { callsPerSecond: 1000, burst: 10_000 }
  const account = cloudflareAccount.parse({ token: '${env:CF_TOKEN}', endpoint: api.url, quota })
  const targets = ids.map((id) => ({
    id,
    settings: cloudflareSettings.parse({ zone: ZONE, loadBalancer: IDS[id], old: OLD, new: NEW, ...parts }),
  }))
  return combinedScope(cloudflare, targets, account, adapterContext({ CF_TOKEN: CANARY }))
}

export function balancer(id: string, weightPercent: number, parts: Partial<LoadBalancer> = {}): LoadBalancer {
  return {
    id: IDS[id] ?? id,
    name: `${id}.example.com`,
    created_on: '2026-01-01T00:00:00Z',
    enabled: true,
    proxied: true,
    default_pools: [OLD, NEW],
    fallback_pool: OLD,
    session_affinity: 'none',
    steering_policy: 'random',
    random_steering: {
      default_weight: 1,
      pool_weights: { [OLD]: 1 - weightPercent / 100, [NEW]: weightPercent / 100 },
    },
    ...parts,
  }
}

export function steering(
  old: number,
  fresh: number,
  more: Readonly<Record<string, number>> = {},
): Partial<LoadBalancer> {
  return { random_steering: { pool_weights: { [OLD]: old, [NEW]: fresh, ...more } } }
}

export function soon(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

export function put(api: Cloudflare, one: LoadBalancer): void {
  api.balancers.set(one.id ?? '', one)
}

/** A fake API with the load balancer of target `a`, and a scope of it that ends with the test. */
export async function bench(parts: Partial<LoadBalancer> = {}, settings: object = {}) {
  const api = await startCloudflare({ zone: ZONE, token: CANARY })
  put(api, balancer('a', 0, parts))
  const scope = openAll(api, ['a'], settings)
  onTestFinished(() => scope.close())
  return {
    api,
    scope,
    read: async () => (await scope.read(['a'], soon())).get('a'),
    write: async (weightPercent: number, more: Partial<WeightChange> = {}) => {
      const change = { targetId: 'a', weightPercent, ttlSeconds: null, urgency: 'forward' as const, ...more }
      return (await scope.write([change], soon())).get('a')
    },
    inspect: () => scope.inspect(['a'], soon()),
    calls: () => api.requests.map(({ method, url }) => `${method} ${url.slice('/client/v4/zones/'.length + 33)}`),
    patches: () => api.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => JSON.parse(body)),
  }
}
