import type { Urgency } from '../core/effect.ts'
import type { Missing } from '../core/observation.ts'
import type { ProblemJson } from '../core/problem.ts'
import type { AdapterContext, SettingsSchema } from './kind.ts'

/** A kind of traffic provider. One folder (or file) in `traffic/`, one entry in its registry. */
export interface TrafficKind<Settings = unknown> {
  readonly kind: string
  readonly settings: SettingsSchema<Settings>
  /** What one atomic write covers: targets with an equal scope share an adapter and a writer. */
  scopeOf(settings: Settings): string
  /** The place within the scope: two workloads must not claim the same. */
  placeOf(settings: Settings): string
  /** From a confirmed write until clients must have seen it (propagation + TTL), seconds. */
  settleSeconds(settings: Settings): number
  /** The weights nearest to this one that the provider can have, percent: itself alone, where it can have that. */
  nearestWeights(weightPercent: number): readonly number[]
  /** Opens one scope. `targets` are all its targets; no I/O happens before the first read or write. */
  open(targets: readonly TrafficTarget<Settings>[], context: AdapterContext): TrafficScope
}

export interface TrafficTarget<Settings = unknown> {
  readonly id: string
  readonly settings: Settings
}

/** One scope of a provider. Its owner makes one call at a time. */
export interface TrafficScope {
  /** The weights as the provider has them now, by target id. Never throws. */
  read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>>
  /**
   * Asks for these weights, in as few calls as the provider takes. Idempotent: writing a weight that is there changes
   * nothing. Never throws; one result a change. `applied` is the provider's acknowledgement, not proof: the engine
   * reads back.
   */
  write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>>
  close(): Promise<void>
}

export type WeightReading = { readonly kind: 'weight'; readonly weightPercent: number } | Missing

export interface WeightChange {
  readonly targetId: string
  /** 0 to 100, in steps of 0.1. */
  readonly weightPercent: number
  readonly urgency: Urgency
}

export type WriteResult = { readonly kind: 'applied' } | { readonly kind: 'failed'; readonly problem: ProblemJson }
