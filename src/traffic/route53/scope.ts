import { Problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
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
import type { ZoneApi } from './api.ts'
import { findRecords } from './find.ts'
import { inspectTargets } from './inspect.ts'
import { compareNames } from './names.ts'
import { otherWriterOf, ownersIn } from './owners.ts'
import { PendingChanges } from './pending.ts'
import { type Place, placeIn, readingOf } from './place.ts'
import type { Route53Settings } from './settings.ts'
import { ZoneWriter } from './writer.ts'

/** A change takes up to a minute to reach all servers, and a read costs calls of the account: no need to look more often. */
const REST_SECONDS = 30
/** Records read so shortly before need not be read again for a step forward, ms. A revert takes them at any age. */
const FRESH_MS = 5_000
/** Elements of a batch that a usual change takes, an UPSERT counted twice: a step changes both records, a revert NEW's alone. */
const RECORDS_OF_STEP = 4
const RECORDS_OF_REVERT = 2

/** A target's records as they were when that read began. */
interface Known {
  readonly place: Place
  readonly atMs: number
}

/** One hosted zone. */
export class Route53Scope implements TrafficScope {
  readonly quota: Quota
  readonly restSeconds = REST_SECONDS
  readonly #api: ZoneApi
  readonly #release: () => void
  readonly #settings: ReadonlyMap<string, Route53Settings>
  readonly #clock: AdapterContext['clock']
  readonly #known = new Map<string, Known>()
  readonly #pending: PendingChanges
  readonly #writer: ZoneWriter
  readonly #maxRecords: number

  constructor(parts: {
    readonly api: ZoneApi
    readonly quota: Quota
    readonly targets: readonly TrafficTarget<Route53Settings>[]
    readonly limits: ConstructorParameters<typeof ZoneWriter>[1]
    readonly clock: AdapterContext['clock']
    readonly release: () => void
  }) {
    this.#api = parts.api
    this.quota = parts.quota
    this.#release = parts.release
    this.#clock = parts.clock
    this.#settings = new Map(parts.targets.map(({ id, settings }) => [id, settings]))
    this.#pending = new PendingChanges(parts.clock)
    this.#writer = new ZoneWriter(parts.api, parts.limits)
    this.#maxRecords = parts.limits.records
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const loaded = await this.#load(targetIds, 'read', signal)
    const pending = await this.#pending.ask(this.#api, targetIds, { use: 'read', signal })
    return new Map(
      targetIds.map((id): [string, WeightReading] => {
        const settings = this.#settings.get(id)
        if (!settings) return [id, missingFor(unknownTarget(id))]
        const reading = readingOf(settings, loaded.get(id)?.place ?? unknownTarget(id))
        if (reading.kind === 'missing') return [id, reading]
        const clause = pending.get(id)
        const otherWriter = loaded.get(id)?.otherWriter ?? null
        return [
          id,
          {
            ...reading,
            ...(clause !== undefined && { pending: clause }),
            ...(otherWriter !== null && { otherWriter }),
          },
        ]
      }),
    )
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    const known = changes.filter(({ targetId }) => {
      const isOurs = this.#settings.has(targetId)
      if (!isOurs) results.set(targetId, failed(unknownTarget(targetId)))
      return isOurs
    })
    const reverts = known.filter(({ urgency }) => urgency === 'revert')
    const ready = known.filter((change) => this.#isReady(change))
    // A revert whose records are known waits for nobody's records to be read.
    const now = ready.some(({ urgency }) => urgency === 'revert') ? ready : known
    for (const { targetId } of known) results.set(targetId, { kind: 'deferred' })
    const unread = this.#readFirst(now)
    const loaded = await this.#load(unread, reverts.length > 0 ? 'revert' : 'forward', signal)
    const planned = now.filter((change) => this.#isReady(change) || loaded.has(change.targetId))
    const ordered = planned.sort((a, b) => Number(a.urgency === 'forward') - Number(b.urgency === 'forward'))
    const wishes = ordered.flatMap((change) => {
      const settings = this.#settings.get(change.targetId)
      const place = loaded.get(change.targetId)?.place ?? this.#known.get(change.targetId)?.place
      if (settings && place && !(place instanceof Problem))
        // A revert is written even where the records look right: only what this very call has read is sure.
        return {
          change,
          settings,
          place,
          isFresh: change.urgency === 'revert' ? loaded.has(change.targetId) : this.#isFresh(change.targetId),
        }
      results.set(change.targetId, failed(place instanceof Problem ? place : unknownTarget(change.targetId)))
      return []
    })
    const outcome = await this.#writer.write(wishes, signal)
    for (const [id, result] of outcome.results) results.set(id, result)
    this.#learn(outcome)
    return results
  }

  inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    return inspectTargets(this.#api, this.#settings, targetIds, signal)
  }

  async close(): Promise<void> {
    this.#release()
  }

  /**
   * Whether a change can be planned by what is known already. A revert takes it at any age, unless NEW's record was not
   * there: what has been made meanwhile, by a call whose answer was lost for one, must not be taken for nothing.
   */
  #isReady({ targetId, urgency }: WeightChange): boolean {
    const known = this.#known.get(targetId)
    if (!known) return false
    return this.#isFresh(targetId) || (urgency === 'revert' && known.place.absent.length === 0)
  }

  /**
   * Which of these changes' records are to be read before this call: as many as it may have room for, in the order in which a
   * zone is listed. A revert in the zone is not to wait until all the records of a long queue of steps are read.
   */
  #readFirst(changes: readonly WeightChange[]): readonly string[] {
    const ready = changes.filter((change) => this.#isReady(change) && !this.#writer.isSuspect(change.targetId))
    const isRevert = changes.some(({ urgency }) => urgency === 'revert')
    const room = Math.floor(this.#maxRecords / (isRevert ? RECORDS_OF_REVERT : RECORDS_OF_STEP)) - ready.length
    const nameOf = ({ targetId }: WeightChange) => this.#settings.get(targetId)?.record ?? ''
    return changes
      .filter((change) => !this.#isReady(change))
      .sort(
        (a, b) =>
          Number(a.urgency === 'forward') - Number(b.urgency === 'forward') || compareNames(nameOf(a), nameOf(b)),
      )
      .slice(0, Math.max(room, ready.length > 0 ? 0 : 1))
      .map(({ targetId }) => targetId)
  }

  #isFresh(targetId: string): boolean {
    const known = this.#known.get(targetId)
    const ageMs = this.#clock.nowMs() - (known?.atMs ?? Number.NEGATIVE_INFINITY)
    return ageMs >= 0 && ageMs <= FRESH_MS
  }

  /** Reads these targets' records, and remembers those that are newer than what is known. */
  async #load(targetIds: readonly string[], use: QuotaUse, signal: AbortSignal): Promise<ReadonlyMap<string, Loaded>> {
    const ours = targetIds.flatMap((id) => {
      const settings = this.#settings.get(id)
      return settings ? [{ id, settings }] : []
    })
    const startedMs = this.#clock.nowMs()
    const names = ours.map(({ settings }) => settings.record)
    const found = await findRecords(this.#api, names, { use, signal })
    const owners = ownersIn(found)
    return new Map(
      ours.map(({ id, settings }): [string, Loaded] => {
        const sets = found.byName.get(settings.record) ?? []
        const place = sets instanceof Problem ? sets : placeIn(settings, sets)
        if (!(place instanceof Problem)) this.#remember(id, { place, atMs: startedMs })
        return [id, { place, otherWriter: otherWriterOf(settings, owners) }]
      }),
    )
  }

  #remember(id: string, known: Known): void {
    const before = this.#known.get(id)
    // A read that began before a write ended knows nothing of it.
    if (!before || known.atMs >= before.atMs) this.#known.set(id, known)
  }

  #learn({ made, unsure, refused }: Awaited<ReturnType<ZoneWriter['write']>>): void {
    const atMs = this.#clock.nowMs()
    if (made) {
      for (const { targetId, place } of made.plans) this.#known.set(targetId, { place, atMs })
      this.#pending.made(
        made.plans.map(({ targetId }) => targetId),
        made.changeId,
      )
    }
    this.#pending.maybeMade(unsure)
    for (const id of unsure) {
      const known = this.#known.get(id)
      if (known) this.#known.set(id, { ...known, atMs: Number.NEGATIVE_INFINITY })
    }
    // What Route 53 refuses was planned by records that are not so any more: they are read anew.
    for (const id of refused) this.#known.delete(id)
  }
}

interface Loaded {
  readonly place: Place | Problem
  readonly otherWriter: string | null
}
