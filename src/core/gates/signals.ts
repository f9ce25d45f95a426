import type { Signal } from '../fleet-plan.ts'
import { formatNumber, formatSpan } from '../format.ts'
import type { Missing } from '../observation.ts'
import type { Sides } from '../plan.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** What was read of a signal last. */
export interface SignalReading {
  /** The signal's. */
  readonly id: string
  readonly atMs: number
  readonly value: Sides<number | Missing>
  /** Since when NEW's value is beyond its bound; null: it is within it, or was not judged yet. */
  readonly badSinceMs: number | null
}

/** Which cluster gets requests of users from the migration's workloads. */
export type Serving = Sides<boolean>

/** How NEW's value stands: beyond the bound or within it; or why that cannot be said, in a clause. */
type Standing =
  | { readonly kind: 'read'; readonly isBeyond: boolean; readonly limit: string; readonly value: number }
  | { readonly kind: 'unread' | 'unasked'; readonly why: string }

/**
 * The verdict on one signal of a migration. Missing data is `blind`, whatever came before. `wait` is said of a bad value
 * that may pass yet, and of a signal of users' requests while one of the clusters serves none.
 */
export function judgeSignal(
  signal: Signal,
  reading: SignalReading | null,
  serving: Serving,
  clusters: Sides<string>,
  nowMs: number,
): Verdict {
  const verdict = verdictOf(`signal/${signal.id}`)
  if (reading === null) return verdict('blind', `${signal.title}: not read yet`)
  const standing = standingOf(signal, reading, serving, clusters)
  if (standing.kind !== 'read') {
    const told = `${signal.title}: ${standing.why}`
    return standing.kind === 'unread' ? verdict('blind', told) : verdict('wait', told, { judged: 'no' })
  }
  const { old } = reading.value
  const evidence = {
    newValue: standing.value,
    oldValue: typeof old === 'number' ? old : null,
    unit: signal.unit,
    ...signal.bound,
  }
  const told = `${signal.title}: ${clusters.new} has ${withUnit(standing.value, signal)} (${standing.limit})`
  if (!standing.isBeyond) return verdict('pass', told, evidence)
  const badSeconds = Math.max(0, (nowMs - (reading.badSinceMs ?? nowMs)) / 1000)
  const lasting = `${told} for ${formatSpan(badSeconds)}`
  return badSeconds >= signal.forSeconds
    ? verdict('halt', lasting, { ...evidence, badSeconds })
    : verdict('wait', `${lasting}, which halts after ${formatSpan(signal.forSeconds)}`, { ...evidence, badSeconds })
}

/** Whether the verdict rests on values; otherwise there was nothing that it could be about. */
export function isJudged({ evidence }: Verdict): boolean {
  return evidence['judged'] !== 'no'
}

/** Since when NEW is beyond the bound, by a new reading; a gap in the data neither begins nor ends it. */
export function badSince(
  signal: Signal,
  reading: Omit<SignalReading, 'badSinceMs'>,
  before: number | null,
  serving: Serving,
): number | null {
  const standing = standingOf(signal, reading, serving, { old: 'old', new: 'new' })
  if (standing.kind === 'unread') return before
  return standing.kind === 'read' && standing.isBeyond ? (before ?? reading.atMs) : null
}

function standingOf(
  signal: Signal,
  { value }: Pick<SignalReading, 'value'>,
  serving: Serving,
  clusters: Sides<string>,
): Standing {
  const { bound, ofTraffic } = signal
  const isRelative = 'timesOld' in bound
  if (ofTraffic && !serving.new) return { kind: 'unasked', why: `no workload has traffic on ${clusters.new} yet` }
  if (ofTraffic && isRelative && !serving.old)
    return { kind: 'unasked', why: `no workload has traffic on ${clusters.old} to compare with` }
  const { old, new: fresh } = value
  if (typeof fresh !== 'number') return { kind: 'unread', why: `${clusters.new} cannot be read: ${fresh.detail}` }
  if (!isRelative) {
    const isBeyond = 'max' in bound ? fresh > bound.max : fresh < bound.min
    const limit = 'max' in bound ? `at most ${withUnit(bound.max, signal)}` : `at least ${withUnit(bound.min, signal)}`
    return { kind: 'read', isBeyond, limit, value: fresh }
  }
  if (typeof old !== 'number') return { kind: 'unread', why: `${clusters.old} cannot be read: ${old.detail}` }
  const most = old * bound.timesOld + bound.plus
  const limit = `at most ${withUnit(most, signal)}, by ${withUnit(old, signal)} of ${clusters.old}`
  return { kind: 'read', isBeyond: fresh > most, limit, value: fresh }
}

/** Bounds as 99.9 and 99.95 differ behind the point. */
function withUnit(value: number, { unit }: Signal): string {
  const text = Math.abs(value) >= 1 ? String(Math.round(value * 1000) / 1000) : formatNumber(value)
  return unit === '' ? text : `${text} ${unit}`
}
