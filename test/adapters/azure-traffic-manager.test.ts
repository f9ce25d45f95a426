import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { azureTrafficManager } from '../../src/traffic/azure-traffic-manager/kind.ts'
import { trafficManagerAccount } from '../../src/traffic/azure-traffic-manager/settings.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { RESOURCE_GROUP, SUBSCRIPTION } from '../fakes/azure.ts'
import { type FakeTrafficManager, startTrafficManager } from '../fakes/azure-traffic-manager.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { combinedScope } from '../support/combined-scope.ts'

const CANARY = 'canary-77aa1'

function settings(profile: string) {
  return azureTrafficManager.settings.parse({ resourceGroup: RESOURCE_GROUP, profile, old: 'blue', new: 'green' })
}

function account(url: string, parts: object = {}) {
  return trafficManagerAccount.parse({
    subscription: SUBSCRIPTION,
    token: '${env:ARM_TOKEN}',
    endpoint: url,
    quota: { burst: 1000 },
    ...parts,
  })
}

function open(url: string) {
  const targets = TARGET_IDS.map((id) => ({ id, settings: settings(id) }))
  return combinedScope(azureTrafficManager, targets, account(url), adapterContext({ ARM_TOKEN: CANARY }))
}

trafficConformance('azure-traffic-manager', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const azure = await startTrafficManager(CANARY, ['a', 'b', 'c'])
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

describe('a profile of Traffic Manager', () => {
  let azure: FakeTrafficManager
  let scope: TrafficScope
  beforeEach(async () => {
    azure = await startTrafficManager(CANARY, ['checkout'])
    scope = openOne()
  })
  afterEach(async () => {
    await scope.close()
    await azure.stop()
  })

  const openOne = (parts: object = {}) => {
    const target = { id: 'a', settings: { ...settings('checkout'), ...parts } }
    return azureTrafficManager.open([target], account(azure.url), adapterContext({ ARM_TOKEN: CANARY }))
  }
  const read = async (from = scope) => (await from.read(['a'], anyLongWhile())).get('a')
  const write = async (weightPercent: number, ttlSeconds: number | null = null) => {
    const change = { targetId: 'a', weightPercent, ttlSeconds, urgency: 'forward' as const }
    return (await scope.write([change], anyLongWhile())).get('a')
  }
  const patches = () => azure.calls.filter((call) => call.startsWith('PATCH')).length
  const status = (endpoint: string) => azure.endpoint('checkout', endpoint).properties
  const addThird = (endpointStatus: string) => {
    const third = structuredClone(azure.endpoint('checkout', 'blue'))
    Object.assign(third, { id: `${third.id}-2`, name: 'red' })
    third.properties.endpointStatus = endpointStatus
    azure.profile('checkout').properties.endpoints.push(third)
  }

  test('a write is a read and one PATCH of the whole list, which changes weights and nothing else', async () => {
    addThird('Disabled')
    const before = structuredClone(azure.profile('checkout'))
    await write(25)
    const path = '/providers/Microsoft.Network/trafficmanagerprofiles/checkout'
    expect(azure.calls).toEqual([`GET ${path}`, `PATCH ${path}`])
    const [blue, green, red] = before.properties.endpoints
    expect(azure.profile('checkout')).toEqual({
      ...before,
      properties: {
        ...before.properties,
        endpoints: [
          { ...blue, properties: { ...blue?.properties, weight: 75 } },
          {
            ...green,
            properties: {
              ...green?.properties,
              weight: 25,
              endpointStatus: 'Enabled',
              endpointMonitorStatus: 'Online',
            },
          },
          { ...red, properties: { ...red?.properties, endpointMonitorStatus: 'Disabled' } },
        ],
      },
    })
    expect(Object.keys(azure.bodies[1] as object)).toEqual(['properties'])
    expect(azure.bodies[1]).not.toHaveProperty('properties.dnsConfig')
  })

  test.each([
    [0, 'Enabled', 'Disabled'],
    [0.1, 'Enabled', 'Enabled'],
    [99.9, 'Enabled', 'Enabled'],
    [100, 'Disabled', 'Enabled'],
  ])('at %d %% OLD is %s and NEW is %s', async (percent, old, fresh) => {
    azure.setWeights('checkout', 1, 1)
    await write(percent)
    expect([status('blue').endpointStatus, status('green').endpointStatus]).toEqual([old, fresh])
  })

  test('a disabled endpoint is left with the least weight', async () => {
    await write(50)
    await write(0)
    expect(status('green')).toMatchObject({ endpointStatus: 'Disabled', weight: 1 })
  })

  test('the same share in other numbers needs no write', async () => {
    azure.setWeights('checkout', 900, 100)
    expect(await write(10)).toEqual({ kind: 'applied' })
    expect(patches()).toBe(0)
  })

  test('weights and TTL go in one call; a TTL that is null or there already is left alone', async () => {
    expect(await write(10, 30)).toEqual({ kind: 'applied' })
    expect(patches()).toBe(1)
    expect(await read()).toMatchObject({ weightPercent: 10, ttlSeconds: 30 })
    await write(20)
    await write(20, 30)
    expect(await read()).toMatchObject({ weightPercent: 20, ttlSeconds: 30 })
    expect(patches()).toBe(2)
  })

  test('a TTL alone leaves the weights as somebody wrote them', async () => {
    azure.setWeights('checkout', 900, 100)
    expect(await write(10, 20)).toEqual({ kind: 'applied' })
    expect([status('blue').weight, status('green').weight]).toEqual([900, 100])
    expect(azure.profile('checkout').properties.dnsConfig).toEqual({
      relativeName: 'checkout',
      fqdn: 'checkout.trafficmanager.net',
      ttl: 20,
    })
  })

  test('names are found whatever their case', async () => {
    const loud = openOne({ profile: 'Checkout', old: 'BLUE', new: 'Green' })
    expect(await read(loud)).toMatchObject({ weightPercent: 0 })
    await loud.close()
  })

  test.each<[string, string, string, unknown]>([
    [
      'a degraded NEW',
      'Online',
      'Degraded',
      { kind: 'missing', why: 'refused', detail: expect.stringMatching(/green/) },
    ],
    [
      'a degraded OLD',
      'Degraded',
      'Online',
      { kind: 'missing', why: 'refused', detail: expect.stringMatching(/blue/) },
    ],
    ['a stopped NEW', 'Online', 'Stopped', { kind: 'missing', why: 'refused' }],
    ['an inactive OLD', 'Inactive', 'Online', { kind: 'missing', why: 'refused' }],
    ['two degraded ones, which are served as if well', 'Degraded', 'Degraded', { kind: 'weight', weightPercent: 25 }],
    ['endpoints that are always served', 'Unmonitored', 'Unmonitored', { kind: 'weight', weightPercent: 25 }],
    ['a NEW that was not probed yet', 'Online', 'CheckingEndpoint', { weightPercent: 25, pending: expect.any(String) }],
  ])('the reading of %s', async (_, old, fresh, want) => {
    azure.setWeights('checkout', 75, 25)
    status('blue').endpointMonitorStatus = old
    status('green').endpointMonitorStatus = fresh
    expect(await read()).toMatchObject(want as object)
  })

  test('with NEW disabled, a degraded OLD is served all the same', async () => {
    status('blue').endpointMonitorStatus = 'Degraded'
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0, ttlSeconds: 300 })
  })

  test('with both disabled nothing is served, and a way down enables OLD', async () => {
    azure.setWeights('checkout', 0, 0)
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test.each<[string, () => void]>([
    [
      'that routes by priority',
      () => {
        azure.profile('checkout').properties.trafficRoutingMethod = 'Priority'
      },
    ],
    ['with a third endpoint', () => addThird('Enabled')],
    [
      'with two endpoints of one name',
      () => {
        addThird('Disabled')
        const last = azure.profile('checkout').properties.endpoints.at(-1)
        if (last) last.name = 'green'
      },
    ],
  ])('a profile %s takes no weight', async (_, spoil) => {
    azure.setWeights('checkout', 75, 25)
    spoil()
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
    expect(await write(30)).toMatchObject({ problem: { code: 'TRAFFIC_WRONG_TYPE' } })
    expect(patches()).toBe(0)
    const found = await scope.inspect(['a'], anyLongWhile())
    expect(found).toMatchObject([{ targetId: 'a', level: 'fail', problem: { code: 'TRAFFIC_WRONG_TYPE' } }])
  })

  test('a way down to 0 is written and confirmed, whatever else the profile does', async () => {
    azure.setWeights('checkout', 75, 25)
    azure.profile('checkout').properties.trafficRoutingMethod = 'Performance'
    addThird('Enabled')
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
    expect(azure.endpoint('checkout', 'red').properties.endpointStatus).toBe('Enabled')
  })

  test('an odd endpoint of somebody else counts as a third, and hinders no way down', async () => {
    azure.setWeights('checkout', 75, 25)
    addThird('Resting')
    expect(await read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining('endpoint red') })
    expect(await write(0)).toEqual({ kind: 'applied' })
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('a profile that is disabled, an endpoint that is not there and a weight that is none are told', async () => {
    azure.profile('checkout').properties.profileStatus = 'Disabled'
    expect(await read()).toMatchObject({ why: 'refused', detail: expect.stringContaining('is disabled') })
    const other = openOne({ new: 'purple' })
    expect(await read(other)).toMatchObject({ why: 'empty', detail: expect.stringContaining('no endpoint purple') })
    status('green').weight = 0
    expect(await read()).toMatchObject({ why: 'bad-answer' })
    await other.close()
  })

  test('a profile of Azure Kubernetes Fleet Manager has another writer', async () => {
    azure.profile('checkout').tags = { 'networking.fleet.azure.com.trafficManagerProfile': 'shop/checkout' }
    expect(await read()).toMatchObject({ otherWriter: expect.stringContaining('TrafficManagerProfile shop/checkout') })
    expect(await scope.inspect(['a'], anyLongWhile())).toMatchObject([
      { level: 'warn', problem: { code: 'TRAFFIC_OTHER_WRITER' } },
    ])
  })

  test('all is well: nothing is found; all degraded: a warning', async () => {
    expect(await scope.inspect(['a'], anyLongWhile())).toEqual([])
    status('blue').endpointMonitorStatus = 'Degraded'
    expect(await scope.inspect(['a'], anyLongWhile())).toMatchObject([{ level: 'warn' }])
    expect(patches()).toBe(0)
  })

  test('one PATCH a write: the revert goes, what has no room is deferred', async () => {
    azure.setWeights('checkout', 75, 25)
    const targets = ['a', 'b'].map((id) => ({ id, settings: settings('checkout') }))
    const both = azureTrafficManager.open(targets, account(azure.url), adapterContext({ ARM_TOKEN: CANARY }))
    const results = await both.write(
      [
        { targetId: 'b', weightPercent: 30, ttlSeconds: null, urgency: 'forward' },
        { targetId: 'a', weightPercent: 0, ttlSeconds: null, urgency: 'revert' },
      ],
      anyLongWhile(),
    )
    expect(Object.fromEntries(results)).toEqual({ a: { kind: 'applied' }, b: { kind: 'deferred' } })
    expect(await read()).toMatchObject({ weightPercent: 0 })
    await both.close()
  })
})

describe('the kind', () => {
  test('its scope and place are the same whatever their case', () => {
    const [a, b] = [settings('Checkout'), settings('checkout')]
    expect([azureTrafficManager.scopeOf(a), azureTrafficManager.placeOf(a)]).toEqual([
      azureTrafficManager.scopeOf(b),
      azureTrafficManager.placeOf(b),
    ])
  })

  test('the least privileges are a custom role in the resource groups', () => {
    const targets = ['x', 'y'].map((id) => ({ id, settings: settings(id) }))
    expect(azureTrafficManager.privilegesFor(targets, account('https://management.azure.com'))).toEqual([
      {
        title: 'Azure custom role of the identity that Headgate runs with: Headgate: Traffic Manager',
        format: 'json',
        document: {
          Name: 'Headgate: Traffic Manager',
          IsCustom: true,
          Description: 'Lets Headgate read and set the weights and the TTL of Traffic Manager profiles.',
          Actions: ['Microsoft.Network/trafficManagerProfiles/read', 'Microsoft.Network/trafficManagerProfiles/write'],
          NotActions: [],
          AssignableScopes: [`/subscriptions/${SUBSCRIPTION}/resourceGroups/edge`],
        },
      },
    ])
  })

  test.each<[string, object, boolean]>([
    ['the least', {}, true],
    ['one endpoint twice', { new: 'Blue' }, false],
    ['a path for a name', { profile: 'a/b' }, false],
    ['a way up', { profile: '..' }, false],
    ['an empty name', { old: '' }, false],
    ['a TTL of nothing', { ttl: '0s' }, false],
  ])('settings: %s', (_, parts, isGood) => {
    const place = { resourceGroup: 'edge', profile: 'checkout', old: 'blue', new: 'green' }
    expect(azureTrafficManager.settings.safeParse({ ...place, ...parts }).success).toBe(isGood)
  })

  test('its timing is what Azure says, unless the settings do', () => {
    expect(azureTrafficManager.timingOf(settings('x'))).toEqual({ propagationSeconds: 60, movingTtlSeconds: 20 })
    const place = { resourceGroup: 'edge', profile: 'checkout', old: 'blue', new: 'green' }
    const kept = azureTrafficManager.settings.parse({ ...place, ttl: 'keep', propagation: '2m' })
    expect(azureTrafficManager.timingOf(kept)).toEqual({ propagationSeconds: 120, movingTtlSeconds: null })
  })
})

function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}
