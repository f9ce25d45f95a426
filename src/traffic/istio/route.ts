import { z } from 'zod'
import { Problem, problem } from '../../core/problem.ts'
import { metadataSchema, nameOf, type Resource, type RouteKind } from '../kubernetes/route.ts'
import type { Backend, Split } from '../kubernetes/split.ts'
import type { DestinationSettings, IstioSettings } from './settings.ts'

const destinationSchema = z.object({
  destination: z.object({
    host: z.string(),
    subset: z.string().optional(),
    port: z.object({ number: z.int().optional() }).optional(),
  }),
  weight: z.int().min(0).optional(),
})

const httpRouteSchema = z.object({
  name: z.string().optional(),
  route: z.array(destinationSchema).default([]),
})

const virtualServiceSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ http: z.array(httpRouteSchema).default([]) }),
})

type VirtualService = z.output<typeof virtualServiceSchema>
type HttpRoute = z.output<typeof httpRouteSchema>
type Destination = z.output<typeof destinationSchema>

/** The http routes of a VirtualService. Istio says nothing of when its proxies have taken them. */
export const virtualService: RouteKind<IstioSettings, VirtualService> = {
  resourceOf,
  schema: virtualServiceSchema,
  splitIn,
  standingOf: () => ({ rejected: null, unresolved: null, pending: null }),
  weightsPath: '.spec.http[].route[].weight',
  listPointer: '/spec/http',
}

export function resourceOf({ namespace, virtualService: name }: IstioSettings): Resource {
  return {
    group: 'networking.istio.io',
    version: 'v1',
    plural: 'virtualservices',
    kind: 'VirtualService',
    namespace,
    name,
  }
}

function splitIn({ spec }: VirtualService, settings: IstioSettings): Split | Problem {
  const name = nameOf(resourceOf(settings))
  const found = routeIn(spec.http, settings.route, name)
  if (found instanceof Problem) return found
  const { index, route } = found
  const place = `http route ${route.name ?? index} of ${name}`
  if (route.route.length === 0)
    return problem('TRAFFIC_WRONG_TYPE', `${place} has no destinations: it redirects, delegates or answers itself`, {
      hint: 'name a route that has destinations',
    })
  const old = sideIn(route, settings.old, place)
  if (old instanceof Problem) return old
  if (old.index === null)
    return problem('TRAFFIC_NOT_FOUND', `${place} has no destination ${textOf(settings.old)}`, {
      hint: 'name in `old` the destination that serves now, with host, subset and port as written there',
    })
  const fresh = sideIn(route, settings.new, place)
  if (fresh instanceof Problem) return fresh
  const others = route.route.filter((one, at) => at !== old.index && at !== fresh.index && (one.weight ?? 0) > 0)
  if (others.length > 0)
    return problem('TRAFFIC_WRONG_TYPE', `${place} also sends to ${others.map(hostOf).join(', ')}`, {
      hint: 'give every destination but the two the weight 0, or remove it',
    })
  return { pointer: `/spec/http/${index}/route`, sides: { old, new: fresh } }
}

function routeIn(
  routes: readonly HttpRoute[],
  wanted: string | number | null,
  name: string,
): { index: number; route: HttpRoute } | Problem {
  if (routes.length === 0)
    return problem('TRAFFIC_WRONG_TYPE', `${name} has no http routes`, { hint: 'tcp and tls routes are not supported' })
  if (wanted === null && routes.length > 1)
    return problem('TRAFFIC_NOT_FOUND', `${name} has ${routes.length} http routes`, {
      hint: 'say which of them with `route`',
    })
  const index = typeof wanted === 'string' ? routes.findIndex((route) => route.name === wanted) : (wanted ?? 0)
  const route = routes[index]
  return route === undefined ? problem('TRAFFIC_NOT_FOUND', `${name} has no http route ${wanted}`) : { index, route }
}

function sideIn({ route }: HttpRoute, side: DestinationSettings, place: string): Backend | Problem {
  const matching = route.flatMap((one, index) => (isOf(one, side) ? [{ one, index }] : []))
  if (matching.length > 1)
    return problem('TRAFFIC_WRONG_TYPE', `${place} has ${matching.length} destinations ${textOf(side)}`, {
      hint: 'say which of them by its port, or make them one',
    })
  const [only] = matching
  const entry = { destination: entryOf(side) }
  if (only === undefined) return { index: null, weight: 0, writtenWeight: null, entry }
  const writtenWeight = only.one.weight ?? null
  // A destination that is alone gets everything, whatever its weight; among others one without a weight gets nothing.
  return { index: only.index, weight: route.length === 1 ? 100 : (writtenWeight ?? 0), writtenWeight, entry }
}

function isOf({ destination }: Destination, side: DestinationSettings): boolean {
  return (
    destination.host === side.host &&
    (destination.subset ?? null) === side.subset &&
    (side.port === null || destination.port?.number === side.port)
  )
}

function entryOf({ host, subset, port }: DestinationSettings): Record<string, unknown> {
  return { host, ...(subset !== null && { subset }), ...(port !== null && { port: { number: port } }) }
}

function textOf({ host, subset }: DestinationSettings): string {
  return subset === null ? host : `${host}/${subset}`
}

function hostOf({ destination: { host, subset } }: Destination): string {
  return subset === undefined ? host : `${host}/${subset}`
}
