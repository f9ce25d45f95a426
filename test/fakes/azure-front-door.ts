import type { AFDOrigin, AFDOriginGroup, AFDOriginUpdateParameters } from '@azure/arm-cdn'
import { type Arm, type ArmAnswer, type ArmRequest, armError, RESOURCE_GROUP, SUBSCRIPTION, startArm } from './azure.ts'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
type Inner<T> = Writable<Omit<T, 'id' | 'name' | 'type' | 'systemData'>>

/** As they go over the wire: the SDK flattens `properties`. */
export interface WireOrigin extends Pick<AFDOrigin, 'id' | 'name' | 'type'> {
  readonly properties: Inner<AFDOrigin>
}
export interface WireGroup extends Pick<AFDOriginGroup, 'id' | 'name' | 'type'> {
  readonly properties: Inner<AFDOriginGroup>
}

/** A Front Door profile, in this process, with these origin groups. */
export interface FakeFrontDoor extends Arm {
  group(name: string): WireGroup
  origins(group: string): WireOrigin[]
  origin(group: string, origin: string): WireOrigin
  setWeights(group: string, old: number, fresh: number): void
  /** Whether changes stay at `Updating`, with all further changes of that origin refused. */
  isSlow: boolean
  /** How many origins a page of a list has. */
  pageSize: number
}

const PROFILE = '/providers/Microsoft.Cdn/profiles/shop'
const ROOT = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${RESOURCE_GROUP}${PROFILE}`

/** OLD is `blue`, NEW is `green`; at first NEW is disabled. */
export async function startFrontDoor(token: string, names: readonly string[]): Promise<FakeFrontDoor> {
  const groups = new Map(names.map((name) => [name, { group: newGroup(name), origins: newOrigins(name) }]))
  const arm = await startArm(token, '2024-02-01', (request) => answer(request))
  const held = (name: string) => {
    const found = groups.get(name)
    if (!found) throw new Error(`no origin group ${name}`)
    return found
  }
  const fake: FakeFrontDoor = {
    ...arm,
    isSlow: false,
    pageSize: 50,
    group: (name) => held(name).group,
    origins: (name) => held(name).origins,
    origin(group, name) {
      const found = held(group).origins.find((one) => one.name === name)
      if (!found) throw new Error(`no origin ${name}`)
      return found
    },
    setWeights(group, old, fresh) {
      for (const [side, weight] of [['blue', old] as const, ['green', fresh] as const])
        Object.assign(fake.origin(group, side).properties, {
          enabledState: weight === 0 ? 'Disabled' : 'Enabled',
          weight: Math.max(1, weight),
        })
    },
  }
  const answer = ({ method, path, query, body }: ArmRequest): ArmAnswer => {
    const match = /^\/originGroups\/([^/]+)(?:\/origins(?:\/([^/]+))?)?$/i.exec(path.slice(PROFILE.length))
    const found = groups.get(match?.[1] ?? '')
    if (!found) return armError(404, 'NotFound')
    if (!path.includes('/origins')) return { status: 200, body: found.group }
    if (match?.[2] === undefined) return page(found.origins, path, query, fake.pageSize)
    const origin = found.origins.find(({ name }) => name === match[2])
    if (!origin) return armError(404, 'NotFound')
    return method === 'PATCH'
      ? patch(origin, found.origins, body as { properties?: AFDOriginUpdateParameters }, fake.isSlow)
      : { status: 200, body: origin }
  }
  return fake
}

function page(origins: readonly WireOrigin[], path: string, query: URLSearchParams, size: number): ArmAnswer {
  const from = Number(query.get('$skipToken') ?? 0)
  const next = `https://management.azure.com/subscriptions/${SUBSCRIPTION}/resourceGroups/${RESOURCE_GROUP}${path}`
  const nextLink = `${next}?api-version=${query.get('api-version')}&$skipToken=${from + size}`
  const value = origins.slice(from, from + size)
  return { status: 200, body: { value, ...(from + size < origins.length && { nextLink }) } }
}

/** Takes the change, and carries it out later: 202, and where to ask how far it is. */
function patch(
  origin: WireOrigin,
  all: readonly WireOrigin[],
  { properties = {} }: { properties?: AFDOriginUpdateParameters },
  isSlow: boolean,
): ArmAnswer {
  if (origin.properties.provisioningState === 'Updating')
    return armError(409, 'Conflict', 'Another operation on it is in progress.')
  const { weight = 1, enabledState } = properties
  if (weight < 1 || weight > 1000) return armError(400, 'BadRequest', 'The weight is not 1 to 1000.')
  const isOther = (one: WireOrigin) => one !== origin && one.properties.enabledState === 'Enabled'
  if (enabledState === 'Disabled' && !all.some(isOther))
    return armError(400, 'BadRequest', 'One origin at least must be enabled.')
  Object.assign(origin.properties, properties, { provisioningState: isSlow ? 'Updating' : 'Succeeded' })
  const operation = `https://management.azure.com${ROOT}/operationresults/1?api-version=2024-02-01`
  return {
    status: 202,
    body: { ...origin, properties: { ...origin.properties, provisioningState: 'Updating' } },
    headers: { 'azure-asyncoperation': operation, location: operation },
  }
}

function newGroup(name: string): WireGroup {
  return {
    id: `${ROOT}/originGroups/${name}`,
    name,
    type: 'Microsoft.Cdn/profiles/originGroups',
    properties: {
      loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 1000 },
      healthProbeSettings: { probePath: '/healthz', probeRequestType: 'HEAD', probeProtocol: 'Https' },
      sessionAffinityState: 'Disabled',
      provisioningState: 'Succeeded',
      deploymentStatus: 'NotStarted',
    },
  }
}

function newOrigins(group: string): WireOrigin[] {
  return ['blue', 'green'].map((name) => ({
    id: `${ROOT}/originGroups/${group}/origins/${name}`,
    name,
    type: 'Microsoft.Cdn/profiles/originGroups/origins',
    properties: {
      originGroupName: group,
      hostName: `${name}.example.com`,
      httpPort: 80,
      httpsPort: 443,
      originHostHeader: `${group}.example.com`,
      priority: 1,
      weight: 1,
      enabledState: name === 'blue' ? 'Enabled' : 'Disabled',
      enforceCertificateNameCheck: true,
      provisioningState: 'Succeeded',
      deploymentStatus: 'NotStarted',
    },
  }))
}
