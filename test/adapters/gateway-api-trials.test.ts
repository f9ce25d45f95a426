import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Trial } from '../../src/core/plan.ts'
import type { WeightChange } from '../../src/ports/traffic.ts'
import { gatewayApi } from '../../src/traffic/gateway-api/kind.ts'
import { istio } from '../../src/traffic/istio/kind.ts'
import { type FakeCluster, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import type { Json } from '../fakes/kubernetes/json-patch.ts'
import type { ApiObject } from '../fakes/kubernetes/store.ts'
import { oneRule, openRoute, ref, rulesOf } from '../support/gateway-api.ts'

const MARKED: Trial = { kind: 'marked' }
const mirror = (percent: number): Trial => ({ kind: 'mirror', percent })
const mirrorTo = (name: string, share: object = {}) => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: { group: '', kind: 'Service', name, port: 8080 }, ...share },
})
const REWRITE = { type: 'URLRewrite', urlRewrite: { hostname: 'inner.test' } }

type Asked = Pick<WeightChange, 'weightPercent'> & Partial<WeightChange>

/** A cluster with this route, and targets in it by id. */
async function use(route: { [key: string]: Json }, targets: Record<string, object> = { a: {} }, plural = 'httproutes') {
  const cluster = await startFakeCluster()
  cluster.create(plural, 'checkout', route)
  const scope = openRoute(cluster.kubeconfig.path, targets)
  onTestFinished(async () => {
    await scope.close()
    await cluster.remove()
  })
  const signal = () => AbortSignal.timeout(120_000)
  return {
    cluster,
    read: async (id = 'a') => (await scope.read([id], signal())).get(id),
    async write(changes: Record<string, Asked>) {
      const asked = Object.entries(changes).map(([targetId, change]) => ({
        targetId,
        ttlSeconds: null,
        urgency: 'forward' as const,
        ...change,
      }))
      return Object.fromEntries(await scope.write(asked, signal()))
    },
    rules: () => rulesIn(cluster.get(plural, 'checkout')),
    patches: () => patchesOf(cluster),
    annotations: () => cluster.get(plural, 'checkout')?.metadata.annotations ?? {},
  }
}

function rulesIn(object: ApiObject | undefined): Record<string, Json>[] {
  return (object?.spec as { rules?: Record<string, Json>[] } | undefined)?.rules ?? []
}

function patchesOf(cluster: FakeCluster): number {
  return cluster.server.calls.filter(({ method }) => method === 'PATCH').length
}

test('gateway-api has both trials, istio has none', () => {
  expect(gatewayApi.trials).toEqual(['marked', 'mirror'])
  expect(istio.trials).toBeUndefined()
})

describe.each([
  ['HTTPRoute', 'httproutes'],
  ['GRPCRoute', 'grpcroutes'],
])('%s', (kind, plural) => {
  test.each<[string, Trial]>([
    ['marked requests', MARKED],
    ['a mirror of 10 %', mirror(10)],
    ['a mirror of 0.3 %', mirror(0.3)],
  ])('%s: read as written, the weights stay, and the next write of a weight ends it', async (_, trial) => {
    const user = await use(rulesOf('main', 'other'), { a: { kind, rule: 'main' } }, plural)
    const before = user.rules()
    expect(await user.read()).not.toHaveProperty('trial')
    expect(await user.write({ a: { weightPercent: 0, trial } })).toEqual({ a: { kind: 'applied' } })
    expect(await user.read()).toMatchObject({ weightPercent: 0, trial })
    expect(user.rules().find(({ name }) => name === 'main')).toMatchObject({ backendRefs: before[0]?.backendRefs })

    expect(await user.write({ a: { weightPercent: 5 } })).toEqual({ a: { kind: 'applied' } })
    const after = await user.read()
    expect(after).toMatchObject({ kind: 'weight', weightPercent: 5 })
    expect(after).not.toHaveProperty('trial')
    expect(user.rules().map(({ name }) => name)).toEqual(['main', 'other'])
    expect(user.rules()[0]?.filters ?? []).toEqual([])
    expect(user.annotations()).toEqual({})
    expect(user.patches()).toBe(2)
  })
})

test('marked requests are those with the header of the target, and go to NEW as the rule has it', async () => {
  const fresh = { ...(ref('green', 0) as object), filters: [REWRITE] } as Json
  const route = { spec: { rules: [{ timeouts: { request: '5s' }, backendRefs: [ref('blue', 1), fresh] }] } }
  const user = await use(route, { a: { marked: { header: 'x-trial', value: 'yes' } } })
  await user.write({ a: { weightPercent: 0, trial: MARKED } })
  expect(user.rules()[0]).toMatchObject({
    name: 'headgate-marked-0',
    timeouts: { request: '5s' },
    matches: [{ headers: [{ type: 'Exact', name: 'x-trial', value: 'yes' }] }],
    backendRefs: [{ name: 'green', port: 8080, filters: [REWRITE] }],
  })
  expect(await user.read()).toMatchObject({ weightPercent: 0, trial: MARKED })
})

test.each<[string, Trial]>([
  ['marked requests', MARKED],
  ['a mirror', mirror(10)],
])('%s written again: nothing is changed; reverted: all is as before', async (_, trial) => {
  const user = await use({ metadata: { annotations: { team: 'shop' } }, ...rulesOf('main') }, { a: { rule: 'main' } })
  const before = user.rules()
  await user.write({ a: { weightPercent: 0, trial } })
  expect(await user.write({ a: { weightPercent: 0, trial } })).toEqual({ a: { kind: 'applied' } })
  expect(user.patches()).toBe(1)
  await user.write({ a: { weightPercent: 0, trial: null, urgency: 'revert' } })
  expect(await user.read()).not.toHaveProperty('trial')
  expect(user.rules().map(({ filters: _filters, ...rule }) => rule)).toEqual(before)
  expect(user.annotations()).toEqual({ team: 'shop' })
  await user.write({ a: { weightPercent: 0, trial: null, urgency: 'revert' } })
  expect(user.patches()).toBe(2)
})

test('one trial takes the place of another in one patch', async () => {
  const user = await use(oneRule(ref('blue', 1), ref('green', 0)))
  for (const trial of [MARKED, mirror(1), mirror(50), MARKED]) {
    await user.write({ a: { weightPercent: 0, trial } })
    expect(await user.read()).toMatchObject({ trial })
    expect(user.rules()).toHaveLength(trial.kind === 'marked' ? 2 : 1)
    expect(user.rules().at(-1)?.filters ?? []).toHaveLength(trial.kind === 'mirror' ? 1 : 0)
  }
  expect(user.patches()).toBe(4)
})

test('rules of one route have trials and weights of their own, whatever is put ahead of them', async () => {
  const ids = ['a', 'b', 'c'] as const
  const wanted = fc.record({
    weightPercent: fc.integer({ min: 0, max: 10 }),
    trial: fc.constantFrom<(Trial | null)[]>(null, MARKED, mirror(10)),
  })
  const user = await use(rulesOf(...ids), Object.fromEntries(ids.map((id, rule) => [id, { rule }])))
  await fc.assert(
    fc.asyncProperty(fc.record({ a: wanted, b: wanted, c: wanted }), async (changes) => {
      await user.write(changes)
      for (const id of ids) {
        const { weightPercent, trial } = changes[id]
        const reading = await user.read(id)
        expect(reading).toMatchObject({ weightPercent, ...(trial !== null && { trial }) })
        if (trial === null) expect(reading).not.toHaveProperty('trial')
      }
      const own = user.rules().filter(({ name }) => !String(name).startsWith('headgate-marked-'))
      expect(own.map(({ name }) => name)).toEqual([...ids])
    }),
    { numRuns: 25 },
  )
})

describe('what Headgate did not make', () => {
  const withFilters = (...filters: object[]) =>
    ({ spec: { rules: [{ filters, backendRefs: [ref('blue', 1), ref('green', 0)] }] } }) as { [key: string]: Json }

  test.each<[string, object]>([
    ['a mirror elsewhere', mirrorTo('red', { percent: 10 })],
    ['a mirror to NEW', mirrorTo('green', { percent: 10 })],
    ['another filter', REWRITE],
  ])('%s is no trial, and stays', async (_, filter) => {
    const user = await use(withFilters(filter))
    expect(await user.read()).not.toHaveProperty('trial')
    await user.write({ a: { weightPercent: 10 } })
    await user.write({ a: { weightPercent: 0, trial: MARKED } })
    await user.write({ a: { weightPercent: 0, trial: null, urgency: 'revert' } })
    expect(user.rules()).toMatchObject([{ filters: [filter] }])
    expect(await user.read()).not.toHaveProperty('trial')
  })

  test('a mirror elsewhere stays beside ours', async () => {
    const user = await use(withFilters(mirrorTo('red')))
    await user.write({ a: { weightPercent: 0, trial: mirror(10) } })
    expect(await user.read()).toMatchObject({ trial: mirror(10) })
    expect(user.rules()[0]?.filters).toEqual([mirrorTo('red'), mirrorTo('green', { percent: 10 })])
    await user.write({ a: { weightPercent: 1 } })
    expect(user.rules()[0]?.filters).toEqual([mirrorTo('red')])
  })

  test('a mirror to NEW is not made into ours: the trial is refused, a weight is not', async () => {
    const user = await use(withFilters(mirrorTo('green')))
    expect(await user.write({ a: { weightPercent: 0, trial: mirror(10) } })).toMatchObject({
      a: { problem: { code: 'TRAFFIC_WRONG_TYPE', cause: expect.stringContaining('that Headgate did not make') } },
    })
    expect(user.patches()).toBe(0)
    expect(await user.write({ a: { weightPercent: 10 } })).toEqual({ a: { kind: 'applied' } })
  })

  test('a trial that somebody took away is no longer read, and can be ended', async () => {
    const user = await use(withFilters(REWRITE))
    await user.write({ a: { weightPercent: 0, trial: mirror(10) } })
    user.cluster.change('httproutes', 'checkout', (object) => {
      for (const rule of rulesIn(object)) rule.filters = []
    })
    expect(await user.read()).not.toHaveProperty('trial')
    expect(await user.write({ a: { weightPercent: 0 } })).toEqual({ a: { kind: 'applied' } })
    expect(user.annotations()).toEqual({})
  })
})

describe('a CRD that is too old', () => {
  test('drops the share: the mirror reads as all of it, and can be ended', async () => {
    const user = await use(oneRule(ref('blue', 1), ref('green', 0)))
    await user.write({ a: { weightPercent: 0, trial: mirror(10) } })
    user.cluster.change('httproutes', 'checkout', (object) => {
      for (const rule of rulesIn(object)) rule.filters = [mirrorTo('green') as unknown as Json]
    })
    expect(await user.read()).toMatchObject({ trial: mirror(100) })
    await user.write({ a: { weightPercent: 0, urgency: 'revert' } })
    expect(user.rules()[0]?.filters).toEqual([])
  })

  test('drops the name of the marked rule: it is not added again', async () => {
    const user = await use(rulesOf('main'), { a: { rule: 'main' } })
    await user.write({ a: { weightPercent: 0, trial: MARKED } })
    user.cluster.change('httproutes', 'checkout', (object) => {
      delete rulesIn(object)[0]?.name
    })
    expect(await user.read()).not.toHaveProperty('trial')
    expect(await user.write({ a: { weightPercent: 0, trial: MARKED } })).toMatchObject({
      a: { kind: 'failed', problem: { code: 'TRAFFIC_WRONG_TYPE' } },
    })
    expect(user.rules()).toHaveLength(2)
  })
})

test('a NEW that does not resolve is no NEW to try, though its weight is 0', async () => {
  const user = await use(oneRule(ref('blue', 1), ref('green', 0)))
  user.cluster.reconcileBy(({ metadata: { generation = null } }) => ({
    parents: [
      {
        parentRef: { name: 'public' },
        conditions: [
          { type: 'Accepted', status: 'True', observedGeneration: generation },
          { type: 'ResolvedRefs', status: 'False', reason: 'BackendNotFound', observedGeneration: generation },
        ],
      },
    ],
  }))
  await user.write({ a: { weightPercent: 0, trial: mirror(10) } })
  expect(await user.read()).toMatchObject({ kind: 'missing', why: 'refused' })
  await user.write({ a: { weightPercent: 0, urgency: 'revert' } })
  expect(await user.read()).toMatchObject({ kind: 'weight', weightPercent: 0 })
})

describe('the mark', () => {
  const base = { namespace: 'shop', route: 'checkout', old: 'blue', new: 'green' }

  test('is x-headgate: new, unless said otherwise', () => {
    expect(gatewayApi.settings.parse(base).marked).toEqual({ header: 'x-headgate', value: 'new' })
    expect(gatewayApi.settings.parse({ ...base, marked: { value: 'b' } }).marked.header).toBe('x-headgate')
  })

  test.each([{ header: 'a b' }, { header: '' }, { value: '' }, { value: 'a\r\nb: c' }])('%o is none', (marked) => {
    expect(gatewayApi.settings.safeParse({ ...base, marked }).success).toBe(false)
  })
})
