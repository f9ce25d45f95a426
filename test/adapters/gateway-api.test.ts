import { describe, expect, test } from 'vitest'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { CANARY, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import type { Json } from '../fakes/kubernetes/json-patch.ts'
import { backendsOf, oneRule, openRoute, type RouteUser, ref, rulesOf, useRoute } from '../support/gateway-api.ts'

const PLURALS = { HTTPRoute: 'httproutes', GRPCRoute: 'grpcroutes' } as const

describe.each(['HTTPRoute', 'GRPCRoute'] as const)('%s', (kind) => {
  trafficConformance(`gateway-api, ${kind}`, {
    canary: CANARY,
    inexpressiblePercents: [],
    async createPlace() {
      const cluster = await startFakeCluster()
      cluster.create(PLURALS[kind], 'checkout', rulesOf('a', 'b', 'c'))
      const targets = Object.fromEntries(TARGET_IDS.map((id) => [id, { kind, rule: id }]))
      return {
        // Of a kubeconfig of its own: scopes of one kubeconfig share their connections.
        open: () => openRoute(cluster.writeKubeconfig(), targets),
        async writeForeign(targetId, weightPercent) {
          cluster.change(PLURALS[kind], 'checkout', (object) => {
            const [old, fresh] = backendsOf(object, 'abc'.indexOf(targetId))
            if (old && fresh) [old.weight, fresh.weight] = [1000 - weightPercent * 10, weightPercent * 10]
          })
        },
        hang: async () => cluster.server.hang(),
        stop: () => cluster.server.stop(),
        remove: () => cluster.remove(),
      }
    },
  })
})

let user: RouteUser

describe('what is written', () => {
  test('one GET and one PATCH of two weights, tied to the version read', async () => {
    user = await useRoute(rulesOf('a', 'b'))
    const { cluster } = user
    const before = cluster.get('httproutes', 'checkout')
    const scope = openRoute(cluster.kubeconfig.path, { a: { rule: 'a' }, b: { rule: 'b' } })
    await scope.write(
      [
        { targetId: 'a', weightPercent: 25, ttlSeconds: null, urgency: 'forward' },
        { targetId: 'b', weightPercent: 12.5, ttlSeconds: null, urgency: 'forward' },
      ],
      AbortSignal.timeout(120_000),
    )
    await scope.close()
    expect(cluster.server.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout',
      'PATCH /apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout?fieldManager=headgate',
    ])
    expect(cluster.server.calls[1]?.type).toBe('application/json-patch+json')
    expect(JSON.parse(cluster.server.calls[1]?.body ?? '')).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: before.metadata.resourceVersion },
      { op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 75 },
      { op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 25 },
      { op: 'replace', path: '/spec/rules/1/backendRefs/0/weight', value: 875 },
      { op: 'replace', path: '/spec/rules/1/backendRefs/1/weight', value: 125 },
    ])
  })

  test('a weight that is there already is not written', async () => {
    user = await useRoute(oneRule(ref('blue', 3), ref('green', 1)))
    expect(await user.write(25)).toEqual({ kind: 'applied' })
    expect(user.patches()).toBe(0)
  })

  test('a backend without a weight counts 1', async () => {
    user = await useRoute(oneRule(ref('blue'), ref('green')))
    expect(await user.read()).toMatchObject({ weightPercent: 50 })
    expect(await user.write(10)).toEqual({ kind: 'applied' })
    expect(user.backends()).toEqual([ref('blue', 90), ref('green', 10)])
  })

  test("NEW's backend is added with its weight when its port is known", async () => {
    user = await useRoute(oneRule(ref('blue')), { new: { name: 'green', port: 8080 } })
    expect(await user.read()).toMatchObject({ weightPercent: 0 })
    expect(await user.write(0)).toEqual({ kind: 'applied' })
    expect(await user.write(0.1)).toEqual({ kind: 'applied' })
    expect(user.backends()).toEqual([ref('blue', 999), ref('green', 1)])
    expect(await user.write(0, 'revert')).toEqual({ kind: 'applied' })
    expect(user.backends()).toEqual([ref('blue', 100), ref('green', 0)])
  })

  test('a backend of another kind and namespace is told from a Service of the same name', async () => {
    const imported = {
      group: 'multicluster.x-k8s.io',
      kind: 'ServiceImport',
      name: 'blue',
      namespace: 'edge',
      weight: 0,
    }
    const settings = { new: { name: 'blue', namespace: 'edge', kind: 'ServiceImport', group: 'multicluster.x-k8s.io' } }
    user = await useRoute(oneRule(ref('blue', 1), imported), settings)
    expect(await user.write(100)).toEqual({ kind: 'applied' })
    expect(user.backends()).toEqual([ref('blue', 0), { ...imported, weight: 100 }])
  })

  test('a rule that Headgate put ahead for another one does not shift its place', async () => {
    user = await useRoute({
      spec: {
        rules: [
          { name: 'headgate-marked-other', backendRefs: [ref('green')] },
          { backendRefs: [ref('blue', 1), ref('green', 0)] },
        ],
      },
    })
    expect(await user.write(10)).toEqual({ kind: 'applied' })
    expect(backendsOf(user.cluster.get('httproutes', 'checkout'), 0)).toEqual([ref('green')])
    expect(backendsOf(user.cluster.get('httproutes', 'checkout'), 1)).toEqual([ref('blue', 90), ref('green', 10)])
  })
})

describe('a route that is not as it should be', () => {
  test.each<[string, object, { [key: string]: Json }, string, string]>([
    ['no such rule', { rule: 'b' }, rulesOf('a'), 'TRAFFIC_NOT_FOUND', 'HTTPRoute shop/checkout has no rule b'],
    ['no rule of that place', { rule: 1 }, rulesOf('a'), 'TRAFFIC_NOT_FOUND', 'has no rule 1'],
    ['several rules, and none named', {}, rulesOf('a', 'b'), 'TRAFFIC_NOT_FOUND', 'has 2 rules'],
    ['no rules', {}, { spec: { rules: [] } }, 'TRAFFIC_NOT_FOUND', 'has no rule'],
    [
      'no backend of OLD',
      {},
      oneRule(ref('green')),
      'TRAFFIC_NOT_FOUND',
      'rule 0 of HTTPRoute shop/checkout has no backend blue',
    ],
    ['no backend of NEW, port unknown', {}, oneRule(ref('blue')), 'TRAFFIC_NOT_FOUND', 'has no backend green'],
    ['a third backend', {}, oneRule(ref('blue'), ref('green'), ref('red')), 'TRAFFIC_WRONG_TYPE', 'also sends to red'],
    [
      'two of a name',
      {},
      oneRule(ref('blue'), ref('green'), ref('green')),
      'TRAFFIC_WRONG_TYPE',
      'has 2 backends green',
    ],
    [
      'one that is both sides',
      { old: 'blue', new: { name: 'blue', port: 8080 } },
      oneRule(ref('blue')),
      'TRAFFIC_WRONG_TYPE',
      'the same backend',
    ],
  ])('%s', async (_, settings, parts, code, cause) => {
    user = await useRoute(parts, settings)
    expect(await user.read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining(cause) })
    expect(await user.write(10)).toMatchObject({
      kind: 'failed',
      problem: { code, cause: expect.stringContaining(cause) },
    })
    expect(await user.inspect()).toMatchObject([{ level: 'fail', problem: { code } }])
    expect(user.patches()).toBe(0)
  })

  test('a third backend of weight 0 does no harm', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 0), ref('red', 0)))
    expect(await user.write(10)).toEqual({ kind: 'applied' })
  })

  test('both weights 0 are no weight, and are written over', async () => {
    user = await useRoute(oneRule(ref('blue', 0), ref('green', 0)))
    expect(await user.read()).toMatchObject({ kind: 'missing', why: 'not-a-number' })
    expect(await user.write(0)).toEqual({ kind: 'applied' })
    expect(await user.read()).toMatchObject({ weightPercent: 0 })
  })

  test('no such route', async () => {
    user = await useRoute(null)
    expect(await user.read()).toMatchObject({ kind: 'missing', why: 'empty' })
    expect(await user.inspect()).toMatchObject([
      { level: 'fail', problem: { code: 'TRAFFIC_NOT_FOUND', hint: 'check the names, and the `context`' } },
    ])
  })
})
