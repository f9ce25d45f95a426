import { formatPercent, formatSpan } from '../core/format.ts'
import type { Decision, Report, WorkloadReport } from './model.ts'
import { sparkline } from './sparkline.ts'
import {
  attributedBadText,
  attributedText,
  changeText,
  countOr,
  evidenceText,
  factsOf,
  formatMoment,
  METHOD,
  outcomeText,
  percentOr,
  proofText,
  servedText,
  spanOr,
  standingText,
  UNKNOWN,
  visible,
} from './words.ts'

export interface MarkdownOptions {
  /** Path of the plots, from where the text will be; null: there are none beside it. */
  readonly plotPath: string | null
}

/** The report as Markdown, as GitHub renders it. */
export function reportMarkdown(report: Report, { plotPath }: MarkdownOptions): string {
  const sections = [
    `# Migration ${escaped(report.migration)}`,
    `${escaped(outcomeText(report))}.`,
    table(['', ''], factsOf(report)),
    `${escaped(proofText(report))} Head: \`${report.journal.head.seq}:${report.journal.head.hash}\``,
    '## Weights over time',
    plotPath === null ? '' : `![Weights over time](${encodeURI(plotPath)})`,
    codeBlock(sparkline(report)),
    '## What was served',
    servedTable(report),
    ...report.workloads.flatMap(workloadSections),
    '## Who did what',
    actorsTable(report),
    '## Timeline',
    table(
      ['row', 'UTC', 'workload', 'actor', '', 'what'],
      report.timeline.map(({ seq, atMs, workload, actor, severity, sentence }) => [
        String(seq),
        formatMoment(atMs),
        workload ?? '',
        actor,
        severity === 'info' ? '' : severity,
        sentence,
      ]),
    ),
    '## How the numbers were made',
    METHOD.map((text) => `- ${text}`).join('\n'),
  ]
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`
}

function servedTable({ served, workloads }: Report): string {
  const rows = workloads.flatMap((workload) =>
    workload.served.map((one) => [
      workload.workload,
      one.sli,
      servedText(one.counts?.old),
      servedText(one.counts?.new),
      attributedBadText(one),
    ]),
  )
  const sums = served.map((one) => [
    'all',
    one.sli,
    servedText(one.counts?.old),
    servedText(one.counts?.new),
    attributedText(one),
  ])
  return table(['workload', 'SLI', 'on old', 'on new', 'bad by the migration'], [...rows, ...sums])
}

function workloadSections(workload: WorkloadReport): string[] {
  return [
    `## ${escaped(workload.workload)}`,
    `${escaped(standingText(workload))}.`,
    table(
      ['UTC', 'weight', 'read back after', 'in force after', 'observed share', 'by', 'why'],
      workload.weights.map((change) => [
        formatMoment(change.atMs),
        changeText(change),
        spanOr(change.confirmedAfterSeconds),
        spanOr(change.inForceAfterSeconds),
        percentOr(change.observedSharePercent),
        change.actor,
        change.reason,
      ]),
    ),
    ...(workload.budget.length > 0 ? [budgetTable(workload)] : []),
    ...(workload.holds.length > 0 ? ['**Holds**', holdsTable(workload)] : []),
    ...(workload.decisions.length > 0 ? ['**Decisions, and what every gate said**'] : []),
    ...workload.decisions.flatMap(decisionSections),
  ]
}

function budgetTable({ budget }: WorkloadReport): string {
  return table(
    ['error budget', 'spent by the migration', 'halts at', 'reverts at'],
    budget.map(({ sli, spentPercent, spentBad, haltPercent, revertPercent }) => [
      sli,
      spentPercent === null ? UNKNOWN : `${formatPercent(spentPercent)} of 30 days (${countOr(spentBad)} requests)`,
      formatPercent(haltPercent),
      formatPercent(revertPercent),
    ]),
  )
}

function holdsTable({ holds }: WorkloadReport): string {
  return table(
    ['hold', 'from', 'for', 'by', 'why', 'ended because'],
    holds.map(({ cause, fromMs, untilMs, seconds, actor, detail, endedBecause }) => [
      cause,
      formatMoment(fromMs),
      `${formatSpan(seconds)}${untilMs === null ? ' so far' : ''}`,
      actor,
      detail,
      endedBecause ?? '',
    ]),
  )
}

function decisionSections({ atMs, kind, fromPercent, toPercent, actor, reason, verdicts, seq }: Decision): string[] {
  const change = fromPercent === null ? '' : ` ${formatPercent(fromPercent)} → ${percentOr(toPercent)}`
  const head = `${formatMoment(atMs)} · row ${seq} · ${kind}${change} by ${actor}: ${reason}`
  if (verdicts.length === 0) return [escaped(head)]
  const rows = verdicts.map((verdict) => [verdict.gate, verdict.outcome, verdict.sentence, evidenceText(verdict)])
  return [escaped(head), table(['gate', 'says', 'because', 'numbers'], rows)]
}

function actorsTable({ actors }: Report): string {
  if (actors.length === 0) return 'Nobody: Headgate went by its policies alone.'
  return table(
    ['actor', 'UTC', 'workload', 'what'],
    actors.flatMap(({ actor, deeds }) =>
      deeds.map(({ atMs, workload, sentence }) => [actor, formatMoment(atMs), workload ?? '', sentence]),
    ),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '*None.*'
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** Text of others, so that nothing of it is markup, HTML, a formula or a link. */
export function escaped(text: string): string {
  return (
    visible(text)
      .replace(/[\\`*_[\]<>|~#&$@!]/g, '\\$&')
      .replace(/:\/\//g, ':\\/\\/')
      .replace(/\bwww\./gi, '$&\u200b')
      .replace(/^(\s*)([-+=])/, '$1\\$2')
      // A number is a list's only before a blank; of "8.24" nothing is to be escaped.
      .replace(/^(\s*\d+)([.)])(?=\s|$)/, '$1\\$2')
  )
}

/** A fence that nothing inside can close; the text is visible already. */
function codeBlock(text: string): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)))
  return `${fence}text\n${text}\n${fence}`
}
