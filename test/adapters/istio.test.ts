import { describe, expect, onTestFinished, test } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { istio } from '../../src/traffic/istio/kind.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { CANARY, type FakeCluster, NAMESPACE, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import type { Json } from '../fakes/kubernetes/json-patch.ts'
import type { ApiObject } from '../fakes/kubernetes/store.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { combinedScope } from '../support/combined-scope.ts'

type Destination = { [key: string]: Json }

const to = (host: string, weight?: number, subset?: string): Destination => ({
  destination: { host, ...(subset !== undefined && { subset }) },
  ...(weight !== undefined && { weight }),
})

const oneRoute = (...route: readonly Destination[]): { [key: string]: Json } => ({
  spec: { hosts: ['checkout.example.com'], http: [{ route: [...route] }] },
})

function routeOf(object: ApiObject): Destination[] {
  const { http } = object.spec as { http: { route: Destination[] }[] }
  return http[0]?.route ?? []
}

function settingsOf(parts: object) {
  return istio.settings.parse({
    namespace: NAMESPACE,
    virtualService: 'checkout',
    old: 'blue',
    new: 'green',
    ...parts,
  })
}

trafficConformance('istio', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const cluster = await startFakeCluster()
    for (const name of ['a', 'b', 'c'])
      cluster.create('virtualservices', name, oneRoute(to('blue', 100), to('green', 0)))
    const targets = TARGET_IDS.map((id) => ({ id, settings: settingsOf({ virtualService: id }) }))
    return {
      open: () => combinedScope(istio, targets, { kubeconfig: cluster.writeKubeconfig() }, adapterContext()),
      async writeForeign(targetId, weightPercent) {
        cluster.change('virtualservices', targetId, (object) => {
          const [old, fresh] = routeOf(object)
          if (old && fresh) [old.weight, fresh.weight] = [100 - weightPercent, weightPercent]
        })
      },
      hang: async () => cluster.server.hang(),
      stop: () => cluster.server.stop(),
      remove: () => cluster.remove(),
    }
  },
})

let cluster: FakeCluster
let scope: TrafficScope

/** Starts a cluster with this VirtualService (null: without one), and opens one target of it; both end with the test. */
async function use(parts: { [key: string]: Json } | null, settings: object = {}): Promise<void> {
  cluster = await startFakeCluster()
  if (parts !== null) cluster.create('virtualservices', 'checkout', parts)
  const targets = [{ id: 'a', settings: settingsOf(settings) }]
  scope = istio.open(targets, { kubeconfig: cluster.kubeconfig.path }, adapterContext())
  onTestFinished(async () => {
    await scope.close()
    await cluster.remove()
  })
}

const signal = () => AbortSignal.timeout(120_000)
const read = async () => (await scope.read(['a'], signal())).get('a')
const write = async (weightPercent: number) =>
  (await scope.write([{ targetId: 'a', weightPercent, ttlSeconds: null, urgency: 'forward' }], signal())).get('a')
const destinations = () => routeOf(cluster.get('virtualservices', 'checkout'))

describe('what is written', () => {
  test.each([
    [10, 90, 10],
    [12.5, 875, 125],
    [0.1, 999, 1],
    [100, 0, 100],
  ])('%d %% as %d and %d', async (percent, old, fresh) => {
    await use(oneRoute(to('blue', 100), to('green', 0)))
    expect(await write(percent)).toEqual({ kind: 'applied' })
    expect(destinations()).toEqual([to('blue', old), to('green', fresh)])
  })

  test('a destination that is alone gets everything, whatever its weight; NEW is added beside it', async () => {
    await use(oneRoute(to('blue')), { new: { host: 'blue', subset: 'green', port: 8080 } })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
    expect(await write(10)).toEqual({ kind: 'applied' })
    const added = { destination: { host: 'blue', subset: 'green', port: { number: 8080 } }, weight: 10 }
    expect(destinations()).toEqual([to('blue', 90), added])
  })

  test('a destination without a weight, among others, gets nothing', async () => {
    await use(oneRoute(to('blue', 100), to('green')))
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
    expect(await write(1)).toEqual({ kind: 'applied' })
    expect(destinations()).toEqual([to('blue', 99), to('green', 1)])
  })

  test('subsets of one host are two destinations', async () => {
    const sides = { old: { host: 'app', subset: 'blue' }, new: { host: 'app', subset: 'green' } }
    await use(oneRoute(to('app', 100, 'blue'), to('app', 0, 'green')), sides)
    expect(await write(50)).toEqual({ kind: 'applied' })
    expect(destinations()).toEqual([to('app', 50, 'blue'), to('app', 50, 'green')])
  })
})

describe('a VirtualService that is not as it should be', () => {
  test.each<[string, object, { [key: string]: Json } | null, string, string]>([
    ['none', {}, null, 'TRAFFIC_NOT_FOUND', 'VirtualService shop/checkout'],
    ['only tcp routes', {}, { spec: { tcp: [{}] } }, 'TRAFFIC_WRONG_TYPE', 'has no http routes'],
    ['a redirect', {}, { spec: { http: [{ redirect: { uri: '/' } }] } }, 'TRAFFIC_WRONG_TYPE', 'has no destinations'],
    ['several routes', {}, { spec: { http: [{}, {}] } }, 'TRAFFIC_NOT_FOUND', 'has 2 http routes'],
    ['no route of that name', { route: 'main' }, oneRoute(to('blue')), 'TRAFFIC_NOT_FOUND', 'has no http route main'],
    ['no OLD', {}, oneRoute(to('green')), 'TRAFFIC_NOT_FOUND', 'has no destination blue'],
    ['a third', {}, oneRoute(to('blue', 1), to('green', 1), to('red', 1)), 'TRAFFIC_WRONG_TYPE', 'also sends to red'],
  ])('%s', async (_, settings, parts, code, cause) => {
    await use(parts, settings)
    expect(await read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining(cause) })
    expect(await write(10)).toMatchObject({ kind: 'failed', problem: { code } })
    expect(await scope.inspect(['a'], signal())).toMatchObject([{ level: 'fail', problem: { code } }])
  })
})

test("a webhook's refusal is told in its words, and nothing is written", async () => {
  await use(oneRoute(to('blue', 100), to('green', 0)))
  cluster.server.intercept = ({ method }, response) => {
    if (method !== 'PATCH') return false
    const message = 'admission webhook "validation.istio.io" denied the request: total destination weight 1000 != 100'
    response.writeHead(400).end(JSON.stringify({ kind: 'Status', message, details: {} }))
    return true
  }
  expect(await write(12.5)).toMatchObject({
    problem: { code: 'TRAFFIC_REFUSED', cause: expect.stringContaining('weight 1000 != 100') },
  })
  expect(await read()).toMatchObject({ weightPercent: 0 })
})

test('the settings: what is not one place is refused', () => {
  const good = { namespace: 'shop', virtualService: 'checkout', old: 'blue', new: 'green' }
  expect(istio.settings.safeParse(good).success).toBe(true)
  for (const bad of [{ new: 'blue' }, { namespace: 'a/b' }, { old: { subset: 'blue' } }, { route: -1 }, { host: 'a' }])
    expect(istio.settings.safeParse({ ...good, ...bad }).success, JSON.stringify(bad)).toBe(false)
  expect(istio.account?.parse({})).toEqual({ kubeconfig: null })
})
