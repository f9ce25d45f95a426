import type { Endpoint, Profile } from '@azure/arm-trafficmanager'
import { type Arm, type ArmAnswer, type ArmRequest, armError, RESOURCE_GROUP, SUBSCRIPTION, startArm } from './azure.ts'

type Inner<T> = Omit<T, 'id' | 'name' | 'type' | 'location' | 'tags'>

/** As they go over the wire: the SDK flattens `properties`. */
export interface WireEndpoint extends Pick<Endpoint, 'id' | 'name' | 'type'> {
  properties: Inner<Endpoint>
}
export interface WireProfile extends Pick<Profile, 'id' | 'name' | 'type' | 'location' | 'tags'> {
  properties: Omit<Inner<Profile>, 'endpoints'> & { endpoints: WireEndpoint[] }
}

/** Traffic Manager, in this process, with one profile for each name. */
export interface FakeTrafficManager extends Arm {
  profile(name: string): WireProfile
  endpoint(profile: string, endpoint: string): WireEndpoint
  setWeights(profile: string, old: number, fresh: number): void
}

/** OLD is `blue`, NEW is `green`; at first NEW is disabled. */
export async function startTrafficManager(token: string, names: readonly string[]): Promise<FakeTrafficManager> {
  const profiles = new Map(names.map((name) => [name.toLowerCase(), newProfile(name)]))
  const arm = await startArm(token, '2022-04-01', (request) => handle(profiles, request))
  const profile = (name: string) => {
    const found = profiles.get(name)
    if (!found) throw new Error(`no profile ${name}`)
    return found
  }
  const endpoint = (profileName: string, name: string) => {
    const found = profile(profileName).properties.endpoints.find((one) => one.name === name)
    if (!found) throw new Error(`no endpoint ${name}`)
    return found
  }
  return {
    ...arm,
    profile,
    endpoint,
    setWeights(name, old, fresh) {
      for (const [side, weight] of [['blue', old] as const, ['green', fresh] as const]) {
        const { properties } = endpoint(name, side)
        properties.endpointStatus = weight === 0 ? 'Disabled' : 'Enabled'
        properties.weight = Math.max(1, weight)
      }
    },
  }
}

function newProfile(name: string): WireProfile {
  const id =
    `/subscriptions/${SUBSCRIPTION}/resourceGroups/${RESOURCE_GROUP}` +
    `/providers/Microsoft.Network/trafficManagerProfiles/${name}`
  const external = (endpoint: string, status: string): WireEndpoint => ({
    id: `${id}/externalEndpoints/${endpoint}`,
    name: endpoint,
    type: 'Microsoft.Network/trafficManagerProfiles/externalEndpoints',
    properties: {
      target: `${endpoint}.example.com`,
      endpointStatus: status,
      endpointMonitorStatus: status === 'Enabled' ? 'Online' : 'Disabled',
      weight: 1,
      priority: endpoint === 'blue' ? 1 : 2,
      endpointLocation: 'West Europe',
      customHeaders: [{ name: 'host', value: `${name}.example.com` }],
      alwaysServe: 'Disabled',
    },
  })
  return {
    id,
    name,
    type: 'Microsoft.Network/trafficManagerProfiles',
    location: 'global',
    tags: { team: 'edge' },
    properties: {
      profileStatus: 'Enabled',
      trafficRoutingMethod: 'Weighted',
      dnsConfig: { relativeName: name, fqdn: `${name}.trafficmanager.net`, ttl: 300 },
      monitorConfig: { profileMonitorStatus: 'Online', protocol: 'HTTPS', port: 443, path: '/healthz' },
      endpoints: [external('blue', 'Enabled'), external('green', 'Disabled')],
    },
  }
}

const PROFILE_PATH = /^\/providers\/Microsoft\.Network\/trafficmanagerprofiles\/([^/]+)$/i

function handle(profiles: ReadonlyMap<string, WireProfile>, { method, path, body }: ArmRequest): ArmAnswer {
  const profile = profiles.get(PROFILE_PATH.exec(path)?.[1]?.toLowerCase() ?? '')
  if (!profile) return armError(404, 'ResourceNotFound')
  if (method === 'PATCH') {
    const why = patch(profile, body as Partial<WireProfile>)
    if (why !== null) return armError(400, 'BadRequest', why)
  } else if (method !== 'GET') return armError(405, 'MethodNotAllowed')
  return { status: 200, body: profile }
}

/** Replaces what the patch names: a list of endpoints as a whole. Returns why it is refused, or null. */
function patch(profile: WireProfile, { properties = { endpoints: [] } }: Partial<WireProfile>): string | null {
  const { endpoints, dnsConfig } = properties
  const known = new Set(profile.properties.endpoints.map(({ id }) => id))
  for (const { id, name, type, properties: one } of endpoints) {
    if (!known.has(id) || name === undefined || type === undefined)
      return `The endpoint ${name} is not that of the profile.`
    if (one.target === undefined) return `The endpoint ${name} has no target.`
    if (one.weight === undefined || one.weight < 1 || one.weight > 1000)
      return `The weight of ${name} is not 1 to 1000.`
    if (one.endpointMonitorStatus !== undefined) return 'The monitor status is read-only here.'
  }
  const before = profile.properties.endpoints
  profile.properties.endpoints = endpoints.map((endpoint) => ({
    ...endpoint,
    properties: { ...endpoint.properties, endpointMonitorStatus: monitored(endpoint, before) },
  }))
  if (dnsConfig) profile.properties.dnsConfig = { fqdn: `${profile.name}.trafficmanager.net`, ...dnsConfig }
  return null
}

/** An endpoint that was enabled before keeps its health; a new one is well at once. */
function monitored({ id, properties }: WireEndpoint, before: readonly WireEndpoint[]): string {
  if (properties.endpointStatus === 'Disabled') return 'Disabled'
  const last = before.find((one) => one.id === id)?.properties.endpointMonitorStatus ?? 'Online'
  return last === 'Disabled' ? 'Online' : last
}
