import { missing } from '../core/observation.ts'
import type { Trial } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { Quotas } from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'
import type {
  TrafficKind,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../traffic/failure.ts'
import { QUOTA } from './account.ts'
import type { Chance } from './chance.ts'
import { SIMULATED_TRAFFIC, type SimulatedSettings, TTL_SECONDS } from './config.ts'
import type { Writer } from './process.ts'

/** A write that is not late arrives within this time or never, ms: an adapter's call is given up after `WRITE_TIMEOUT_MS`. */
const LATEST_MS = 4_500
/** One that is late arrives when nobody waits for it any more, ms. */
const LATE_MS = { min: 5_000, max: 60_000 }
const USUAL_MS = 20

/** What is wrong with a scope. Each call meets it or not, by chance. */
export type ProviderFault = (typeof PROVIDER_FAULTS)[number]
export const PROVIDER_FAULTS = [
  'away',
  'refuses',
  'throttles',
  'slow',
  'loses-answers',
  'applies-half',
  'applies-nothing',
  'unreadable',
  'lands-late',
] as const

const PROBABILITY = 0.7

/** One changing call, from when it was sent. */
export interface SentWrite {
  readonly process: string
  /** Of whoever sent it. */
  readonly shard: string
  readonly scope: string
  readonly changes: readonly WeightChange[]
  /** What the writer held when it sent it. */
  readonly token: number | null
  readonly sentAtMs: number
}

/** A weight that has arrived at the provider. */
export interface Landing {
  readonly write: SentWrite
  readonly place: string
  readonly beforePercent: number
  readonly change: WeightChange
  /** Whoever sent it has long given it up. */
  readonly isLate: boolean
}

/** The shares of one place, percent, as the provider has them. */
export interface Shares {
  old: number
  new: number
}

export interface ProviderDeps {
  /** The world's, which no process's faults reach. */
  readonly clock: Clock
  readonly chance: Chance
  /** Calls are counted against an account's quota. */
  readonly hasQuota: boolean
  /** Any call, of this process. */
  readonly onCall: (process: string) => void
  readonly onSent: (write: SentWrite) => void
  readonly onLanded: (landing: Landing) => void
  /** What is made of a change right before it lands; for tests of the simulator itself. */
  readonly distort?: (shares: Shares, change: WeightChange) => Shares
}

/** A provider with scopes and places, whose calls take time and go wrong in every way that a call can. */
export class Provider {
  readonly shares = new Map<string, Shares>()
  /** Of places that are names, seconds. */
  readonly ttls = new Map<string, number>()
  /** Places where NEW gets copies of requests, or marked ones. */
  readonly trials = new Map<string, Trial>()
  readonly faults = new Map<string, ProviderFault>()
  private readonly deps: ProviderDeps

  constructor(places: readonly string[], deps: ProviderDeps) {
    this.deps = deps
    for (const place of places) this.shares.set(place, { old: 100, new: 0 })
  }

  /** The kind as one process opens it. */
  kindFor(writer: Writer): TrafficKind<SimulatedSettings> {
    return {
      ...SIMULATED_TRAFFIC,
      privilegesFor: () => [],
      open: (targets, _, { quotas }) => this.open(targets, writer, quotas),
    }
  }

  private open(targets: readonly TrafficTarget<SimulatedSettings>[], writer: Writer, quotas: Quotas): TrafficScope {
    const { process, shard, token } = writer
    const quota = this.deps.hasQuota ? quotas.of('sim', QUOTA) : null
    const scope = targets[0]?.settings.scope ?? ''
    const places = new Map(targets.map(({ id, settings }) => [id, settings.place]))
    for (const { settings } of targets)
      if (settings.ttl && !this.ttls.has(settings.place)) this.ttls.set(settings.place, TTL_SECONDS.before)
    return {
      quota,
      restSeconds: 0,
      inspect: async () => [],
      read: async (ids, signal) => {
        if (quota && !(await quota.take('read', signal)))
          return new Map(ids.map((id) => [id, missing('timeout', 'the quota had no room')]))
        this.deps.onCall(process)
        if (this.faults.get(scope) === 'throttles') quota?.exhaust()
        return this.read(scope, ids, places, signal)
      },
      write: async (changes, signal) => {
        const write = { process, shard, scope, changes, token: token(), sentAtMs: this.deps.clock.nowMs() }
        this.deps.onCall(process)
        this.deps.onSent(write)
        return this.write(write, places, signal)
      },
      close: async () => {},
    }
  }

  private meets(scope: string): ProviderFault | null {
    const fault = this.faults.get(scope) ?? null
    return fault !== null && this.deps.chance.is(PROBABILITY) ? fault : null
  }

  private async read(scope: string, ids: readonly string[], places: ReadonlyMap<string, string>, signal: AbortSignal) {
    const { clock, chance } = this.deps
    const fault = this.meets(scope)
    if (fault === 'slow') await clock.sleep(chance.whole(500, 8_000), signal)
    if (signal.aborted) return new Map(ids.map((id) => [id, missing('timeout', 'the deadline came first')]))
    if (fault === 'away' || fault === 'unreadable' || fault === 'throttles') {
      const why = missing('unreachable', `the provider is ${fault}`)
      return new Map(ids.map((id) => [id, why]))
    }
    return new Map(
      ids.map((id): [string, WeightReading] => {
        const place = places.get(id) ?? ''
        const [shares, ttlSeconds] = [this.shares.get(place), this.ttls.get(place)]
        if (!shares) return [id, missingFor(unknownTarget(id))]
        const trial = this.trials.get(place)
        const reading = { kind: 'weight', weightPercent: shares.new, ...(trial && { trial }) } as const
        return [id, ttlSeconds === undefined ? reading : { ...reading, ttlSeconds }]
      }),
    )
  }

  private async write(
    write: SentWrite,
    places: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, WriteResult>> {
    const { clock, chance } = this.deps
    const fault = this.meets(write.scope)
    const all = (result: WriteResult) => new Map(write.changes.map(({ targetId }) => [targetId, result]))
    if (fault === 'away') return all(failed(problem('TRAFFIC_UNREACHABLE', 'the provider is away')))
    if (fault === 'refuses') return all(failed(problem('TRAFFIC_REFUSED', 'the provider refuses')))
    if (fault === 'throttles') return all(failed(problem('TRAFFIC_THROTTLED', 'too many calls')))
    if (fault === 'lands-late') {
      void this.landLate(write, places)
      await clock.sleep(LATE_MS.max, signal)
      return all(failed(problem('TRAFFIC_TIMEOUT', 'no answer came')))
    }
    // The process may be gone or frozen by then: what was sent arrives all the same.
    await clock.sleep(fault === 'slow' ? chance.whole(100, LATEST_MS) : USUAL_MS)
    for (const [index, change] of write.changes.entries()) {
      const place = places.get(change.targetId)
      if (place === undefined || fault === 'applies-nothing') continue
      if (fault === 'applies-half' && index % 2 === (write.changes.length > 1 ? 1 : 0)) continue
      this.land(write, place, change, false)
    }
    if (fault === 'slow') await clock.sleep(chance.whole(0, LATEST_MS), signal)
    if (fault === 'loses-answers') await clock.sleep(60_000, signal)
    if (signal.aborted || fault === 'loses-answers') return all(failed(problem('TRAFFIC_TIMEOUT', 'no answer came')))
    return all({ kind: 'applied' })
  }

  /** The network, or the provider's queue, keeps it for a while. */
  private async landLate(write: SentWrite, places: ReadonlyMap<string, string>): Promise<void> {
    const { clock, chance } = this.deps
    await clock.sleep(chance.whole(LATE_MS.min, LATE_MS.max))
    for (const change of write.changes) {
      const place = places.get(change.targetId)
      if (place !== undefined) this.land(write, place, change, true)
    }
  }

  private land(write: SentWrite, place: string, change: WeightChange, isLate: boolean): void {
    const before = this.shares.get(place)
    if (!before) return
    const wanted = { old: round(100 - change.weightPercent), new: change.weightPercent }
    this.shares.set(place, this.deps.distort?.(wanted, change) ?? wanted)
    if (change.trial) this.trials.set(place, change.trial)
    else this.trials.delete(place)
    if (change.ttlSeconds !== null) this.ttls.set(place, change.ttlSeconds)
    this.deps.onLanded({ write, place, beforePercent: before.new, change, isLate })
  }

  /** Somebody else writes. */
  edit(place: string, weightPercent: number): void {
    this.shares.set(place, { old: round(100 - weightPercent), new: weightPercent })
  }
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10
}
