import { z } from 'zod'
import type { JsonPatch } from '../kubernetes/patch.ts'

/** A rule of a route, as far as it matters here; whatever else it has is kept. */
export interface RouteRule {
  readonly name?: string
  readonly matches?: readonly RouteMatch[]
  readonly filters?: readonly RouteFilter[]
  readonly [other: string]: unknown
}

interface RouteMatch {
  readonly headers?: readonly unknown[]
  readonly [other: string]: unknown
}

export interface RouteFilter {
  readonly type: string
  readonly requestMirror?: { readonly backendRef: Readonly<Record<string, unknown>>; readonly [other: string]: unknown }
  readonly [other: string]: unknown
}

/** How a rule that Headgate put there is known: its name is this, and that of the rule it belongs to. */
const MARKED = 'headgate-marked-'

export function isMarkedRule(name: string | undefined): boolean {
  return name?.startsWith(MARKED) ?? false
}

/**
 * Copies this share of a rule's requests (percent, 0.1 to 100) to `backend`, whose answers nobody sees; null: none any
 * more. Empty where it is so already. A mirror to another backend is left alone. The fields are those of Gateway API
 * v1.3 (GEP-3171); an older CRD drops the share, and mirrors everything: read back.
 */
export function mirrorPatch(
  rules: readonly RouteRule[],
  index: number,
  backend: Readonly<Record<string, unknown>>,
  sharePercent: number | null,
): JsonPatch {
  const filters = rules[index]?.filters
  const at = filters?.findIndex((filter) => isMirrorTo(filter, backend)) ?? -1
  const path = `/spec/rules/${index}/filters`
  if (sharePercent === null) return at < 0 ? [] : [{ op: 'remove', path: `${path}/${at}` }]
  const wanted = { type: 'RequestMirror', requestMirror: { backendRef: backend, ...shareOf(sharePercent) } }
  if (filters === undefined) return [{ op: 'add', path, value: [wanted] }]
  const found = filters[at]
  if (found === undefined) return [{ op: 'add', path: `${path}/-`, value: wanted }]
  return isSubset(wanted, found) ? [] : [{ op: 'replace', path: `${path}/${at}`, value: wanted }]
}

/** A whole percentage as `percent`, any other as `fraction`. */
function shareOf(sharePercent: number) {
  return Number.isInteger(sharePercent)
    ? { percent: sharePercent }
    : { fraction: { numerator: Math.round(sharePercent * 10), denominator: 1000 } }
}

function isMirrorTo({ type, requestMirror }: RouteFilter, backend: Readonly<Record<string, unknown>>): boolean {
  if (type !== 'RequestMirror' || requestMirror === undefined) return false
  // The API server fills in the defaults of a Service.
  const there = { group: '', kind: 'Service', ...requestMirror.backendRef }
  return Object.entries({ group: '', kind: 'Service', ...backend }).every(
    ([key, value]) => Object.hasOwn(there, key) && Reflect.get(there, key) === value,
  )
}

/** The share that a rule mirrors to `backend`, percent; null: it does not. */
export function mirrorShareTo(
  rules: readonly RouteRule[],
  index: number,
  backend: Readonly<Record<string, unknown>>,
): number | null {
  const mirror = rules[index]?.filters?.find((filter) => isMirrorTo(filter, backend))?.requestMirror
  if (mirror === undefined) return null
  const share = shareSchema.safeParse(mirror)
  // Without a share that can be understood it takes everything, as one does that an older CRD has taken it from.
  if (!share.success) return 100
  const { percent, fraction } = share.data
  return percent ?? (fraction === undefined ? 100 : (100 * fraction.numerator) / fraction.denominator)
}

const shareSchema = z.object({
  percent: z.number().optional(),
  // The API's default.
  fraction: z.object({ numerator: z.number(), denominator: z.number().positive().default(100) }).optional(),
})

/** A rule's name, else its place among those that Headgate did not make. */
export function placeNameOf(rules: readonly RouteRule[], index: number): string {
  // Behind a marked rule its own place is one further; its name must not change with that.
  return rules[index]?.name ?? String(rules.slice(0, index).filter(({ name }) => !isMarkedRule(name)).length)
}

/** True when a rule has one ahead for the marked requests, which sends to `backend` alone; null: wherever it sends. */
export function hasMarkedRule(
  rules: readonly RouteRule[],
  index: number,
  backend: Readonly<Record<string, unknown>> | null,
): boolean {
  const name = `${MARKED}${placeNameOf(rules, index)}`
  const marked = rules.find((rule) => rule.name === name)
  return marked !== undefined && (backend === null || isSubset([backend], marked.backendRefs))
}

/** Which requests are marked. */
export interface Mark {
  readonly header: string
  readonly value: string
}

/**
 * Puts a rule ahead of this one that takes the same requests, if they carry the mark too, and sends them to `backend`
 * alone; null: no such rule any more. Empty where it is so already. A request that both rules match goes to the one with
 * more headers, so Gateways prefer the marked one wherever it stands. The rule is known by its name: a CRD whose rules
 * have none drops it, and the rule would be added again and again. Read back.
 */
export function markedRulePatch(
  rules: readonly RouteRule[],
  index: number,
  backend: Readonly<Record<string, unknown>>,
  mark: Mark | null,
): JsonPatch {
  const rule = rules[index]
  if (rule === undefined) return []
  const name = `${MARKED}${placeNameOf(rules, index)}`
  const at = rules.findIndex((one) => one.name === name)
  if (mark === null) return at < 0 ? [] : [{ op: 'remove', path: `/spec/rules/${at}` }]
  const wanted = markedRule(rule, name, backend, mark)
  if (at < 0) return [{ op: 'add', path: `/spec/rules/${index}`, value: wanted }]
  const there = rules[at]
  return isSubset(wanted, there) ? [] : [{ op: 'replace', path: `/spec/rules/${at}`, value: wanted }]
}

function markedRule(
  rule: RouteRule,
  name: string,
  backend: Readonly<Record<string, unknown>>,
  { header, value }: Mark,
): RouteRule {
  const matches = rule.matches === undefined || rule.matches.length === 0 ? [{}] : rule.matches
  const filters = rule.filters?.filter(({ type }) => type !== 'RequestMirror')
  const { filters: _, ...rest } = rule
  return {
    ...rest,
    name,
    matches: matches.map((match) => ({
      ...match,
      headers: [...(match.headers ?? []), { type: 'Exact', name: header, value }],
    })),
    ...(filters !== undefined && filters.length > 0 && { filters }),
    backendRefs: [backend],
  }
}

/** True when everything wanted is there: the API server adds defaults. */
function isSubset(wanted: unknown, there: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === there
  if (typeof there !== 'object' || there === null || Array.isArray(wanted) !== Array.isArray(there)) return false
  if (Array.isArray(wanted) && Array.isArray(there) && wanted.length !== there.length) return false
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(there, key) && isSubset(value, Reflect.get(there, key)),
  )
}
