import type { CheckReading } from '../core/check.ts'
import type { Missing } from '../core/observation.ts'
import type { ObjectRef, Plan } from '../core/plan.ts'
import type { World } from './world.ts'

/** A reading without its time. */
export type Finding = Omit<CheckReading, 'atMs'>

/** One check: what it asks is apart from what it makes of the answers. */
interface CheckParts<Seen> {
  /** Why there is nothing to look at; null: there is. */
  readonly skip: (plan: Plan, world: World) => string | null
  readonly ask: (plan: Plan, world: World) => Promise<Seen>
  /** Pure. */
  readonly judge: (seen: Seen, plan: Plan) => Finding
}

export interface Check {
  look(plan: Plan, world: World): Promise<Finding>
}

export function defineCheck<Seen>({ skip, ask, judge }: CheckParts<Seen>): Check {
  return {
    look: async (plan, world) => {
      const why = skip(plan, world)
      return why === null ? judge(await ask(plan, world), plan) : skipped(why)
    },
  }
}

export function pass(sentence: string): Finding {
  return { outcome: 'pass', sentence, hint: null }
}

export function fail(sentence: string, hint: string): Finding {
  return { outcome: 'fail', sentence, hint }
}

export function skipped(why: string): Finding {
  return { outcome: 'skipped', sentence: why, hint: null }
}

/** `of` says what could not be looked at. */
export function unseen(of: string, { why, detail }: Missing): Finding {
  return { outcome: 'missing', sentence: `${of}: ${why}, ${detail}`, hint: null }
}

/** Why there is nothing of Kubernetes to look at for a plan; null: there is. */
export function withoutObjects({ objects }: Plan, { hasClusters }: World): string | null {
  if (!hasClusters) return 'access to the API servers is not configured (`kubernetes`)'
  return objects === null ? 'the workload names no object (`kubernetes` of the workload)' : null
}

/** The plan's objects, where `withoutObjects` found some. */
export function objectsOf({ objects }: Plan): NonNullable<Plan['objects']> {
  if (objects === null) throw new Error('a check that needs objects was asked without any')
  return objects
}

export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most)
  const rest = names.length - shown.length
  const last = rest > 0 ? `${rest} more` : shown.pop()
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} and ${last}`
}

/** `1 image`, `2 images`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
