import { z } from 'zod'
import type { Trial } from '../../core/plan.ts'
import type { Problem } from '../../core/problem.ts'
import type { JsonPatch } from './patch.ts'
import type { Split } from './split.ts'

/** One object of a cluster. */
export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** `HTTPRoute shop/checkout`. */
export function nameOf({ kind, namespace, name }: Resource): string {
  return `${kind} ${namespace}/${name}`
}

export function pathOf({ group, version, plural, namespace, name }: Resource): string {
  return `/apis/${group}/${version}/namespaces/${namespace}/${plural}/${name}`
}

/** What every object tells of itself. */
export const metadataSchema = z.object({
  resourceVersion: z.string(),
  generation: z.int(),
  annotations: z.record(z.string(), z.string()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
  managedFields: z
    .array(z.object({ manager: z.string().default(''), subresource: z.string().default('') }))
    .default([]),
})

export type Metadata = z.output<typeof metadataSchema>

/** Whether the proxies serve by what an object says. */
export interface Standing {
  /** Why they do not; null: nothing is known against it. */
  readonly rejected: Problem | null
  /** Why they cannot send requests to one of the backends, nobody says to which; null: they can. */
  readonly unresolved: Problem | null
  /** What has to happen first, one clause; null: nothing. */
  readonly pending: string | null
}

/** A kind of object that has splits in it. */
export interface RouteKind<Settings, Route extends { readonly metadata: Metadata }> {
  resourceOf(settings: Settings): Resource
  readonly schema: z.ZodType<Route>
  splitIn(route: Route, settings: Settings): Split | Problem
  standingOf(route: Route): Standing
  /** The weights, as a jq path, for those who want others to leave them alone. */
  readonly weightsPath: string
  /** The whole list that has the weights in it, as a JSON pointer. */
  readonly listPointer: string
  /** Left out: it has none. */
  readonly trials?: RouteTrials<Settings, Route>
}

/** How a kind of object has trials. */
export interface RouteTrials<Settings, Route> {
  /** The trial of Headgate's that is on; null: none. */
  trialIn(route: Route, settings: Settings): Trial | null
  /** Why it cannot be on there; null: it can. */
  refusalOf(route: Route, wanted: WantedTrial<Settings>): Problem | null
  /** What makes these the trials that are on; to follow the changes of weights, since it may move rules. */
  patchOf(route: Route, wanted: readonly WantedTrial<Settings>[]): JsonPatch
}

export interface WantedTrial<Settings> {
  readonly settings: Settings
  /** null: none, and one that Headgate put there goes. */
  readonly trial: Trial | null
}
