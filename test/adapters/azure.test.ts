import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { azureAccount } from '../../src/traffic/azure.ts'
import { azureProblem } from '../../src/traffic/azure-call.ts'
import { azureFrontDoor } from '../../src/traffic/azure-front-door/kind.ts'
import { frontDoorAccount } from '../../src/traffic/azure-front-door/settings.ts'
import { azureTrafficManager } from '../../src/traffic/azure-traffic-manager/kind.ts'
import { trafficManagerAccount } from '../../src/traffic/azure-traffic-manager/settings.ts'
import { type Arm, type ArmAnswer, armError, type Fault, RESOURCE_GROUP, SUBSCRIPTION } from '../fakes/azure.ts'
import { startFrontDoor } from '../fakes/azure-front-door.ts'
import { startTrafficManager } from '../fakes/azure-traffic-manager.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { until } from '../support/until.ts'

const CANARY = 'canary-b02f4'

interface Rig {
  readonly azure: Arm
  open(env?: Readonly<Record<string, string>>): TrafficScope
}

const PLACE = { resourceGroup: RESOURCE_GROUP, old: 'blue', new: 'green' }

const RIGS: readonly [string, () => Promise<Rig>][] = [
  [
    'azure-traffic-manager',
    async () => {
      const azure = await startTrafficManager(CANARY, ['checkout'])
      const settings = azureTrafficManager.settings.parse({ ...PLACE, profile: 'checkout' })
      const account = () => trafficManagerAccount.parse(accountAt(azure.url))
      const targets = [{ id: 'a', settings }]
      return { azure, open: (env = GOOD) => azureTrafficManager.open(targets, account(), adapterContext(env)) }
    },
  ],
  [
    'azure-front-door',
    async () => {
      const azure = await startFrontDoor(CANARY, ['checkout'])
      const settings = azureFrontDoor.settings.parse({ ...PLACE, profile: 'shop', originGroup: 'checkout' })
      const account = () => frontDoorAccount.parse(accountAt(azure.url))
      const targets = [{ id: 'a', settings }]
      return { azure, open: (env = GOOD) => azureFrontDoor.open(targets, account(), adapterContext(env)) }
    },
  ],
]

const GOOD = { ARM_TOKEN: CANARY }

function accountAt(url: string) {
  return { subscription: SUBSCRIPTION, token: '${env:ARM_TOKEN}', endpoint: url }
}

function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

async function readA(scope: TrafficScope) {
  return (await scope.read(['a'], anyLongWhile())).get('a')
}

async function writeA(scope: TrafficScope, weightPercent: number, urgency: 'revert' | 'forward' = 'forward') {
  const change = { targetId: 'a', weightPercent, ttlSeconds: null, urgency }
  return (await scope.write([change], anyLongWhile())).get('a')
}

const onPatch =
  (answer: ReturnType<Fault>): Fault =>
  ({ method }) =>
    method === 'PATCH' ? answer : null

describe.each(RIGS)('%s in trouble', (_, createRig) => {
  let rig: Rig
  let scope: TrafficScope
  beforeEach(async () => {
    rig = await createRig()
    scope = rig.open()
  })
  afterEach(async () => {
    await scope.close()
    await rig.azure.stop()
  })

  test('an endpoint on this machine is asked past the proxies of the environment', async () => {
    onTestFinished(() => void vi.unstubAllEnvs())
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:1')
    const own = rig.open()
    expect(await readA(own)).not.toMatchObject({ kind: 'missing' })
    await own.close()
  })

  test.each<[string, ArmAnswer | 'reset' | 'endless', string, string]>([
    ['a wrong token', armError(401, 'InvalidAuthenticationToken'), 'TRAFFIC_NO_CREDENTIALS', 'refused'],
    ['an identity without the role', armError(403, 'AuthorizationFailed'), 'TRAFFIC_FORBIDDEN', 'refused'],
    ['a profile that is gone', armError(404, 'ResourceNotFound'), 'TRAFFIC_NOT_FOUND', 'empty'],
    ['another operation under way', armError(409, 'Conflict'), 'TRAFFIC_CONFLICT', 'refused'],
    ['a read-only lock', armError(409, 'ScopeLocked'), 'TRAFFIC_FORBIDDEN', 'refused'],
    ['a subscription that ran out', armError(409, 'ReadOnlyDisabledSubscription'), 'TRAFFIC_FORBIDDEN', 'refused'],
    ['a precondition that fails', armError(412, 'PreconditionFailed'), 'TRAFFIC_CONFLICT', 'refused'],
    ['too many calls', armError(429, 'SubscriptionRequestsThrottled'), 'TRAFFIC_THROTTLED', 'refused'],
    ['a bad request', armError(400, 'BadRequest'), 'TRAFFIC_REFUSED', 'refused'],
    ['a fault of Azure', armError(500, 'InternalServerError'), 'TRAFFIC_REFUSED', 'refused'],
    ['an overloaded Azure', armError(503, 'ServerBusy'), 'TRAFFIC_UNREACHABLE', 'unreachable'],
    ['an error in words', { status: 502, text: '<html>bad gateway' }, 'TRAFFIC_UNREACHABLE', 'unreachable'],
    ['half of an answer', { status: 200, text: '{"properties": {' }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['another API', { status: 200, body: { data: [] } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a list for an object', { status: 200, body: [] }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['nothing', { status: 200 }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['an answer without end', 'endless', 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a connection that ends', 'reset', 'TRAFFIC_UNREACHABLE', 'unreachable'],
  ])('%s is told as what it is, and nothing is written', async (_, answer, code, why) => {
    rig.azure.failWith(() => answer)
    // Scopes of their own: a quota that Azure says is used up would keep the next call waiting.
    const others = [rig.open(), rig.open(), rig.open()] as const
    expect(await readA(scope)).toMatchObject({ kind: 'missing', why })
    expect(await writeA(others[0], 10)).toMatchObject({ kind: 'failed', problem: { code } })
    expect(await others[1].inspect(['a'], anyLongWhile())).toMatchObject([{ level: 'fail', problem: { code } }])
    rig.azure.failWith(null)
    expect(rig.azure.calls.filter((call) => call.startsWith('PATCH'))).toEqual([])
    expect(await readA(others[2])).toMatchObject({ weightPercent: 0 })
    await Promise.all(others.map((other) => other.close()))
  })

  test.each<[string, ArmAnswer | 'reset', string]>([
    ['refused', armError(403, 'AuthorizationFailed'), 'TRAFFIC_FORBIDDEN'],
    ['throttled', armError(429, 'SubscriptionRequestsThrottled'), 'TRAFFIC_THROTTLED'],
    ['cut off', 'reset', 'TRAFFIC_UNREACHABLE'],
  ])('a change that is %s is tried once, and leaves the weight', async (_, answer, code) => {
    rig.azure.failWith(onPatch(answer))
    expect(await writeA(scope, 10)).toMatchObject({ problem: { code } })
    expect(rig.azure.calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(1)
    rig.azure.failWith(null)
    const other = rig.open()
    expect(await readA(other)).toMatchObject({ weightPercent: 0 })
    expect(await writeA(other, 10)).toEqual({ kind: 'applied' })
    expect(await readA(other)).toMatchObject({ weightPercent: 10 })
    await other.close()
  })

  test('a change that is not answered is given up with the signal, and the next one goes through', async () => {
    rig.azure.failWith(onPatch('hang'))
    const deadline = new AbortController()
    const change = { targetId: 'a', weightPercent: 10, ttlSeconds: null, urgency: 'revert' as const }
    const writing = scope.write([change], deadline.signal)
    await until('the PATCH', () => rig.azure.calls.some((call) => call.startsWith('PATCH')))
    deadline.abort()
    expect((await writing).get('a')).toMatchObject({ problem: { code: 'TRAFFIC_TIMEOUT' } })
    rig.azure.failWith(null)
    expect(await readA(scope)).toMatchObject({ weightPercent: 0 })
    expect(await writeA(scope, 10)).toEqual({ kind: 'applied' })
    expect(await readA(scope)).toMatchObject({ weightPercent: 10 })
  })

  test('after a refusal for the rate the quota is empty', async () => {
    rig.azure.failWith(() => armError(429, 'SubscriptionRequestsThrottled'))
    await readA(scope)
    expect(await scope.quota?.take('read', AbortSignal.timeout(1))).toBe(false)
  })

  test('a read takes one call of the quota, a write takes those after its first change', async () => {
    let taken = 0
    const { quota } = scope
    if (quota === null) throw new Error('Azure has quotas')
    const take = quota.take.bind(quota)
    quota.take = (use, signal) => {
      taken += 1
      return take(use, signal)
    }
    await readA(scope)
    expect(taken).toBe(1)
    rig.azure.calls.length = 0
    taken = 0
    await writeA(scope, 10)
    expect(taken).toBe(rig.azure.calls.length - 1)
  })

  test('a redirect is not followed, so the token stays here', async () => {
    const other: string[] = []
    const server = createServer((request, response) => {
      other.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    rig.azure.failWith(() => ({ status: 307, headers: { location: `http://127.0.0.1:${port}/` } }))
    expect(await readA(scope)).toMatchObject({ why: 'bad-answer' })
    expect(other).toEqual([])
    await new Promise((resolve) => server.close(resolve))
  })

  test('a token that Azure repeats is struck out', async () => {
    rig.azure.failWith((_request, authorization) => armError(403, 'AuthorizationFailed', `${authorization} may not.`))
    expect(await writeA(scope, 10)).toMatchObject({
      problem: { cause: expect.stringContaining('AuthorizationFailed: Bearer *** may not.') },
    })
    expect(JSON.stringify([await readA(scope), await writeA(scope, 10)])).not.toContain(CANARY)
  })

  test('a token that cannot be found fails the call, and names its reference only', async () => {
    const poor = rig.open({})
    expect(await writeA(poor, 10)).toMatchObject({
      problem: { code: 'CONFIG_SECRET_UNRESOLVED', cause: '${env:ARM_TOKEN} is not set' },
    })
    await poor.close()
  })

  test('a token is read anew for each call', async () => {
    const env = { ARM_TOKEN: 'stale' }
    const other = rig.open(env)
    await scope.close()
    scope = other
    expect(await readA(other)).toMatchObject({ kind: 'missing', why: 'refused' })
    env.ARM_TOKEN = `${CANARY}\n`
    expect(await readA(other)).toMatchObject({ weightPercent: 0 })
  })
})

test.each([
  [
    'CredentialUnavailableError',
    'endpoints_resolution_error: See https://aka.ms/msal.js.errors',
    'endpoints_resolution_error',
  ],
  ['AuthenticationError', 'AADSTS7000215: Invalid client secret hush-secret provided.', 'AADSTS7000215'],
  ['AggregateAuthenticationError', 'ChainedTokenCredential authentication failed.', ''],
])('no token, for %s: the code is told, the words are not', (name, message, code) => {
  const error = Object.assign(new Error(message), { name })
  const why = azureProblem({ what: 'a call', signal: new AbortController().signal }, error, null)
  const reason = code === '' ? name : `${name}, ${code}`
  expect(why).toMatchObject({ code: 'TRAFFIC_NO_CREDENTIALS', message: `a call: no token could be had (${reason})` })
})

test('an application whose authority is away has no credentials, and its secret is not told', async () => {
  const credentials = { tenant: SUBSCRIPTION, clientId: SUBSCRIPTION, clientSecret: '${env:SECRET}' }
  const away = 'https://127.0.0.1:1'
  const account = frontDoorAccount.parse({ subscription: SUBSCRIPTION, credentials, authority: away, endpoint: away })
  const settings = azureFrontDoor.settings.parse({ ...PLACE, profile: 'shop', originGroup: 'checkout' })
  const scope = azureFrontDoor.open([{ id: 'a', settings }], account, adapterContext({ SECRET: CANARY }))
  const result = await writeA(scope, 10)
  expect(result).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_NO_CREDENTIALS' } })
  expect(JSON.stringify(result)).not.toContain(CANARY)
  await scope.close()
})

describe('the account', () => {
  const schema = azureAccount({ callsPerSecond: 6, burst: 200 })
  const id = SUBSCRIPTION
  const credentials = { tenant: id, clientId: id, clientSecret: '${env:SECRET}' }

  test.each<[string, object, boolean]>([
    ['a subscription alone', {}, true],
    ['no subscription', { subscription: undefined }, false],
    ['a name for a subscription', { subscription: 'production' }, false],
    ['an application', { credentials }, true],
    ['an application with its secret written out', { credentials: { ...credentials, clientSecret: 'hunter2' } }, false],
    ['a token', { token: '${file:/run/arm/token}' }, true],
    ['an application and a token', { credentials, token: '${env:TOKEN}' }, false],
    [
      'a sovereign cloud',
      { endpoint: 'https://management.chinacloudapi.cn', authority: 'https://login.chinacloudapi.cn' },
      true,
    ],
    ['an endpoint without TLS', { endpoint: 'http://management.internal' }, false],
    ['an endpoint without TLS on this machine', { endpoint: 'http://127.0.0.1:8080' }, true],
    ['an authority without TLS', { authority: 'http://login.internal' }, false],
    ['an authority without TLS on this machine', { authority: 'http://127.0.0.1:8080' }, false],
    ['a key that is none', { tenant: id }, false],
  ])('%s', (_, parts, isGood) => {
    expect(schema.safeParse({ subscription: id, ...parts }).success).toBe(isGood)
  })

  test('its defaults are those of the public cloud, its secrets stay references', () => {
    expect(schema.parse({ subscription: id, credentials })).toEqual({
      subscription: id,
      credentials,
      authority: 'https://login.microsoftonline.com',
      endpoint: 'https://management.azure.com',
      quota: { callsPerSecond: 6, burst: 200 },
    })
  })
})
