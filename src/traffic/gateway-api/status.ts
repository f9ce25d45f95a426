import { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import type { Standing } from '../kubernetes/route.ts'

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
  observedGeneration: z.int().optional(),
})

const parentSchema = z.object({
  parentRef: z.object({
    kind: z.string().default('Gateway'),
    name: z.string(),
    sectionName: z.string().optional(),
  }),
  conditions: z.array(conditionSchema).default([]),
})

export const statusSchema = z.object({ parents: z.array(parentSchema).default([]) }).optional()

type Parent = z.output<typeof parentSchema>

const AWAITED = ['Accepted', 'ResolvedRefs'] as const

/** What the Gateways' controllers say of this generation of a route. What they say of an older one says nothing. */
export function standingOf(generation: number, status: z.output<typeof statusSchema>): Standing {
  const parents = status?.parents ?? []
  if (parents.length === 0) return { rejected: null, unresolved: null, pending: 'no Gateway has taken the route yet' }
  return {
    rejected: firstOf(parents, (parent) => refusalBy(parent, generation, 'Accepted')),
    unresolved: firstOf(parents, (parent) => refusalBy(parent, generation, 'ResolvedRefs')),
    pending: firstOf(parents, (parent) => awaitedFrom(parent, generation)),
  }
}

function refusalBy(parent: Parent, generation: number, type: (typeof AWAITED)[number]): Problem | null {
  const condition = conditionOf(parent, generation, type)
  // `Unknown` is no verdict: it is waited for.
  if (condition?.status !== 'False') return null
  const words = [condition.reason, condition.message].filter(Boolean).join(': ').slice(0, 300)
  return problem('TRAFFIC_REFUSED', `${nameOf(parent)} says ${type}=False: ${words}`, {
    hint: type === 'Accepted' ? 'the Gateway does not serve this route; see its conditions' : 'correct the backends',
  })
}

function awaitedFrom(parent: Parent, generation: number): string | null {
  const missing = AWAITED.filter((type) => conditionOf(parent, generation, type)?.status !== 'True')
  return missing.length === 0
    ? null
    : `${nameOf(parent)} has not said ${missing.join(' and ')} of generation ${generation}`
}

function conditionOf({ conditions }: Parent, generation: number, wanted: string) {
  return conditions.find(({ type, observedGeneration }) => type === wanted && observedGeneration === generation)
}

function nameOf({ parentRef: { kind, name, sectionName } }: Parent): string {
  return `${kind} ${name}${sectionName === undefined ? '' : `/${sectionName}`}`
}

function firstOf<T>(parents: readonly Parent[], ask: (parent: Parent) => T | null): T | null {
  for (const parent of parents) {
    const answer = ask(parent)
    if (answer !== null) return answer
  }
  return null
}
