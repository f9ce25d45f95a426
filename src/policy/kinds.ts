import type { z } from 'zod'
import type { SliMeasure, SliSpec, Trial } from '../core/plan.ts'

/** The kinds of adapters that a config may name; the registries fit. */
export interface Kinds {
  readonly traffic: readonly TrafficKindConfig[]
  readonly sources: readonly SourceKindConfig[]
  readonly channels: readonly ChannelKindConfig[]
}

/** What the config needs to know of a traffic kind (see `TrafficKind` in `ports/traffic.ts`). */
export interface TrafficKindConfig {
  readonly kind: string
  readonly settings: z.ZodType<unknown>
  readonly account: z.ZodType<unknown> | null
  scopeOf(settings: unknown): string
  placeOf(settings: unknown): string
  readonly trials?: readonly Trial['kind'][]
  timingOf(settings: unknown): { readonly propagationSeconds: number; readonly movingTtlSeconds: number | null }
  nearestWeights(weightPercent: number): readonly number[]
}

/** What the config needs to know of a source kind (see `SourceKind` in `ports/source.ts`). */
export interface SourceKindConfig {
  readonly kind: string
  readonly settings: z.ZodType<unknown>
  /** The forms of SLI that it can measure. */
  readonly measures: readonly SliMeasure['kind'][]
  queryFault?(
    query: string,
    about: { readonly form: 'ask' | 'askValue'; readonly labels: SliSpec['labels'] },
  ): { readonly offset: number; readonly cause: string; readonly hint: string } | null
  readonly usualWindowSeconds?: number
  /** There if it runs synthetic tests. */
  readonly synthetics?: object
}

/** What the config needs to know of a kind of notification channel (see `ChannelKind` in `ports/channel.ts`). */
export interface ChannelKindConfig {
  readonly kind: string
  readonly settings: z.ZodType<unknown>
  readonly takes: 'messages' | 'incidents' | 'marks'
}
