import { formatCount, formatNumber, formatPercent, formatSpan } from '../core/format.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { Counts } from '../core/observation.ts'
import type { BothRunning, Report, Served, ServedInAll, WeightChange, WorkloadReport } from './model.ts'

/** What a report says in both of its forms. */

export const UNKNOWN = 'not known'
const NONE = '–'

/** `2026-01-05 09:00:10`, in UTC. */
export function formatMoment(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
}

/** `09:00:10`, in UTC. */
export function formatClock(atMs: number): string {
  return formatMoment(atMs).slice(11)
}

export function momentOr(atMs: number | null, otherwise: string): string {
  return atMs === null ? otherwise : formatMoment(atMs)
}

export function spanOr(seconds: number | null, otherwise: string = NONE): string {
  return seconds === null ? otherwise : formatSpan(seconds)
}

export function percentOr(percent: number | null, otherwise: string = NONE): string {
  return percent === null ? otherwise : formatPercent(percent)
}

export function countOr(count: number | null): string {
  return count === null ? UNKNOWN : formatCount(count)
}

export function money(amount: number, currency: string): string {
  const [whole = '', cents = ''] = amount.toFixed(2).split('.')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents} ${currency}`
}

/** `12,345 of which 12 bad (0.097 %)`. */
export function servedText(counts: Counts | null | undefined): string {
  if (!counts) return UNKNOWN
  const { total, bad } = counts
  if (total === 0) return 'none'
  return `${formatCount(total)}, ${formatCount(bad)} bad (${formatPercent((bad / total) * 100)})`
}

/** Text of others, made visible: what is no character to read, or turns the direction of reading, is named. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    if (character === '\n' || character === '\t') return ' '
    return `⟦U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`
  })
}

/** In one line, how it went. */
export function outcomeText({ workloads }: Report): string {
  const told = [
    ['moved', workloads.filter(({ phase }) => phase === 'completed').length],
    ['reverted', workloads.filter(({ phase }) => phase === 'reverted' || phase === 'reverting').length],
    ['cancelled', workloads.filter(({ phase }) => phase === 'cancelled').length],
    ['not begun', workloads.filter(({ startedAtMs, phase }) => startedAtMs === null && phase === 'waiting').length],
  ] as const
  const rest = workloads.length - told.reduce((sum, [, count]) => sum + count, 0)
  const parts = [...told, ['under way', rest] as const].filter(([, count]) => count > 0)
  const all = `${workloads.length} ${workloads.length === 1 ? 'workload' : 'workloads'}`
  return parts.length === 0 ? all : `${all}: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}`
}

/** Label and text of what one wants to know first. */
export function factsOf(report: Report): readonly (readonly [label: string, text: string])[] {
  const { span, bothRunning, clusters, madeAtMs } = report
  return [
    ['Clusters', `${clusters.old} → ${clusters.new}`],
    ['Began', momentOr(span.startedAtMs, 'not yet')],
    ['Ended', momentOr(span.endedAtMs, span.startedAtMs === null ? NONE : 'not yet')],
    ['Both clusters ran', bothText(bothRunning)],
    ['Cost of both', costText(bothRunning)],
    ['Halts and reverts', troubleText(report)],
    ...report.served.map((one) => [`Bad by the migration: ${one.sli}`, attributedText(one)] as const),
    ['Report made', formatMoment(madeAtMs)],
  ]
}

function bothText(both: BothRunning | null): string {
  if (both === null) return 'nothing has begun'
  return `${formatSpan(both.seconds)}${both.untilMs === null ? ' so far: not every workload is closed' : ''}`
}

function costText(both: BothRunning | null): string {
  if (both === null) return NONE
  if (both.cost === null) return `${UNKNOWN}: the config has no \`costs\``
  const { currency, old, new: fresh } = both.cost
  return `${money(old + fresh, currency)} (old ${money(old, currency)}, new ${money(fresh, currency)})`
}

function troubleText({ workloads }: Report): string {
  const kinds = workloads.flatMap(({ decisions }) => decisions.map(({ kind }) => kind))
  const count = (kind: string, word: string) => {
    const found = kinds.filter((one) => one === kind).length
    return `${found} ${word}${found === 1 ? '' : 's'}`
  }
  return `${count('halt', 'halt')}, ${count('revert', 'revert')}`
}

export function attributedText({ attributedBad, counts, unknown }: ServedInAll): string {
  if (attributedBad === null) return `${UNKNOWN}${unknown.length > 0 ? ` of ${unknown.join(', ')}` : ''}`
  const of = counts === null ? '' : ` of ${formatCount(counts.new.total)} on new`
  return `${formatCount(attributedBad)}${of}`
}

export function attributedBadText({ attributedBad }: Served): string {
  return countOr(attributedBad)
}

/** Where a workload stands, and since when. */
export function standingText(workload: WorkloadReport): string {
  const { phase, phaseReason, endedAtMs, closed, round } = workload
  const ended = endedAtMs === null ? '' : ` ${formatMoment(endedAtMs)}`
  const why = phaseReason === null ? '' : `: ${phaseReason}`
  const shut = closed === null ? '' : `; closed ${formatMoment(closed.atMs)} by ${closed.actor}`
  return `${phase}${ended}${why}${shut}${round > 1 ? `; start ${round}` : ''}`
}

export function weightText({ toPercent, trial }: WeightChange): string {
  return trial ?? formatPercent(toPercent)
}

export function changeText(change: WeightChange): string {
  return change.trial === null
    ? `${formatPercent(change.fromPercent)} → ${formatPercent(change.toPercent)}`
    : `only ${change.trial}`
}

/** The numbers that a verdict rests on, as `requests 1,200, burn 0.4`. */
export function evidenceText({ evidence }: Verdict): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? numberText(value) : (value ?? NONE)}`)
    .join(', ')
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 1000 ? formatCount(value) : formatNumber(value)
}

/** Whether the journal that the report rests on is as it was written. */
export function proofText({ journal: { head, fault } }: Report): string {
  if (fault !== null) return `The journal is NOT as it was written: row ${fault.seq}: ${fault.what}: ${fault.detail}.`
  return `Every one of the journal's ${formatCount(head.seq)} rows was as it was written when this report was made.`
}

/** How the numbers were made: nobody should have to guess. */
export const METHOD: readonly string[] = [
  'Times are UTC. Each one is when Headgate decided or saw it: a weight counts as applied when a provider acknowledged it, as confirmed when it was read back from every target, as in force when its TTL and settle time were over and the observed share agreed.',
  'Served and bad are events that the SLI counted on each cluster from the start of the workload until a minute after its end, when late scrapes are in, as the metric source tells them. A number that is missing is not known; it is never taken as 0.',
  'Bad by the migration: what NEW failed beyond what OLD would have failed of the same requests, max(0, e1 − (e0/n0)·n1) a workload, with e the bad and n all events of NEW (1) and OLD (0) in that time. Not known where OLD served nothing to compare with.',
  'Error budget spent: the ledger that the budget gate judged by, step by step, against 30 days of the traffic seen.',
  'Both clusters ran: from the first workload that left `waiting` until a person closed the last one; where one is not closed, until the report was made. The cost is that time by the prices in `costs`.',
  'Each row of the journal has a hash that covers the row before. The head stands for the whole journal: `headgate journal verify --expect HEAD` proves that it is the one that this report was made from.',
]
