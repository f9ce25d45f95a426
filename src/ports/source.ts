import type { Counts, Missing, ProbeOutcome } from '../core/observation.ts'
import type { ProbeSpec, Side, SliMeasure, SliSpec } from '../core/plan.ts'
import type { SyntheticTest } from '../core/synthetic.ts'
import type { AdapterContext, Privilege, SettingsSchema } from './kind.ts'

/** A kind of metric source: `prometheus`, `scrape`, `loki`, … One array entry in `sources/registry.ts`. */
export interface SourceKind<Settings = unknown> {
  readonly kind: string
  readonly settings: SettingsSchema<Settings>
  /** The forms of SLI that it can measure; another form is answered with `missing`. */
  readonly measures: readonly SliMeasure['kind'][]
  /**
   * What is wrong with a query of the forms `ask` and `askValue`, as far as one can say without asking anybody; null:
   * nothing. Left out: only the server can say.
   */
  queryFault?(query: string, about: QueryContext): QueryFault | null
  /**
   * What an SLI of the form `ask` that says no window has, seconds: for a source that counts by whole periods, how long these
   * are. Left out: it counts any tick exactly.
   */
  readonly usualWindowSeconds?: number
  /** The least that the credentials must be allowed. Left out: there is nothing to say. No I/O. */
  privilegesFor?(settings: Settings): readonly Privilege[]
  open(settings: Settings, context: AdapterContext): MetricSource
  /** Where it runs synthetic tests too. Left out: it runs none. */
  readonly synthetics?: { open(settings: Settings, context: AdapterContext): SyntheticReader }
}

/** What a query is for. */
export interface QueryContext {
  readonly form: 'ask' | 'askValue'
  readonly labels: SliSpec['labels']
}

/** A fault in the text of a query, `offset` characters in. */
export interface QueryFault {
  readonly offset: number
  readonly cause: string
  readonly hint: string
}

/** An SLI, and whose it is. */
export interface AskedSli extends SliSpec {
  /** Values of the label that names the cluster: nobody looks at those of others. Left out: nothing is known of that. */
  readonly clusters?: readonly string[]
}

/** Reads what happened between two moments, for all workloads at once. */
export interface MetricSource {
  /**
   * How long after the fact all of its data has arrived, seconds. Whoever asks, asks about a past that is closed: ticks and
   * spans end so long ago (`closedMs`). Left out: what it says of now is true now.
   */
  readonly ingestDelaySeconds?: number
  /**
   * Counts (or values) of each SLI over (sinceMs, atMs], one answer per SLI name asked. Never throws: what fails is
   * `missing`. Equal queries are sent once a call.
   */
  poll(slis: readonly AskedSli[], tick: Tick, signal: AbortSignal): Promise<ReadonlyMap<SliSpec, SliVector>>
  /**
   * The same over the past, one vector a tick of `tickSeconds`, oldest first, ending at `untilMs`: refills windows after
   * a start. A source without memory answers with no vectors.
   */
  history(sli: AskedSli, span: HistorySpan, signal: AbortSignal): Promise<readonly SliVector[] | Missing>
  /** How far its clock is ahead of ours, ms, to a second. Left out: it has no clock of its own. Never throws. */
  clockAheadMs?(signal: AbortSignal): Promise<number | Missing>
  close(): Promise<void>
}

/** The newest moment that a source may be asked about; of one whose data is late, on a multiple of `stepSeconds`. */
export function closedMs({ ingestDelaySeconds }: MetricSource, nowMs: number, stepSeconds: number): number {
  if (ingestDelaySeconds === undefined) return nowMs
  const stepMs = stepSeconds * 1000
  return Math.floor((nowMs - ingestDelaySeconds * 1000) / stepMs) * stepMs
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

/** Reads what came of tests that run by themselves. Never throws. */
export interface SyntheticReader {
  /** The newest result. One that is older than the time between two runs says nothing of now: it is missing. */
  read(test: SyntheticTest, signal: AbortSignal): Promise<SyntheticResult | Missing>
  close(): Promise<void>
}

export interface SyntheticResult {
  readonly kind: 'result'
  readonly outcome: ProbeOutcome
  /** When the run ended, ms since 1970: a result that was told before is the same one. */
  readonly endedAtMs: number
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
