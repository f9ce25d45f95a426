import { missing } from '../../core/observation.ts'
import type { Trial } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { JSON_PATCH } from '../../shared/kubernetes/client.ts'
import type { ClientLease } from '../../shared/kubernetes/clients.ts'
import { KubernetesFailure } from '../../shared/kubernetes/failure.ts'
import { failed, missingFor, unknownTarget } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import type { JsonPatch } from './patch.ts'
import { problemOf } from './problems.ts'
import { type Metadata, nameOf, pathOf, type Resource, type RouteKind, type WantedTrial } from './route.ts'
import { exactWeights, patchOf, type Split, weightsOf } from './split.ts'
import { otherWriterOf } from './writers.ts'

/** Under which name Headgate's writes are in an object's managedFields. */
const FIELD_MANAGER = 'headgate'

/** One object with all its splits: one GET reads them, one PATCH writes them. */
export class RouteScope<Settings, Route extends { readonly metadata: Metadata }> implements TrafficScope {
  /** An API server queues by itself, and says 429. */
  readonly quota = null
  readonly restSeconds = 10
  readonly #kind: RouteKind<Settings, Route>
  readonly #resource: Resource
  readonly #lease: ClientLease
  readonly #settings: ReadonlyMap<string, Settings>

  constructor(kind: RouteKind<Settings, Route>, targets: readonly TrafficTarget<Settings>[], lease: ClientLease) {
    const [first] = targets
    if (first === undefined) throw new Error('a scope is opened with at least one target')
    this.#kind = kind
    this.#resource = kind.resourceOf(first.settings)
    this.#lease = lease
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    if (targetIds.length === 0) return new Map()
    const route = await this.#get(signal)
    return new Map(targetIds.map((id) => [id, this.#reading(route, this.#split(route, id), this.#trial(route, id))]))
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    if (changes.length === 0) return new Map()
    const route = await this.#get(signal)
    const results = new Map<string, WriteResult>()
    const weights: JsonPatch[number][] = []
    const trials: WantedTrial<Settings>[] = []
    const moved: string[] = []
    for (const change of changes) {
      const { targetId, weightPercent } = change
      const wanted = this.#wantedTrial(route, change)
      const split = wanted instanceof Problem ? wanted : this.#split(route, targetId)
      const operations = split instanceof Problem ? [] : operationsFor(split, weightPercent)
      const trial = split instanceof Problem || wanted instanceof Problem ? [] : wanted
      weights.push(...operations)
      trials.push(...trial)
      if (operations.length > 0 || this.#trialPatch(route, trial).length > 0) moved.push(targetId)
      else results.set(targetId, split instanceof Problem ? failed(split) : { kind: 'applied' })
    }
    if (route instanceof Problem || moved.length === 0) return results
    const refusal = await this.#patch(route, [...weights, ...this.#trialPatch(route, trials)], {}, signal)
    for (const id of moved) results.set(id, refusal === null ? { kind: 'applied' } : failed(refusal))
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    if (targetIds.length === 0) return []
    const route = await this.#get(signal)
    // Whether it may be written is only known by trying: a dry run of a patch that changes nothing.
    const refusal = route instanceof Problem ? null : await this.#patch(route, [], { dryRun: 'All' }, signal)
    return targetIds.flatMap((targetId): TrafficFinding[] => {
      const split = this.#split(route, targetId)
      if (split instanceof Problem) return [{ targetId, level: 'fail', problem: split.toJSON() }]
      if (route instanceof Problem) return []
      const { rejected, unresolved } = this.#kind.standingOf(route)
      const writer = this.#otherWriter(route)
      return [
        ...[refusal, rejected, unresolved].flatMap((why) =>
          why === null ? [] : [{ targetId, level: 'fail' as const, problem: why.toJSON() }],
        ),
        ...(writer === null
          ? []
          : [{ targetId, level: 'warn' as const, problem: problem('TRAFFIC_OTHER_WRITER', writer).toJSON() }]),
      ]
    })
  }

  close(): Promise<void> {
    return this.#lease.close()
  }

  async #get(signal: AbortSignal): Promise<Route | Problem> {
    const answer = await this.#lease.client.ask({ method: 'GET', path: pathOf(this.#resource) }, signal)
    if (answer instanceof KubernetesFailure) return problemOf(answer, 'get', this.#resource)
    const parsed = this.#kind.schema.safeParse(answer)
    if (parsed.success) return parsed.data
    const at = parsed.error.issues[0]?.path.join('.') || 'all of it'
    return problem('TRAFFIC_BAD_ANSWER', `${nameOf(this.#resource)} is not as its API has it: ${at}`)
  }

  /** Changes this very version of the object, or nothing. */
  async #patch(
    route: Route,
    operations: JsonPatch,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Problem | null> {
    const asRead = { op: 'test', path: '/metadata/resourceVersion', value: route.metadata.resourceVersion }
    const answer = await this.#lease.client.ask(
      {
        method: 'PATCH',
        path: pathOf(this.#resource),
        query: { fieldManager: FIELD_MANAGER, ...query },
        body: { type: JSON_PATCH, value: [asRead, ...operations] },
      },
      signal,
    )
    return answer instanceof KubernetesFailure ? problemOf(answer, 'patch', this.#resource) : null
  }

  /** The trial that a change is to leave there, in a list; empty where the kind has none. */
  #wantedTrial(
    route: Route | Problem,
    { targetId, trial = null }: WeightChange,
  ): readonly WantedTrial<Settings>[] | Problem {
    const { trials } = this.#kind
    const settings = this.#settings.get(targetId)
    if (trials === undefined || settings === undefined || route instanceof Problem) return []
    return trials.refusalOf(route, { settings, trial }) ?? [{ settings, trial }]
  }

  #trialPatch(route: Route | Problem, wanted: readonly WantedTrial<Settings>[]): JsonPatch {
    return route instanceof Problem ? [] : (this.#kind.trials?.patchOf(route, wanted) ?? [])
  }

  #split(route: Route | Problem, targetId: string): Split | Problem {
    if (route instanceof Problem) return route
    const settings = this.#settings.get(targetId)
    if (settings === undefined) return unknownTarget(targetId)
    const split = this.#kind.splitIn(route, settings)
    if (split instanceof Problem || split.sides.old.index !== split.sides.new.index) return split
    return problem('TRAFFIC_WRONG_TYPE', `\`old\` and \`new\` are the same backend of ${nameOf(this.#resource)}`, {
      hint: 'tell them apart by their ports',
    })
  }

  #trial(route: Route | Problem, targetId: string): Trial | null {
    const settings = this.#settings.get(targetId)
    if (route instanceof Problem || settings === undefined) return null
    return this.#kind.trials?.trialIn(route, settings) ?? null
  }

  #reading(route: Route | Problem, split: Split | Problem, trial: Trial | null): WeightReading {
    if (split instanceof Problem) return missingFor(split)
    if (route instanceof Problem) return missingFor(route)
    const weightPercent = sharePercent(weightsOf(split))
    if (weightPercent === null)
      return missing('not-a-number', `both weights of ${nameOf(this.#resource)} are 0: nobody is served`)
    const { rejected, unresolved, pending } = this.#kind.standingOf(route)
    if (rejected) return missingFor(rejected)
    // A backend that cannot be reached harms nobody who is not sent there: a revert from a NEW that is gone is confirmed.
    if (unresolved && (weightPercent > 0 || trial !== null)) return missingFor(unresolved)
    const writer = this.#otherWriter(route)
    return {
      kind: 'weight',
      weightPercent,
      ...(pending !== null && { pending }),
      ...(trial !== null && { trial }),
      ...(writer !== null && { otherWriter: writer }),
    }
  }

  #otherWriter({ metadata }: Route): string | null {
    const { weightsPath, listPointer, trials } = this.#kind
    const hasTrials = trials !== undefined
    return otherWriterOf(metadata, { resource: this.#resource, weightsPath, listPointer, hasTrials })
  }
}

function operationsFor(split: Split, weightPercent: number): JsonPatch {
  // Other weights of the same share are as good: nothing is written for the sake of looks.
  if (sharePercent(weightsOf(split)) === weightPercent) return []
  return patchOf(split, exactWeights(weightPercent))
}
