import { missing } from '../../core/observation.ts'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { Quota } from '../../ports/quota.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import { inexpressible } from '../weight.ts'
import type { Actions, Caller, ElbApi } from './api.ts'
import { type Forward, forwardOf, withWeights } from './forward.ts'
import { healthOf } from './health.ts'
import { inspectPlace } from './inspect.ts'
import { ownerOf } from './owner.ts'
import type { ElbPlace } from './place.ts'
import type { Elbv2Settings } from './settings.ts'
import { elbWeights, nearestWeights } from './weights.ts'

/** How often a quiet rule is read, seconds. */
const REST_SECONDS = 30

/** How long it is believed that a group has targets, while both groups have a weight, and while one has all, seconds. */
const HEALTH_SECONDS = { split: 30, whole: 300 } as const

/**
 * How old the list of actions may be that a revert replaces, seconds. Moving rules are read with each sweep; only where reads
 * fail, or wait behind a thousand reverts, is it ever older than REST_SECONDS.
 */
const MAX_AGE_FOR_REVERT_SECONDS = 300

/** One forward action, of a listener rule or of a listener: the whole list of actions is one write. */
export class Elbv2Scope implements TrafficScope {
  readonly quota: Quota
  readonly restSeconds = REST_SECONDS
  readonly #place: ElbPlace
  readonly #target: TrafficTarget<Elbv2Settings>
  readonly #api: ElbApi
  readonly #context: AdapterContext
  /** When a group was last seen to have targets that take traffic, ms, by its ARN. */
  readonly #seenTakersMs = new Map<string, number>()
  /** The list as it was last read, or acknowledged; null: unknown. */
  #last: { readonly forward: Forward; readonly atMs: number } | null = null
  #owner: { readonly sentence: string | null; readonly askedMs: number; readonly isKnown: boolean } | null = null

  constructor(
    place: ElbPlace,
    target: TrafficTarget<Elbv2Settings>,
    api: ElbApi,
    quota: Quota,
    context: AdapterContext,
  ) {
    this.#place = place
    this.#target = target
    this.#api = api
    this.quota = quota
    this.#context = context
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const readings = new Map<string, WeightReading>()
    for (const id of targetIds)
      readings.set(id, id === this.#target.id ? await this.#read(signal) : missingFor(unknownTarget(id)))
    return readings
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    for (const change of changes) {
      const why =
        change.targetId === this.#target.id ? await this.#write(change, signal) : unknownTarget(change.targetId)
      results.set(change.targetId, why === null ? { kind: 'applied' } : failed(why))
    }
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    if (!targetIds.includes(this.#target.id)) return []
    const caller: Caller = { use: 'read', signal }
    const findings = await inspectPlace(this.#api, this.#place, this.#names, () => this.#look(caller), caller)
    return findings.map(({ level, why }) => ({ targetId: this.#target.id, level, problem: why.toJSON() }))
  }

  async close(): Promise<void> {
    this.#api.close()
  }

  get #names(): Sides<string> {
    return { old: this.#target.settings.old, new: this.#target.settings.new }
  }

  async #look(caller: Caller): Promise<Forward | Problem> {
    const found = await this.#api.actions(this.#place, caller)
    if (found instanceof Problem) return found
    const forward = this.#forwardIn(found)
    this.#last = forward instanceof Problem ? null : { forward, atMs: this.#context.clock.nowMs() }
    return forward
  }

  #forwardIn({ actions, isDefaultRule }: Actions): Forward | Problem {
    if (isDefaultRule)
      return problem('TRAFFIC_WRONG_TYPE', `${this.#place.arn} is a default rule, which only its listener can change`, {
        hint: `write \`listener: ${this.#place.listenerArn}\` instead of \`rule\``,
      })
    return forwardOf(this.#place.arn, actions, this.#names)
  }

  async #read(signal: AbortSignal): Promise<WeightReading> {
    const caller: Caller = { use: 'read', signal }
    const forward = await this.#look(caller)
    if (forward instanceof Problem) return missingFor(forward)
    const weightPercent = sharePercent(forward.weights)
    if (weightPercent === null) return missing('not-a-number', `both target groups of ${this.#place.arn} have weight 0`)
    // Both at once: scopes that were read by one call then ask for their tags by one call, too.
    const [idle, otherWriter] = await Promise.all([this.#idleGroup(forward, caller), this.#otherWriter(caller)])
    if (idle !== null)
      return missing('refused', `no target of ${idle} takes traffic: the load balancer answers its share with errors`)
    return { kind: 'weight', weightPercent, ...(otherWriter !== null && { otherWriter }) }
  }

  /** The ARN of a group that has a weight and nobody to serve it; null: none. */
  async #idleGroup({ arns, weights }: Forward, caller: Caller): Promise<string | null> {
    const keepSeconds = weights.old > 0 && weights.new > 0 ? HEALTH_SECONDS.split : HEALTH_SECONDS.whole
    for (const side of ['old', 'new'] satisfies Side[]) {
      const arn = arns[side]
      if (arn !== null && weights[side] > 0 && !(await this.#hasTakers(arn, keepSeconds, caller))) return arn
    }
    return null
  }

  /** True too when nobody can tell: the weights are in force all the same, and the log says so. */
  async #hasTakers(groupArn: string, keepSeconds: number, caller: Caller): Promise<boolean> {
    const nowMs = this.#context.clock.nowMs()
    const seenMs = this.#seenTakersMs.get(groupArn)
    if (seenMs !== undefined && nowMs - seenMs < keepSeconds * 1000) return true
    const targets = await this.#api.targets(groupArn, caller)
    if (targets instanceof Problem) {
      this.#context.log.warn({ scope: this.#place.arn, problem: targets }, 'the targets of a group could not be read')
      return true
    }
    if (healthOf(targets).takers === 0) return false
    this.#seenTakersMs.set(groupArn, nowMs)
    return true
  }

  /** Asked once; again when it could not be told. */
  async #otherWriter(caller: Caller): Promise<string | null> {
    const nowMs = this.#context.clock.nowMs()
    const last = this.#owner
    if (last && (last.isKnown || nowMs - last.askedMs < REST_SECONDS * 1000)) return last.sentence
    const { arn, listenerArn, loadBalancerArn } = this.#place
    const tags = await this.#api.tags([...new Set([arn, listenerArn, loadBalancerArn])], caller)
    if (tags instanceof Problem)
      this.#context.log.warn({ scope: arn, problem: tags }, 'the tags that tell of other writers could not be read')
    const isKnown = !(tags instanceof Problem)
    this.#owner = { sentence: tags instanceof Problem ? null : ownerOf(tags), askedMs: nowMs, isKnown }
    return this.#owner.sentence
  }

  /**
   * Replaces the whole list of actions. A step forward reads it first, so that what somebody else has changed in it is
   * kept. A revert takes the list as it was last read: a second call would make a thousand reverts twice as slow.
   * null: done.
   */
  async #write({ weightPercent, urgency }: WeightChange, signal: AbortSignal): Promise<Problem | null> {
    const weights = elbWeights(weightPercent)
    if (weights === null) return inexpressible('ELB', weightPercent, nearestWeights(weightPercent))
    const caller: Caller = { use: urgency, signal }
    const known = urgency === 'revert' ? this.#knownOtherThan(weightPercent) : null
    const forward = known ?? (await this.#look(caller))
    if (forward instanceof Problem) return forward
    if (sharePercent(forward.weights) === weightPercent) return null
    const arns = await this.#arns(forward, caller)
    if (arns instanceof Problem) return arns
    // Whatever comes of it: what was known is over.
    this.#last = null
    this.#seenTakersMs.clear()
    const kept = await this.#api.modify(this.#place, withWeights(forward, arns, weights), signal)
    return kept instanceof Problem ? kept : this.#acknowledge(kept, weightPercent)
  }

  /** The list as it was last read; null: it is too old, or has that weight already, which only a read can tell. */
  #knownOtherThan(weightPercent: number): Forward | null {
    const last = this.#last
    if (!last || this.#context.clock.nowMs() - last.atMs > MAX_AGE_FOR_REVERT_SECONDS * 1000) return null
    return sharePercent(last.forward.weights) === weightPercent ? null : last.forward
  }

  /** What the acknowledgement says must be what was asked. */
  #acknowledge(kept: Actions, weightPercent: number): Problem | null {
    const forward = this.#forwardIn(kept)
    if (forward instanceof Problem) return forward
    const keptPercent = sharePercent(forward.weights)
    if (keptPercent === weightPercent) {
      this.#last = { forward, atMs: this.#context.clock.nowMs() }
      return null
    }
    const has = keptPercent === null ? 'two weights of 0' : `${keptPercent} %`
    return problem('TRAFFIC_UNVERIFIED', `${this.#place.arn} was asked for ${weightPercent} % and has ${has}`)
  }

  /** A group that the forward does not have yet, and that the settings name, is looked up. */
  async #arns(forward: Forward, caller: Caller): Promise<Sides<string> | Problem> {
    const old = forward.arns.old ?? (await arnOf(this.#api, this.#names.old, caller))
    if (old instanceof Problem) return old
    const fresh = forward.arns.new ?? (await arnOf(this.#api, this.#names.new, caller))
    return fresh instanceof Problem ? fresh : { old, new: fresh }
  }
}

async function arnOf(api: ElbApi, arnOrName: string, caller: Caller): Promise<string | Problem> {
  if (arnOrName.startsWith('arn:')) return arnOrName
  const groups = await api.groups({ Names: [arnOrName] }, caller)
  if (groups instanceof Problem) return groups
  return groups[0]?.TargetGroupArn ?? problem('TRAFFIC_NOT_FOUND', `there is no target group ${arnOrName}`)
}
