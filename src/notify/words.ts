import type { Severity } from '../core/event.ts'
import { formatNumber } from '../core/format.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { NotificationItem } from '../ports/channel.ts'

const MAX_VERDICTS = 5
const MAX_NUMBERS = 8

export const LOUDNESS: Readonly<Record<Severity, number>> = { info: 0, warn: 1, page: 2 }

/** The evidence of verdicts that speak against a raise, a line each. */
export function evidenceLines(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts
    .filter(({ outcome }) => outcome !== 'pass')
    .slice(0, MAX_VERDICTS)
    .map(({ gate, outcome, evidence, sentence }) => {
      const numbers = Object.entries(evidence)
        .slice(0, MAX_NUMBERS)
        .map(([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : (value ?? 'unknown')}`)
      return `${gate} says ${outcome}: ${sentence}${numbers.length === 0 ? '' : ` (${numbers.join(', ')})`}`
    })
}

/** What a template may put in the text of an event. */
export function itemValues(item: NotificationItem, migration: string | null): Readonly<Record<string, string>> {
  const { severity, workload, atMs, event, actor, runId, what, why, did, next, links, queries } = item
  return {
    severity,
    migration: migration ?? '',
    workload: workload ?? '',
    time: new Date(atMs).toISOString(),
    event,
    actor,
    runId,
    what,
    why: why.join('; '),
    did,
    next,
    links: links.map(({ label, url }) => `${label}: ${url}`).join(' · '),
    queries: queries.join('; '),
  }
}

/** The built-in text of an event: lines with what, why, what was done, what to do, and where to look. */
export function itemText(item: NotificationItem): string {
  const { severity, workload, atMs, actor, runId, what, why, did, next, links, queries } = item
  return [
    `${severity.toUpperCase()} ${workload === null ? '' : `${workload}: `}${what}`,
    ...why.map((line) => `Why: ${line}`),
    `Headgate: ${did}`,
    `You: ${next}`,
    ...links.map(({ label, url }) => `${label}: ${url}`),
    ...queries.map((query) => `PromQL: ${query}`),
    `${new Date(atMs).toISOString()}, by ${actor}, run ${runId}, journal row ${item.seq}`,
  ].join('\n')
}

/** The same in fields, all of them text. */
export function detailsOf(item: NotificationItem): Readonly<Record<string, string>> {
  const { did, next, why, queries, actor, runId, seq, what } = item
  return {
    what,
    why: why.join('\n'),
    did,
    next,
    ...(queries.length > 0 && { promql: queries.join('\n') }),
    actor,
    runId,
    journalRow: String(seq),
  }
}
