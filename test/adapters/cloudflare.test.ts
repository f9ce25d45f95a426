import { describe, expect, test } from 'vitest'
import { cloudflare } from '../../src/traffic/cloudflare/kind.ts'
import { cloudflareAccount, cloudflareSettings } from '../../src/traffic/cloudflare/settings.ts'
import { trafficConformance } from '../conformance/traffic.ts'
import { type LoadBalancer, startCloudflare } from '../fakes/cloudflare.ts'
import { balancer, bench, CANARY, IDS, NEW, OLD, openAll, put, steering, THIRD, ZONE } from '../support/cloudflare.ts'

trafficConformance('cloudflare', {
  canary: CANARY,
  inexpressiblePercents: [0.1, 0.4, 99.6, 99.9],
  async createPlace() {
    const api = await startCloudflare({ zone: ZONE, token: CANARY })
    for (const id of ['a', 'b', 'c']) put(api, balancer(id, 0))
    return {
      open: () => openAll(api),
      writeForeign: async (targetId, weightPercent) => put(api, balancer(targetId, weightPercent)),
      hang: async () => {
        api.instead = () => true
      },
      stop: api.stop,
      remove: api.stop,
    }
  },
})

const APPLIED = { kind: 'applied' }

describe('what a load balancer says', () => {
  test.each<[string, Partial<LoadBalancer>, object]>([
    ['weights of any sum are a share', steering(0.3, 0.1), { weightPercent: 25 }],
    [
      'a pool without a weight has the default',
      { random_steering: { default_weight: 0.5, pool_weights: { [OLD]: 0.5 } } },
      { weightPercent: 50 },
    ],
    ['a pool without any has 1', { random_steering: {} }, { weightPercent: 50 }],
    ['both zero is no weight', steering(0, 0), { kind: 'missing', why: 'not-a-number' }],
    [
      'a third pool with a weight is no split',
      { ...steering(1, 1, { [THIRD]: 0.1 }), default_pools: [OLD, NEW, THIRD] },
      { why: 'refused' },
    ],
    [
      'a third pool by default is no split',
      { ...steering(1, 1), default_pools: [OLD, NEW, THIRD] },
      { why: 'refused' },
    ],
    [
      'a third pool of weight 0 does no harm',
      { ...steering(1, 1, { [THIRD]: 0 }), default_pools: [OLD, NEW, THIRD] },
      { weightPercent: 50 },
    ],
    ['weights of pools that are not there do no harm', steering(1, 1, { [THIRD]: 1 }), { weightPercent: 50 }],
    ['NEW that is no default pool is not there', { default_pools: [OLD] }, { kind: 'missing', why: 'empty' }],
    ['failover has no weights', { steering_policy: 'off' }, { kind: 'missing', why: 'refused' }],
    ['least connections only begin with weights', { steering_policy: 'least_connections' }, { why: 'refused' }],
    ['least requests only begin with weights', { steering_policy: 'least_outstanding_requests' }, { why: 'refused' }],
    ['one that is disabled serves nobody', { enabled: false }, { kind: 'missing', why: 'refused' }],
    ['one that is not proxied has a TTL', { proxied: false, ttl: 30 }, { weightPercent: 0, ttlSeconds: 30 }],
  ])('%s', async (_, parts, want) => {
    const { read } = await bench(parts)
    expect(await read()).toMatchObject(want)
  })

  test('a proxied one has no TTL of interest', async () => {
    const { read } = await bench({ proxied: true, ttl: 30 })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
  })

  test('one is found by its host name too, in any case', async () => {
    const { read, write, calls } = await bench({}, { loadBalancer: 'A.Example.com' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
    expect(await write(10)).toEqual(APPLIED)
    expect(calls()).toEqual(['GET load_balancers', 'GET load_balancers', `PATCH load_balancers/${IDS['a']}`])
  })

  test('a host name that nothing answers for is not there', async () => {
    const { inspect } = await bench({}, { loadBalancer: 'z.example.com' })
    expect(await inspect()).toMatchObject([{ level: 'fail', problem: { code: 'TRAFFIC_NOT_FOUND' } }])
  })
})

describe('what is written', () => {
  test('weights are hundredths, and all else of the steering goes along', async () => {
    const { write, patches, api } = await bench({
      random_steering: { default_weight: 0, pool_weights: { [OLD]: 1, [THIRD]: 0 } },
      default_pools: [OLD, NEW, THIRD],
    })
    expect(await write(25)).toEqual(APPLIED)
    const steered = { default_weight: 0, pool_weights: { [OLD]: 0.75, [NEW]: 0.25, [THIRD]: 0 } }
    expect(patches()).toEqual([{ random_steering: steered }])
    expect(api.balancers.get(IDS['a'] ?? '')).toMatchObject({ steering_policy: 'random', fallback_pool: OLD })
  })

  test('weight and TTL go in one call where it is not proxied', async () => {
    const { write, patches, read } = await bench({ proxied: false, ttl: 300 })
    await write(10, { ttlSeconds: 30 })
    expect(patches()).toMatchObject([{ ttl: 30, random_steering: {} }])
    expect(await read()).toMatchObject({ weightPercent: 10, ttlSeconds: 30 })
  })

  test('a TTL alone leaves the weights alone', async () => {
    const { write, patches } = await bench({ proxied: false, ttl: 300 })
    await write(0, { ttlSeconds: 30 })
    expect(patches()).toEqual([{ ttl: 30 }])
  })

  test('a TTL is not set where it is proxied', async () => {
    const { write, patches } = await bench({ proxied: true })
    expect(await write(10, { ttlSeconds: 30 })).toEqual(APPLIED)
    expect(patches()[0]).not.toHaveProperty('ttl')
  })

  test('a weight that is there is no call that changes', async () => {
    const { write, patches } = await bench()
    expect(await write(0)).toEqual(APPLIED)
    expect(patches()).toEqual([])
  })

  test('a revert after a read is one call; a step forward looks first', async () => {
    const { read, write, calls } = await bench()
    await read()
    await write(10)
    await write(0, { urgency: 'revert' })
    const [get, patch] = [`GET load_balancers/${IDS['a']}`, `PATCH load_balancers/${IDS['a']}`]
    expect(calls()).toEqual([get, get, patch, patch])
  })

  test('a revert that seems to be done looks again, since somebody may have moved it', async () => {
    const { read, write, api } = await bench()
    await read()
    put(api, balancer('a', 40))
    expect(await write(0, { urgency: 'revert' })).toEqual(APPLIED)
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('next to the ends, the nearest weights are 1 % and 99 %', () => {
    expect(cloudflare.nearestWeights(0.5)).toEqual([0, 1])
    expect(cloudflare.nearestWeights(99.5)).toEqual([99, 100])
    expect(cloudflare.nearestWeights(12.5)).toEqual([12.5])
  })
})

describe('settings', () => {
  const good = { zone: ZONE, loadBalancer: 'Checkout.example.com', old: OLD, new: NEW }

  test('a name in any case is one place', () => {
    expect(cloudflare.scopeOf(cloudflareSettings.parse(good))).toBe(`${ZONE}/checkout.example.com`)
    expect(cloudflare.timingOf(cloudflareSettings.parse(good))).toEqual({
      propagationSeconds: 30,
      movingTtlSeconds: null,
    })
  })

  test.each<[string, object, string]>([
    ['a domain for a zone', { zone: 'example.com' }, 'is no id of Cloudflare'],
    ['one pool on both sides', { new: OLD }, 'old and new are both'],
    ['a path for a load balancer', { loadBalancer: 'a/../b' }, 'neither an id nor a host name'],
  ])('%s is refused', (_, parts, words) => {
    const parsed = cloudflareSettings.safeParse({ ...good, ...parts })
    expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(words)
  })

  test('an account needs a token by reference', () => {
    expect(cloudflareAccount.safeParse({}).success).toBe(false)
    expect(cloudflareAccount.safeParse({ token: CANARY }).success).toBe(false)
    expect(cloudflareAccount.parse({ token: '${env:T}' })).toMatchObject({ quota: { callsPerSecond: 3, burst: 100 } })
  })

  test('the token is bound to the zones at hand', () => {
    const targets = [{ id: 'a', settings: cloudflareSettings.parse(good) }]
    const [privilege] = cloudflare.privilegesFor(targets, cloudflareAccount.parse({ token: '${env:T}' }))
    expect(privilege?.document).toContain(ZONE)
  })
})
