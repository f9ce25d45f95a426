import { Problem, type ProblemCode, problem } from '../../core/problem.ts'
import type { WeightChange, WriteResult } from '../../ports/traffic.ts'
import { AwsFailure } from '../aws-call.ts'
import type { ZoneApi } from './api.ts'
import { type BatchLimits, fillBatch } from './batch.ts'
import { problemOf } from './find.ts'
import type { Place } from './place.ts'
import { type Plan, planChange } from './plan.ts'
import type { Route53Settings } from './settings.ts'

/** A change, and what it is planned by. */
export interface Wish {
  readonly change: WeightChange
  readonly settings: Route53Settings
  readonly place: Place
  readonly isFresh: boolean
}

export interface Outcome {
  readonly results: ReadonlyMap<string, WriteResult>
  /** What was acknowledged; null: nothing. */
  readonly made: { readonly changeId: string; readonly plans: readonly Plan[] } | null
  /** Targets of which nobody knows whether they were changed. */
  readonly unsure: readonly string[]
  /** Targets whose change Route 53 refuses for what it says. */
  readonly refused: readonly string[]
}

/** A batch of which one change is wrong fails whole; then its halves tell which. */
const CONTENT_FAULTS: ReadonlySet<string> = new Set(['InvalidChangeBatch', 'InvalidInput', 'NoSuchHealthCheck'])
/** Nothing was changed, for sure. */
const CERTAIN: ReadonlySet<ProblemCode> = new Set([
  'TRAFFIC_THROTTLED',
  'TRAFFIC_FORBIDDEN',
  'TRAFFIC_NO_CREDENTIALS',
  'TRAFFIC_NOT_FOUND',
  'TRAFFIC_REFUSED',
])

/** Makes the changing calls of one zone. */
export class ZoneWriter {
  readonly #api: ZoneApi
  readonly #limits: BatchLimits
  /** Targets of batches that were refused whole, and how many of them may be in one call. */
  readonly #suspects = new Map<string, number>()

  constructor(api: ZoneApi, limits: BatchLimits) {
    this.#api = api
    this.#limits = limits
  }

  /** Whether it was in a batch that was refused whole, and not yet written since. */
  isSuspect(targetId: string): boolean {
    return this.#suspects.has(targetId)
  }

  /** Writes as many of these wishes as one call takes, in their order, suspects by themselves at last; one result each. */
  async write(wishes: readonly Wish[], signal: AbortSignal): Promise<Outcome> {
    const results = new Map<string, WriteResult>()
    const plans: Plan[] = []
    for (const { change, settings, place, isFresh } of wishes) {
      const plan = planChange(change, settings, place, isFresh)
      if (plan instanceof Problem) results.set(change.targetId, { kind: 'failed', problem: plan.toJSON() })
      else if (plan.changes.length === 0) results.set(change.targetId, { kind: 'applied' })
      else plans.push(plan)
    }
    const maxTogether = (id: string) => this.#suspects.get(id) ?? Number.POSITIVE_INFINITY
    // Who waits is not to wait for the search of a fault that another target has.
    const clean = plans.filter(({ targetId }) => !this.#suspects.has(targetId))
    const batch = fillBatch(clean.length > 0 ? clean : plans, this.#limits, maxTogether)
    for (const { targetId } of plans) results.set(targetId, { kind: 'deferred' })
    if (batch.length === 0) return { results, made: null, unsure: [], refused: [] }
    const answer = await this.#api.change(
      batch.flatMap(({ changes }) => changes),
      signal,
    )
    if (answer instanceof AwsFailure) return this.#failed(answer, batch, results)
    for (const { targetId } of batch) {
      this.#suspects.delete(targetId)
      results.set(targetId, { kind: 'applied' })
    }
    return { results, made: { changeId: answer, plans: batch }, unsure: [], refused: [] }
  }

  #failed(failure: AwsFailure, batch: readonly Plan[], results: Map<string, WriteResult>): Outcome {
    const ids = batch.map(({ targetId }) => targetId)
    const isContent = CONTENT_FAULTS.has(failure.name)
    if (isContent && batch.length > 1) {
      const most = Math.floor(batch.length / 2)
      for (const id of ids) this.#suspects.set(id, most)
      return { results, made: null, unsure: [], refused: [] }
    }
    const why = isContent ? contentProblem(failure) : problemOf(failure)
    for (const id of ids) {
      results.set(id, { kind: 'failed', problem: why.toJSON() })
      if (isContent) this.#suspects.delete(id)
    }
    return { results, made: null, unsure: CERTAIN.has(why.code) ? [] : ids, refused: isContent ? ids : [] }
  }
}

/** Why one target's change was refused, in AWS's words. */
function contentProblem({ name, words, problem: usual }: AwsFailure): Problem {
  const cause = `Route 53 says ${name}: ${words}`
  if (/not found|no health check exists/i.test(words)) return problem('TRAFFIC_NOT_FOUND', cause, { from: usual })
  if (/already exists|do not match|set exists with the same name/i.test(words))
    return problem('TRAFFIC_CONFLICT', cause, { from: usual })
  return problem('TRAFFIC_REFUSED', cause, { hint: 'see what AWS says; nothing was changed', from: usual })
}
