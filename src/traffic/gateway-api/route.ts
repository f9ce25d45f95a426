import { z } from 'zod'
import { Problem, problem } from '../../core/problem.ts'
import { metadataSchema, nameOf, type Resource, type RouteKind } from '../kubernetes/route.ts'
import type { Backend, Split } from '../kubernetes/split.ts'
import type { BackendSettings, GatewayApiSettings } from './settings.ts'
import { isMarkedRule } from './shape.ts'
import { standingOf, statusSchema } from './status.ts'

const backendRefSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  group: z.string().default(''),
  kind: z.string().default('Service'),
  port: z.int().optional(),
  weight: z.int().min(0).optional(),
})

const filterSchema = z.looseObject({
  type: z.string(),
  requestMirror: z.looseObject({ backendRef: z.record(z.string(), z.unknown()) }).exactOptional(),
})

/** The rest of a rule is kept: a rule for marked requests is a copy. */
const ruleSchema = z.looseObject({
  name: z.string().exactOptional(),
  matches: z.array(z.looseObject({ headers: z.array(z.unknown()).exactOptional() })).exactOptional(),
  filters: z.array(filterSchema).exactOptional(),
  backendRefs: z.array(backendRefSchema).default([]),
})

const routeSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ rules: z.array(ruleSchema).default([]) }),
  status: statusSchema,
})

export type GatewayRoute = z.output<typeof routeSchema>
type Rule = z.output<typeof ruleSchema>
type BackendRef = z.output<typeof backendRefSchema>

/** What a backendRef counts that says nothing of its weight. */
const DEFAULT_WEIGHT = 1

/** HTTPRoute and GRPCRoute: their rules have backends alike. */
export const gatewayRoute: RouteKind<GatewayApiSettings, GatewayRoute> = {
  resourceOf,
  schema: routeSchema,
  splitIn,
  standingOf: ({ metadata, status }) => standingOf(metadata.generation, status),
  weightsPath: '.spec.rules[].backendRefs[].weight',
  listPointer: '/spec/rules',
}

export function resourceOf({ kind, namespace, route }: GatewayApiSettings): Resource {
  const plural = kind === 'HTTPRoute' ? 'httproutes' : 'grpcroutes'
  return { group: 'gateway.networking.k8s.io', version: 'v1', plural, kind, namespace, name: route }
}

function splitIn(route: GatewayRoute, settings: GatewayApiSettings): Split | Problem {
  const name = nameOf(resourceOf(settings))
  const found = ruleIn(route.spec.rules, settings.rule, name)
  if (found instanceof Problem) return found
  const { index, rule } = found
  const place = `rule ${rule.name ?? index} of ${name}`
  const old = sideIn(rule, settings.old, settings.namespace, place)
  if (old instanceof Problem) return old
  if (old.index === null)
    return problem('TRAFFIC_NOT_FOUND', `${place} has no backend ${settings.old.name}`, {
      hint: 'name in `old` the backend that leads to the old cluster, or add it with weight 0',
    })
  const fresh = sideIn(rule, settings.new, settings.namespace, place)
  if (fresh instanceof Problem) return fresh
  if (fresh.index === null && settings.new.kind === 'Service' && settings.new.port === null)
    return problem('TRAFFIC_NOT_FOUND', `${place} has no backend ${settings.new.name}`, {
      hint: 'add it with weight 0, or give its port in `new`: then Headgate adds it',
    })
  const others = rule.backendRefs.filter((ref, at) => at !== old.index && at !== fresh.index && weightOf(ref) > 0)
  if (others.length > 0)
    return problem('TRAFFIC_WRONG_TYPE', `${place} also sends to ${others.map((ref) => ref.name).join(', ')}`, {
      hint: 'give every backend but the two the weight 0, or remove it',
    })
  return { pointer: `/spec/rules/${index}/backendRefs`, sides: { old, new: fresh } }
}

/** A target's rule, and its NEW as a trial refers to it. */
export interface Place {
  readonly index: number
  /** With all that the rule says of it, but for its weight. */
  readonly backend: Readonly<Record<string, unknown>>
  /** What a mirror may say of a backend. */
  readonly reference: Readonly<Record<string, unknown>>
}

export function placeIn({ spec }: GatewayRoute, settings: GatewayApiSettings): Place | Problem {
  const found = ruleIn(spec.rules, settings.rule, nameOf(resourceOf(settings)))
  if (found instanceof Problem) return found
  const ref = found.rule.backendRefs.find((one) => isOf(one, settings.new, settings.namespace))
  const entry = entryOf(settings.new)
  if (ref === undefined) return { index: found.index, backend: entry, reference: entry }
  const { weight: _, ...backend } = ref
  const { group, kind, name, namespace = null, port = null } = ref
  return { index: found.index, backend, reference: entryOf({ group, kind, name, namespace, port }) }
}

function ruleIn(
  rules: readonly Rule[],
  wanted: string | number | null,
  name: string,
): { index: number; rule: Rule } | Problem {
  // A rule that Headgate put there does not shift those of the config.
  const own = rules.map((rule, index) => ({ index, rule })).filter(({ rule }) => !isMarkedRule(rule.name))
  if (wanted === null && own.length > 1)
    return problem('TRAFFIC_NOT_FOUND', `${name} has ${own.length} rules`, { hint: 'say which of them with `rule`' })
  const found = typeof wanted === 'string' ? own.find(({ rule }) => rule.name === wanted) : own[wanted ?? 0]
  return found ?? problem('TRAFFIC_NOT_FOUND', `${name} has no rule${wanted === null ? '' : ` ${wanted}`}`)
}

function sideIn(rule: Rule, side: BackendSettings, namespace: string, place: string): Backend | Problem {
  const matching = rule.backendRefs.flatMap((ref, index) => (isOf(ref, side, namespace) ? [{ ref, index }] : []))
  if (matching.length > 1)
    return problem('TRAFFIC_WRONG_TYPE', `${place} has ${matching.length} backends ${side.name}`, {
      hint: 'say which of them by its port, or make them one',
    })
  const [only] = matching
  const entry = entryOf(side)
  if (only === undefined) return { index: null, weight: 0, writtenWeight: null, entry }
  return { index: only.index, weight: weightOf(only.ref), writtenWeight: only.ref.weight ?? null, entry }
}

function isOf(ref: BackendRef, side: BackendSettings, namespace: string): boolean {
  return (
    ref.name === side.name &&
    ref.group === side.group &&
    ref.kind === side.kind &&
    (ref.namespace ?? namespace) === (side.namespace ?? namespace) &&
    (side.port === null || ref.port === side.port)
  )
}

/** A backend as a route refers to it, without its weight. */
export function entryOf({ name, namespace, group, kind, port }: BackendSettings): Record<string, unknown> {
  return { group, kind, name, ...(namespace !== null && { namespace }), ...(port !== null && { port }) }
}

function weightOf({ weight }: BackendRef): number {
  return weight ?? DEFAULT_WEIGHT
}
