import type { Urgency } from '../core/effect.ts'
import type { Missing } from '../core/observation.ts'
import type { Trial } from '../core/plan.ts'
import type { ProblemJson } from '../core/problem.ts'
import type { AdapterContext, Privilege, SettingsSchema } from './kind.ts'
import type { Quota } from './quota.ts'

/** A kind of traffic provider. One folder (or file) in `traffic/`, one entry in its registry. */
export interface TrafficKind<Settings = unknown, Account = unknown> {
  readonly kind: string
  /** One target's settings, as a workload has them under `traffic`. */
  readonly settings: SettingsSchema<Settings>
  /** What all targets of the kind share, as the config has it under `providers`; null: nothing. */
  readonly account: SettingsSchema<Account> | null
  /** What one atomic write covers: targets with an equal scope share an adapter and a writer. */
  scopeOf(settings: Settings): string
  /** The place within the scope: two workloads must not claim the same. */
  placeOf(settings: Settings): string
  timingOf(settings: Settings): TrafficTiming
  /** The trials that it can do before any weight; left out: none. */
  readonly trials?: readonly Trial['kind'][]
  /** The weights nearest to this one that the provider can have, percent: itself alone, where it can have that. */
  nearestWeights(weightPercent: number): readonly number[]
  /** The least that Headgate must be allowed to do for these targets. No I/O. */
  privilegesFor(targets: readonly TrafficTarget<Settings>[], account: Account): readonly Privilege[]
  /** Opens one scope. `targets` are all its targets; no I/O happens before the first read or write. */
  open(targets: readonly TrafficTarget<Settings>[], account: Account, context: AdapterContext): TrafficScope
}

export interface TrafficTarget<Settings = unknown> {
  readonly id: string
  readonly settings: Settings
}

/** How long a write takes to reach the clients. */
export interface TrafficTiming {
  /** From a confirmed write that is no longer `pending` until every server of the provider has it, seconds. */
  readonly propagationSeconds: number
  /** DNS: the TTL to have while traffic moves, seconds; null: TTLs are none of Headgate's business here. */
  readonly movingTtlSeconds: number | null
}

/** One scope of a provider. Its owner makes one `write` at a time; reads may run beside it. */
export interface TrafficScope {
  /**
   * The account's quota, shared by all its scopes; null: there is none. Who calls `write` has had a `turn` of it before;
   * all further calls, those of `read` and `inspect` too, are taken by the adapter itself.
   */
  readonly quota: Quota | null
  /** A scope to which nothing is on its way need not be read more often than that, seconds; 0: each sweep. */
  readonly restSeconds: number
  /** The weights as the provider has them now, by target id. Never throws. */
  read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>>
  /**
   * Asks for these splits with one changing call to the provider: as many as one call takes, reverts first; the rest is
   * `deferred`. Idempotent: writing what is there changes nothing. Never throws; one result a change. `applied` is the
   * provider's acknowledgement, not proof: the engine reads back.
   */
  write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>>
  /** What would go wrong, looked for live and without writing anything. Empty: all is well. Never throws. */
  inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]>
  close(): Promise<void>
}

export type WeightReading = TrafficReading | Missing

export interface TrafficReading {
  readonly kind: 'weight'
  readonly weightPercent: number
  /** One clause: what the provider still has to do before it serves by what was read; left out: nothing. */
  readonly pending?: string
  /** DNS: how long resolvers keep an answer, seconds: the longer of the two siblings'. */
  readonly ttlSeconds?: number
  /** The trial that is on; left out: none. */
  readonly trial?: Trial
  /** Who else writes here, and what to change there, one sentence; left out: nobody that the adapter can see. */
  readonly otherWriter?: string
}

export interface WeightChange {
  readonly targetId: string
  /** 0 to 100, in steps of 0.1. */
  readonly weightPercent: number
  /** DNS: the TTL that both siblings shall have, seconds; null: as it is. */
  readonly ttlSeconds: number | null
  /** null or left out: none, and one that is there ends. Only kinds that have `trials` are asked for one. */
  readonly trial?: Trial | null
  readonly urgency: Urgency
}

export type WriteResult =
  | { readonly kind: 'applied' }
  /** Not tried: the call had no room for it. It is to be asked again with the next. */
  | { readonly kind: 'deferred' }
  | { readonly kind: 'failed'; readonly problem: ProblemJson }

/** Something that `inspect` found. */
export interface TrafficFinding {
  readonly targetId: string
  /** `fail`: a rollout would not get on; `warn`: it would, but somebody should look. */
  readonly level: 'fail' | 'warn'
  readonly problem: ProblemJson
}
