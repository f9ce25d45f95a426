import { Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../failure.ts'
import { findingsOf } from '../inspect.ts'
import { editFor, type LoadBalancer, readingOf, shareOf, warningsFor } from './balancer.ts'
import type { CloudflareClient } from './client.ts'
import type { CloudflareSettings } from './settings.ts'

/** One load balancer. */
export class CloudflareScope implements TrafficScope {
  readonly quota: Quota
  readonly restSeconds = 60
  readonly #client: CloudflareClient
  readonly #target: TrafficTarget<CloudflareSettings>
  /** As last seen; null: not yet, or not since a write whose end is not known. */
  #seen: LoadBalancer | null = null

  constructor(client: CloudflareClient, quota: Quota, target: TrafficTarget<CloudflareSettings>) {
    this.quota = quota
    this.#client = client
    this.#target = target
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const readings = new Map<string, WeightReading>()
    for (const id of targetIds)
      readings.set(
        id,
        id === this.#target.id
          ? readingOf(this.#target.settings, await this.#look('read', signal))
          : missingFor(unknownTarget(id)),
      )
    return readings
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    for (const change of changes)
      results.set(
        change.targetId,
        change.targetId === this.#target.id
          ? await this.#writeOne(change, signal)
          : failed(unknownTarget(change.targetId)),
      )
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    const { id: targetId, settings } = this.#target
    if (!targetIds.includes(targetId)) return []
    const balancer = await this.#look('read', signal)
    const share = balancer instanceof Problem ? balancer : shareOf(settings, balancer)
    // A reading tells only the kind of what is wrong.
    if (share instanceof Problem) return [{ targetId, level: 'fail', problem: share.toJSON() }]
    const readings = new Map([[targetId, readingOf(settings, balancer)]])
    return [...findingsOf(readings), ...(balancer instanceof Problem ? [] : warningsFor(targetId, balancer))]
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #writeOne(change: WeightChange, signal: AbortSignal): Promise<WriteResult> {
    const { settings } = this.#target
    // A revert does not wait for a look: what it sets is right whatever the weights are by now.
    const seen = change.urgency === 'revert' ? this.#seen : null
    // Unless there seems to be nothing to set: somebody may have moved it since.
    const balancer = seen && isEdit(editFor(settings, seen, change)) ? seen : await this.#look(change.urgency, signal)
    if (balancer instanceof Problem) return failed(balancer)
    const edit = editFor(settings, balancer, change)
    if (edit === null) return { kind: 'applied' }
    if (edit instanceof Problem) return failed(edit)
    this.#seen = null
    const after = await this.#client.edit(balancer.id, { ...edit, zone_id: settings.zone }, signal)
    if (after instanceof Problem) return failed(this.#heed(after))
    this.#seen = after
    return { kind: 'applied' }
  }

  async #look(use: QuotaUse, signal: AbortSignal): Promise<LoadBalancer | Problem> {
    if (!(await this.quota.take(use, signal)))
      return problem('TRAFFIC_TIMEOUT', 'the quota of cloudflare had no call left within the deadline')
    const balancer = await this.#client.get(this.#target.settings, signal)
    if (balancer instanceof Problem) return this.#heed(balancer)
    this.#seen = balancer
    return balancer
  }

  #heed(why: Problem): Problem {
    if (why.code === 'TRAFFIC_THROTTLED') this.quota.exhaust()
    return why
  }
}

function isEdit<T extends object>(edit: T | Problem | null): edit is T {
  return edit !== null && !(edit instanceof Problem)
}
