import type { Counts, Missing, ProbeOutcome } from '../core/observation.ts'
import type { ProbeSpec, Side, SliMeasure, SliSpec } from '../core/plan.ts'
import type { AdapterContext, SettingsSchema } from './kind.ts'

/** A kind of metric source: `prometheus`, `scrape`. One array entry in `sources/registry.ts`. */
export interface SourceKind<Settings = unknown> {
  readonly kind: string
  readonly settings: SettingsSchema<Settings>
  /** The forms of SLI that it can measure; another form is answered with `missing`. */
  readonly measures: readonly SliMeasure['kind'][]
  open(settings: Settings, context: AdapterContext): MetricSource
}

/** Reads what happened between two moments, for all workloads at once. */
export interface MetricSource {
  /**
   * Counts (or values) of each SLI over (sinceMs, atMs], one answer per SLI name asked. Never throws: what fails is
   * `missing`. Equal queries are sent once a call.
   */
  poll(slis: readonly SliSpec[], tick: Tick, signal: AbortSignal): Promise<ReadonlyMap<SliSpec, SliVector>>
  /**
   * The same over the past, one vector a tick of `tickSeconds`, oldest first, ending at `untilMs`: refills windows after
   * a start. A source without memory answers with no vectors.
   */
  history(sli: SliSpec, span: HistorySpan, signal: AbortSignal): Promise<readonly SliVector[] | Missing>
  /** How far its clock is ahead of ours, ms, to a second. Left out: it has no clock of its own. Never throws. */
  clockAheadMs?(signal: AbortSignal): Promise<number | Missing>
  close(): Promise<void>
}

export interface Tick {
  readonly sinceMs: number
  readonly atMs: number
}

export interface HistorySpan {
  readonly untilMs: number
  readonly seconds: number
  readonly tickSeconds: number
}

/** One SLI, one tick, all clusters and workloads that the source knows. */
export type SliVector =
  | {
      readonly kind: 'vector'
      readonly sinceMs: number
      readonly atMs: number
      readonly groups: ReadonlyMap<string, Measure>
    }
  | Missing

/** A group that has no series at all is absent from the map; one whose data is unusable is `missing`. */
export type Measure =
  | ({
      readonly kind: 'counts'
      /** The same events by latency; null: the SLI has no buckets, or the vector is one of the past. */
      readonly latencies: BucketCounts | null
    } & Counts)
  | { readonly kind: 'value'; readonly value: number }
  | Missing

/** How many of the counted events were slower than each boundary that all series of the group have. */
export interface BucketCounts {
  /** Seconds, rising, without +Inf. */
  readonly boundsSeconds: readonly number[]
  /** By boundary; never rising, and at most the total. */
  readonly slower: readonly number[]
}

/** Key of a group: the values of the cluster and the workload label. */
export function groupKey(cluster: string, workload: string): string {
  return `${cluster}\u0000${workload}`
}

/** The cluster of a group's key. */
export function clusterOf(key: string): string {
  return key.slice(0, key.indexOf('\u0000'))
}

/** Asks one side of one probe. Never throws. */
export interface Prober {
  probe(spec: ProbeSpec, side: Side, signal: AbortSignal): Promise<ProbeOutcome | Missing | null>
  close(): Promise<void>
}

/** Looks at the certificate that one side serves for a probe's name. Never throws. */
export interface CertificateReader {
  /** null: the probe is not over TLS, or that side has no address. */
  read(spec: ProbeSpec, side: Side, signal: AbortSignal): Promise<ServedCertificate | Missing | null>
}

export type ServedCertificate =
  /** Its chain is trusted, and it is for the name. */
  | { readonly kind: 'valid'; readonly daysLeft: number; readonly names: readonly string[] }
  /** Why it is not, or why nobody shook hands, one clause. */
  | { readonly kind: 'invalid'; readonly why: string }
