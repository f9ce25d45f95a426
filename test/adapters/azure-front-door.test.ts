import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { azureFrontDoor } from '../../src/traffic/azure-front-door/kind.ts'
import { frontDoorAccount } from '../../src/traffic/azure-front-door/settings.ts'
import { nextWeights } from '../../src/traffic/azure-front-door/weights.ts'
import { sharePercent } from '../../src/traffic/ratio.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { armError, RESOURCE_GROUP, SUBSCRIPTION } from '../fakes/azure.ts'
import { type FakeFrontDoor, startFrontDoor } from '../fakes/azure-front-door.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { combinedScope } from '../support/combined-scope.ts'

const CANARY = 'canary-c3d90'

function settings(originGroup: string) {
  const place = { resourceGroup: RESOURCE_GROUP, profile: 'shop', originGroup }
  return azureFrontDoor.settings.parse({ ...place, old: 'blue', new: 'green' })
}

function account(url: string, parts: object = {}) {
  const quota = { burst: 1000 }
  return frontDoorAccount.parse({
    subscription: SUBSCRIPTION,
    token: '${env:ARM_TOKEN}',
    endpoint: url,
    quota,
    ...parts,
  })
}

function open(url: string) {
  const targets = TARGET_IDS.map((id) => ({ id, settings: settings(id) }))
  return combinedScope(azureFrontDoor, targets, account(url), adapterContext({ ARM_TOKEN: CANARY }))
}

trafficConformance('azure-front-door', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const azure = await startFrontDoor(CANARY, ['a', 'b', 'c'])
    return {
      open: () => open(azure.url),
      async writeForeign(targetId, weightPercent) {
        azure.setWeights(targetId, 1000 - weightPercent * 10, weightPercent * 10)
      },
      hang: async () => azure.hang(),
      stop: azure.stop,
      remove: azure.stop,
    }
  },
})

describe('an origin group of Front Door', () => {
  let azure: FakeFrontDoor
  let scope: TrafficScope
  beforeEach(async () => {
    azure = await startFrontDoor(CANARY, ['checkout'])
    scope = openOne()
  })
  afterEach(async () => {
    await scope.close()
    await azure.stop()
  })

  const openOne = (parts: object = {}) => {
    const target = { id: 'a', settings: { ...settings('checkout'), ...parts } }
    return azureFrontDoor.open([target], account(azure.url), adapterContext({ ARM_TOKEN: CANARY }))
  }
  const read = async (from = scope) => (await from.read(['a'], anyLongWhile())).get('a')
  const write = async (weightPercent: number) => {
    const change = { targetId: 'a', weightPercent, ttlSeconds: null, urgency: 'forward' as const }
    return (await scope.write([change], anyLongWhile())).get('a')
  }
  const inspect = () => scope.inspect(['a'], anyLongWhile())
  /** `ORIGIN weight state` of each change, in order. */
  const changes = () =>
    azure.calls.flatMap((call, index) => {
      if (!call.startsWith('PATCH')) return []
      const { properties } = azure.bodies[index] as { properties: { weight: number; enabledState: string } }
      return `${call.split('/').at(-1)} ${properties.weight} ${properties.enabledState}`
    })
  const properties = (origin: string) => azure.origin('checkout', origin).properties
  const addThird = (parts: object) => {
    const third = structuredClone(azure.origin('checkout', 'blue'))
    azure.origins('checkout').push({ ...third, name: 'red', properties: { ...third.properties, ...parts } })
  }

  test.each<[string, [number, number], number, string[]]>([
    ['the first step enables NEW last', [1, 0], 10, ['blue 1000 Enabled', 'green 111 Enabled']],
    ['a step up is NEW alone', [1000, 111], 25, ['green 333 Enabled']],
    ['a step down is NEW alone', [1000, 333], 10, ['green 111 Enabled']],
    ['half is NEW alone', [1000, 111], 50, ['green 1000 Enabled']],
    ['beyond half it is OLD alone', [1000, 1000], 75, ['blue 333 Enabled']],
    ['over the half OLD alone will do, too', [1000, 333], 60, ['blue 222 Enabled']],
    [
      'back over the half, where the smaller one is fine enough, it is NEW alone',
      [667, 1000],
      25,
      ['green 222 Enabled'],
    ],
    ['weights of somebody else are kept where they will do', [75, 25], 50, ['green 75 Enabled']],
    ['weights of somebody else that are too coarse', [6, 4], 12.3, ['blue 1000 Enabled', 'green 140 Enabled']],
    ['a revert is NEW alone', [60, 40], 0, ['green 1 Disabled']],
    ['the last step is OLD alone', [1, 99], 100, ['blue 1 Disabled']],
    ['a revert from 100 % enables OLD first', [0, 99], 0, ['blue 1000 Enabled', 'green 1 Disabled']],
    ['the same share in other numbers needs no call', [900, 100], 10, []],
  ])('%s', async (_, [old, fresh], percent, want) => {
    azure.setWeights('checkout', old, fresh)
    const shareBefore = fresh / (old + fresh)
    expect(await write(percent)).toEqual({ kind: 'applied' })
    expect(changes()).toEqual(want)
    // After the first of two, NEW has no more than it had or shall have.
    const between = { old, fresh }
    const [first] = changes()
    if (first?.startsWith('blue')) between.old = weightIn(first)
    if (first?.startsWith('green')) between.fresh = weightIn(first)
    const sum = between.old + between.fresh
    expect(sum).toBeGreaterThan(0)
    if (changes().length === 2) expect(between.fresh / sum).toBeLessThanOrEqual(Math.max(shareBefore, percent / 100))
    expect(await read()).toMatchObject({ weightPercent: percent })
  })

  test('the operation that a change starts is not waited for', async () => {
    await write(10)
    const origins = '/providers/Microsoft.Cdn/profiles/shop/originGroups/checkout/origins'
    expect(azure.calls).toEqual([`GET ${origins}`, `PATCH ${origins}/blue`, `PATCH ${origins}/green`])
  })

  test('a change that is refused is followed by none', async () => {
    azure.setWeights('checkout', 6, 4)
    azure.failWith(({ method }) => (method === 'PATCH' ? armError(500, 'InternalServerError') : null))
    expect(await write(12.3)).toMatchObject({ problem: { code: 'TRAFFIC_REFUSED' } })
    expect(changes()).toEqual(['blue 1000 Enabled'])
  })

  test('a second change that is refused fails the write; the next one completes it', async () => {
    azure.setWeights('checkout', 6, 4)
    azure.failWith(({ method, path }) => (method === 'PATCH' && path.endsWith('green') ? armError(429, 'Slow') : null))
    expect(await write(12.3)).toMatchObject({ problem: { code: 'TRAFFIC_THROTTLED' } })
    azure.failWith(null)
    const other = openOne()
    expect(await read(other)).toMatchObject({ weightPercent: 0.4 })
    await scope.close()
    scope = other
    expect(await write(12.3)).toEqual({ kind: 'applied' })
    expect(changes()).toEqual(['blue 1000 Enabled', 'green 140 Enabled', 'green 140 Enabled'])
    expect(await read()).toMatchObject({ weightPercent: 12.3 })
  })

  test('while Front Door deploys, the reading is pending, and a further change is a conflict', async () => {
    azure.isSlow = true
    await write(10)
    expect(await read()).toMatchObject({ weightPercent: 10, pending: 'Front Door still deploys origin blue' })
    expect(await write(20)).toMatchObject({ problem: { code: 'TRAFFIC_CONFLICT' } })
  })

  test.each<[string, object, unknown]>([
    ['one not yet deployed by name, and done by state', { deploymentStatus: 'NotStarted' }, { weightPercent: 25 }],
    ['one under way', { deploymentStatus: 'InProgress' }, { weightPercent: 25, pending: expect.any(String) }],
    ['one that is being made', { provisioningState: 'Creating' }, { weightPercent: 25, pending: expect.any(String) }],
    ['one that could not be deployed', { deploymentStatus: 'Failed' }, { kind: 'missing', why: 'refused' }],
    ['one whose change failed', { provisioningState: 'Failed' }, { kind: 'missing', why: 'refused' }],
    ['one with a weight that is none', { weight: 0 }, { kind: 'missing', why: 'bad-answer' }],
    ['one without a state', { enabledState: undefined }, { kind: 'missing', why: 'bad-answer' }],
  ])('the reading of %s', async (_, parts, want) => {
    azure.setWeights('checkout', 75, 25)
    Object.assign(properties('green'), parts)
    const reading = await read()
    expect(reading).toMatchObject(want as object)
    expect(reading?.kind === 'weight' && 'pending' in reading).toBe('pending' in (want as object))
  })

  test('a change that Front Door could not deploy is written again', async () => {
    azure.setWeights('checkout', 60, 40)
    await write(0)
    properties('green').provisioningState = 'Failed'
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(changes()).toEqual(['green 1 Disabled', 'green 1 Disabled'])
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
  })

  test('a list that has pages is read to its end, one call of the quota a page', async () => {
    azure.pageSize = 1
    azure.setWeights('checkout', 75, 25)
    expect(await read()).toMatchObject({ weightPercent: 25 })
    expect(azure.calls).toHaveLength(2)
  })

  test('a link to another host is not followed, so the token stays here', async () => {
    const nextLink = 'https://evil.example.com/next'
    azure.failWith(() => ({ status: 200, body: { value: azure.origins('checkout'), nextLink } }))
    expect(await read()).toMatchObject({
      why: 'bad-answer',
      detail: expect.stringContaining('with a link to another host'),
    })
  })

  test.each<[string, object, string | null]>([
    ['enabled, of our priority', {}, 'TRAFFIC_WRONG_TYPE'],
    ['enabled, before ours', { priority: 1 }, 'TRAFFIC_WRONG_TYPE'],
    ['enabled, in reserve', { priority: 3 }, null],
    ['disabled', { enabledState: 'Disabled' }, null],
  ])('a third origin that is %s', async (_, parts, code) => {
    azure.setWeights('checkout', 75, 25)
    for (const side of ['blue', 'green']) properties(side).priority = 2
    addThird(parts)
    expect(await read()).toMatchObject(code === null ? { weightPercent: 25 } : { kind: 'missing', why: 'refused' })
    expect(await write(30)).toMatchObject(code === null ? { kind: 'applied' } : { problem: { code } })
    expect(await inspect()).toMatchObject(code === null ? [] : [{ level: 'fail', problem: { code } }])
  })

  test('two origins of different priorities have no share; a way down to 0 is written all the same', async () => {
    azure.setWeights('checkout', 75, 25)
    properties('green').priority = 2
    expect(await read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining('green has 2') })
    expect(await write(30)).toMatchObject({ problem: { code: 'TRAFFIC_UNEQUAL' } })
    expect(await inspect()).toMatchObject([{ level: 'fail', problem: { code: 'TRAFFIC_UNEQUAL' } }])
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test.each<[string, object, object, number | null, string[]]>([
    ['OLD without a weight, NEW disabled', { weight: null }, { enabledState: 'Disabled' }, 0, ['green 1000 Enabled']],
    ['NEW without one, alone', { enabledState: 'Disabled' }, { weight: null }, 100, ['blue 1000 Enabled']],
    ['both without one', { weight: null }, { weight: null }, null, ['blue 1000 Enabled', 'green 1000 Enabled']],
  ])('%s', async (_, old, fresh, percent, want) => {
    azure.setWeights('checkout', 75, 25)
    Object.assign(properties('blue'), old)
    Object.assign(properties('green'), fresh)
    expect(await read()).toMatchObject(percent === null ? { why: 'refused' } : { weightPercent: percent })
    expect(await write(50)).toEqual({ kind: 'applied' })
    expect(changes()).toEqual(expect.arrayContaining(want))
    expect(await read()).toMatchObject({ weightPercent: 50 })
  })

  test('a way down to 0 leaves alone a weight of OLD that is not known', async () => {
    azure.setWeights('checkout', 75, 25)
    Object.assign(properties('blue'), { weight: null, priority: null })
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(changes()).toEqual(['green 1 Disabled'])
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('an odd origin of somebody else counts as a third, and hinders no way down', async () => {
    azure.setWeights('checkout', 75, 25)
    addThird({ enabledState: null, weight: -1, provisioningState: null })
    expect(await read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining('origin red') })
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('a change that failed is written again without a weight where there was none', async () => {
    Object.assign(properties('blue'), { weight: null, deploymentStatus: 'Failed' })
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(azure.bodies.at(-1)).toEqual({ properties: { enabledState: 'Enabled' } })
  })

  test('two origins without a priority have the same one', async () => {
    azure.setWeights('checkout', 75, 25)
    for (const side of ['blue', 'green']) Object.assign(properties(side), { priority: null })
    expect(await read()).toMatchObject({ weightPercent: 25 })
    addThird({ priority: 5 })
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
  })

  test('both disabled: nothing is served', async () => {
    azure.setWeights('checkout', 0, 0)
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
  })

  test('a look at the group warns of what keeps weights from being shares', async () => {
    expect(await inspect()).toEqual([])
    azure.group('checkout').properties.loadBalancingSettings = {}
    azure.group('checkout').properties.sessionAffinityState = 'Enabled'
    expect(await inspect()).toMatchObject([
      {
        targetId: 'a',
        level: 'warn',
        problem: { code: 'TRAFFIC_BY_LATENCY', cause: expect.stringContaining('50 ms') },
      },
      { targetId: 'a', level: 'warn', problem: { code: 'TRAFFIC_STICKY' } },
    ])
    expect(changes()).toEqual([])
  })

  test('an origin that is not there fails alone', async () => {
    const other = openOne({ old: 'purple' })
    expect(await read(other)).toMatchObject({ why: 'empty', detail: expect.stringContaining('no origin purple') })
    await other.close()
  })
})

describe('the weights', () => {
  const weight = fc.integer({ min: 0, max: 1000 })
  const now = fc.record({ old: weight, new: weight })
  const percent = fc.integer({ min: 0, max: 1000 }).map((permille) => permille / 10)

  test('have the share that was asked for, within bounds, whatever they were', () => {
    fc.assert(
      fc.property(now, percent, (before, want) => {
        const next = nextWeights(before, want)
        expect(sharePercent(next)).toBe(want)
        for (const side of [next.old, next.new]) expect(Number.isInteger(side) && side >= 0 && side <= 1000).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('of all steps on one side of the half, one origin moves', () => {
    let weights = nextWeights({ old: 1, new: 0 }, 0.1)
    for (let permille = 2; permille <= 500; permille++) {
      const next = nextWeights(weights, permille / 10)
      expect(next.old).toBe(1000)
      weights = next
    }
    for (let permille = 501; permille <= 1000; permille++) {
      const next = nextWeights(weights, permille / 10)
      expect(next.new).toBe(1000)
      weights = next
    }
    expect(weights).toEqual({ old: 0, new: 1000 })
  })
})

describe('the kind', () => {
  test('its scope and place are the same whatever their case', () => {
    const [a, b] = [settings('Checkout'), settings('checkout')]
    expect([azureFrontDoor.scopeOf(a), azureFrontDoor.placeOf(a)]).toEqual([
      azureFrontDoor.scopeOf(b),
      azureFrontDoor.placeOf(b),
    ])
  })

  test('the least privileges are a custom role in the resource groups', () => {
    const targets = [{ id: 'x', settings: settings('x') }]
    expect(azureFrontDoor.privilegesFor(targets, account('https://management.azure.com'))).toMatchObject([
      {
        format: 'json',
        document: {
          Actions: [
            'Microsoft.Cdn/profiles/originGroups/read',
            'Microsoft.Cdn/profiles/originGroups/origins/read',
            'Microsoft.Cdn/profiles/originGroups/origins/write',
          ],
          AssignableScopes: [`/subscriptions/${SUBSCRIPTION}/resourceGroups/edge`],
        },
      },
    ])
  })

  test('one origin twice is refused, and its timing is minutes', () => {
    const place = { resourceGroup: 'edge', profile: 'shop', originGroup: 'checkout' }
    expect(azureFrontDoor.settings.safeParse({ ...place, old: 'blue', new: 'Blue' }).success).toBe(false)
    expect(azureFrontDoor.timingOf(settings('x'))).toEqual({ propagationSeconds: 1200, movingTtlSeconds: null })
  })
})

function weightIn(change: string): number {
  return change.endsWith('Disabled') ? 0 : Number(change.split(' ')[1])
}

function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}
