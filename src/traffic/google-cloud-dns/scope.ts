import { Problem, problem } from '../../core/problem.ts'
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
import { findingsOf } from '../inspect.ts'
import { Batches, type Move } from './batch.ts'
import type { GoogleDnsClient, GoogleFailure } from './client.ts'
import { wireName } from './names.ts'
import { otherWriter } from './owners.ts'
import type { GoogleCloudDnsSettings } from './settings.ts'
import { changedRrset, readingOf, type Split, splitOf } from './split.ts'
import { keyOf, type Rrset } from './wire.ts'
import { ManagedZone } from './zone.ts'

/**
 * One managed zone. A change names each record set as it was last seen, and Google refuses it if that is no longer so:
 * a write behind Headgate's back is never overwritten unseen.
 */
export class GoogleCloudDnsScope implements TrafficScope {
  readonly quota: Quota
  readonly restSeconds = 30
  readonly #client: GoogleDnsClient
  readonly #zone: ManagedZone
  readonly #settings: ReadonlyMap<string, GoogleCloudDnsSettings>
  /** By key: record sets as last seen. */
  readonly #seen = new Map<string, Rrset>()
  readonly #batches = new Batches()

  constructor(client: GoogleDnsClient, quota: Quota, targets: readonly TrafficTarget<GoogleCloudDnsSettings>[]) {
    this.quota = quota
    this.#client = client
    this.#zone = new ManagedZone(client, quota)
    this.#settings = new Map(targets.map(({ id, settings }) => [id, settings]))
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const places = this.#places(targetIds)
    const found = places.length === 0 ? new Map() : await this.#zone.fetch(places, 'read', signal)
    return this.#readings(targetIds, found, signal)
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    const { moves, freshKeys } = await this.#plan(changes, results, signal)
    const batch = moves.length === 0 ? [] : this.#batches.take(moves)
    for (const { change } of moves)
      if (!results.has(change.targetId)) results.set(change.targetId, { kind: 'deferred' })
    if (batch.length === 0) return results
    const answer = await this.#zone.replace(batch, signal)
    for (const { before } of batch) this.#seen.delete(keyOf(before))
    if (answer.ok) {
      this.#batches.succeeded(batch)
      for (const { change, after } of batch) {
        this.#seen.set(keyOf(after), after)
        results.set(change.targetId, { kind: 'applied' })
      }
      return results
    }
    if (answer.problem.code === 'TRAFFIC_THROTTLED') this.quota.exhaust()
    for (const move of this.#toBlame(answer, batch, freshKeys))
      results.set(move.change.targetId, failed(answer.problem))
    return results
  }

  /** Reads the whole zone, since what external-dns says that it owns is in records beside. */
  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    if (targetIds.length === 0) return []
    const found = await this.#zone.list('read', signal)
    if (found instanceof Problem)
      return targetIds.map((targetId) => ({ targetId, level: 'fail', problem: found.toJSON() }))
    const readings = await this.#readings(targetIds, found, signal)
    return targetIds.flatMap((targetId) => {
      const split = this.#splitIn(targetId, found)
      // A reading tells only the kind of what is wrong.
      if (split instanceof Problem) return [{ targetId, level: 'fail' as const, problem: split.toJSON() }]
      return findingsOf(new Map([...readings].filter(([id]) => id === targetId)))
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #readings(
    targetIds: readonly string[],
    found: ReadonlyMap<string, Rrset> | Problem,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, WeightReading>> {
    if (!(found instanceof Problem)) this.#remember(targetIds, found)
    const hasPlace = this.#places(targetIds).length > 0
    const pending =
      found instanceof Problem ? found : hasPlace ? await this.#zone.pendingKeys(signal) : new Set<string>()
    return new Map(
      targetIds.map((id): [string, WeightReading] => {
        const settings = this.#settings.get(id)
        if (!settings) return [id, missingFor(unknownTarget(id))]
        if (pending instanceof Problem) return [id, missingFor(pending)]
        const isPending = pending.has(keyFor(settings))
        const writer = otherWriter(this.#zone.ownerOf(settings), settings)
        return [id, readingOf(this.#splitIn(id, found), { isPending, otherWriter: writer })]
      }),
    )
  }

  /** What is to be written; what need not or cannot be is in `results` already. */
  async #plan(
    changes: readonly WeightChange[],
    results: Map<string, WriteResult>,
    signal: AbortSignal,
  ): Promise<{ readonly moves: readonly Move[]; readonly freshKeys: ReadonlySet<string> }> {
    // What seems to be there already may have been changed by others: only a fresh look makes that sure.
    const unsure = changes.filter((change) => {
      const move = this.#moveFor(change, this.#seen)
      return move === null || move instanceof Problem
    })
    const ids = unsure.map(({ targetId }) => targetId)
    const places = this.#places(ids)
    const use = changes.some(({ urgency }) => urgency === 'revert') ? 'revert' : 'forward'
    const found = places.length === 0 ? new Map<string, Rrset>() : await this.#zone.fetch(places, use, signal)
    if (!(found instanceof Problem)) this.#remember(ids, found)
    const isUnsure = new Set(ids)
    const moves = changes.flatMap((change) => {
      const move = this.#moveFor(change, isUnsure.has(change.targetId) ? found : this.#seen)
      if (move === null) results.set(change.targetId, { kind: 'applied' })
      else if (move instanceof Problem) results.set(change.targetId, failed(move))
      else return [move]
      return []
    })
    return { moves, freshKeys: new Set(places.map(keyFor)) }
  }

  #moveFor(change: WeightChange, found: ReadonlyMap<string, Rrset> | Problem): Move | Problem | null {
    const settings = this.#settings.get(change.targetId)
    if (!settings) return unknownTarget(change.targetId)
    const split = this.#splitIn(change.targetId, found)
    if (split instanceof Problem) return split
    const after = changedRrset(settings, split, change)
    return after === null ? null : { change, before: split.rrset, after }
  }

  /**
   * Who of a refused change failed; the others are asked again. A change that named something not seen just now is asked
   * again whole: by then it is seen anew.
   */
  #toBlame(failure: GoogleFailure, batch: readonly Move[], freshKeys: ReadonlySet<string>): readonly Move[] {
    if (!failure.isOfOneChange) return batch
    const named = failure.index === null ? undefined : batch[failure.index]
    const suspects = named ? [named] : batch
    if (failure.isConflict && suspects.some(({ before }) => !freshKeys.has(keyOf(before)))) return []
    const [first] = suspects
    if (first && suspects.length === 1) {
      this.#batches.isolate(first)
      return suspects
    }
    this.#batches.halve(batch)
    return []
  }

  #splitIn(targetId: string, found: ReadonlyMap<string, Rrset> | Problem): Split | Problem {
    const settings = this.#settings.get(targetId)
    if (!settings) return unknownTarget(targetId)
    if (found instanceof Problem) return found
    const rrset = found.get(keyFor(settings))
    if (rrset) return splitOf(settings, rrset)
    return problem('TRAFFIC_NOT_FOUND', `zone ${settings.zone} has no record ${settings.record} ${settings.type}`)
  }

  #remember(targetIds: readonly string[], found: ReadonlyMap<string, Rrset>): void {
    for (const key of this.#places(targetIds).map(keyFor)) {
      const rrset = found.get(key)
      if (rrset) this.#seen.set(key, rrset)
      else this.#seen.delete(key)
    }
  }

  #places(targetIds: readonly string[]): readonly GoogleCloudDnsSettings[] {
    return targetIds.flatMap((id) => this.#settings.get(id) ?? [])
  }
}

function keyFor({ record, type }: { readonly record: string; readonly type: string }): string {
  return keyOf({ name: wireName(record), type })
}
