import { formatPercent, formatSpan } from '../core/format.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import { isHalt } from '../core/state.ts'
import { Markup, markup, NOTHING } from './markup.ts'
import type { Decision, Report, WorkloadReport } from './model.ts'
import { PAGE_STYLE } from './page-style.ts'
import { weightPlot } from './plot.ts'
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
} from './words.ts'

/** What a browser may do with the page: show it. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** The report as one page of HTML: no script, nothing from elsewhere. */
export function reportHtml(report: Report): string {
  const { migration, workloads, journal } = report
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}"><meta name="referrer" content="no-referrer">
<title>Migration ${migration}</title><style>${new Markup(PAGE_STYLE)}</style></head><body>
<header><h1>Migration ${migration}</h1><p class="lead">${outcomeText(report)}</p>
<dl>${factsOf(report).map(([label, text]) => markup`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>
<p class="${journal.fault === null ? 'proof' : 'proof broken'}">${proofText(report)}<br>Head <code>${journal.head.seq}:${journal.head.hash}</code></p>
<nav>${workloads.map((workload, index) => markup`<a href="#w${index + 1}">${workload.workload}</a>`)}<a href="#people">Who did what</a><a href="#timeline">Timeline</a><a href="#method">How the numbers were made</a></nav></header>
<h2>Weights over time</h2><div class="scroll">${plotOf(report)}</div>
<h2>What was served</h2>${servedTable(report)}
${workloads.map(workloadSection)}
<h2 id="people">Who did what</h2>${actorsTable(report)}
<h2 id="timeline">Timeline</h2>${timelineTable(report)}
<h2 id="method">How the numbers were made</h2><ul>${METHOD.map((text) => markup`<li>${text}</li>`)}</ul>
</body></html>
`.text
}

function plotOf(report: Report): Markup {
  return report.span.startedAtMs === null ? markup`<p class="dim">Nothing has begun.</p>` : weightPlot(report)
}

function servedTable({ served, workloads }: Report): Markup {
  const line = (name: string, sli: string, cells: readonly string[], kind: string) =>
    markup`<tr class="${kind}"><td>${name}</td><td>${sli}</td>${cells.map((cell) => markup`<td class="n">${cell}</td>`)}</tr>`
  const rows = workloads.flatMap((workload) =>
    workload.served.map((one) =>
      line(
        workload.workload,
        one.sli,
        [servedText(one.counts?.old), servedText(one.counts?.new), attributedBadText(one)],
        '',
      ),
    ),
  )
  const sums = served.map((one) =>
    line('all', one.sli, [servedText(one.counts?.old), servedText(one.counts?.new), attributedText(one)], 'sum'),
  )
  return table(['workload', 'SLI', '#on old', '#on new', '#bad by the migration'], [...rows, ...sums])
}

function workloadSection(workload: WorkloadReport, index: number): Markup {
  const { phase, policy, planHash, runId, holds, decisions, budget } = workload
  const tone = phase === 'completed' ? 'good' : phase === 'reverted' || phase === 'reverting' ? 'bad' : 'warn'
  const plan = planHash === null ? 'no plan is pinned yet' : `policy ${policy ?? UNKNOWN}, plan ${planHash}`
  return markup`<section><h2 id="w${index + 1}">${workload.workload} <span class="tag ${tone}">${phase}</span></h2>
<p>${standingText(workload)}</p><p class="dim">${plan}, run ${runId}</p>
${weightsTable(workload)}
${budget.length > 0 ? markup`<h3>Error budget spent by the migration</h3>${budgetTable(workload)}` : NOTHING}
${holds.length > 0 ? markup`<h3>Holds</h3>${holdsTable(workload)}` : NOTHING}
${decisions.length > 0 ? markup`<h3>Decisions, and what every gate said</h3>${decisions.map(decisionDetails)}` : NOTHING}</section>`
}

function weightsTable({ weights }: WorkloadReport): Markup {
  const rows = weights.map(
    (change) =>
      markup`<tr><td class="t">${formatMoment(change.atMs)}</td><td class="t${change.isRevert ? ' bad' : ''}">${changeText(change)}</td><td class="n">${spanOr(change.confirmedAfterSeconds)}</td><td class="n">${spanOr(change.inForceAfterSeconds)}</td><td class="n">${percentOr(change.observedSharePercent)}</td><td>${change.actor}</td><td>${change.reason}</td></tr>`,
  )
  return table(['UTC', 'weight', '#read back after', '#in force after', '#observed share', 'by', 'why'], rows)
}

function budgetTable({ budget }: WorkloadReport): Markup {
  const rows = budget.map(({ sli, spentPercent, spentBad, haltPercent, revertPercent }) => {
    const spent =
      spentPercent === null ? UNKNOWN : `${formatPercent(spentPercent)} of 30 days (${countOr(spentBad)} requests)`
    return markup`<tr><td>${sli}</td><td class="n">${spent}</td><td class="n">${formatPercent(haltPercent)}</td><td class="n">${formatPercent(revertPercent)}</td></tr>`
  })
  return table(['SLI', '#spent', '#halts at', '#reverts at'], rows)
}

function holdsTable({ holds }: WorkloadReport): Markup {
  const rows = holds.map(
    ({ cause, fromMs, untilMs, seconds, actor, detail, endedBecause }) =>
      markup`<tr><td><span class="tag ${isHalt(cause) ? 'bad' : 'warn'}">${cause}</span></td><td class="t">${formatMoment(fromMs)}</td><td class="n">${formatSpan(seconds)}${untilMs === null ? ' so far' : ''}</td><td>${actor}</td><td>${detail}</td><td>${endedBecause ?? ''}</td></tr>`,
  )
  return table(['hold', 'from', '#for', 'by', 'why', 'ended because'], rows)
}

const TONES: Readonly<Record<Decision['kind'], string>> = {
  raise: 'good',
  trial: 'good',
  halt: 'bad',
  revert: 'bad',
  'revert refused': 'bad',
}

function decisionDetails(decision: Decision): Markup {
  const { seq, atMs, kind, fromPercent, toPercent, actor, reason, verdicts } = decision
  const change = fromPercent === null ? '' : ` ${formatPercent(fromPercent)} → ${percentOr(toPercent)}`
  const head = markup`<span class="tag ${TONES[kind]}">${kind}</span><strong>${change}</strong> ${formatMoment(atMs)}, row ${seq}, by ${actor}: ${reason}`
  if (verdicts.length === 0)
    return markup`<details><summary>${head}</summary><p class="dim">No gate was asked.</p></details>`
  const open = new Markup(TONES[kind] === 'bad' ? ' open' : '')
  return markup`<details${open}><summary>${head}</summary>${table(['gate', 'says', 'because', 'numbers'], verdicts.map(verdictRow))}</details>`
}

const OUTCOME_TONES: Readonly<Record<Verdict['outcome'], string>> = {
  pass: 'good',
  wait: 'warn',
  blind: 'warn',
  halt: 'bad',
  revert: 'bad',
}

function verdictRow(verdict: Verdict): Markup {
  const { gate, outcome, sentence } = verdict
  return markup`<tr><td>${gate}</td><td><span class="tag ${OUTCOME_TONES[outcome]}">${outcome}</span></td><td>${sentence}</td><td class="dim">${evidenceText(verdict)}</td></tr>`
}

function actorsTable({ actors }: Report): Markup {
  if (actors.length === 0) return markup`<p class="dim">Nobody: Headgate went by its policies alone.</p>`
  const rows = actors.flatMap(({ actor, deeds }) =>
    deeds.map(
      ({ atMs, workload, sentence }) =>
        markup`<tr><td>${actor}</td><td class="t">${formatMoment(atMs)}</td><td>${workload ?? ''}</td><td class="what">${sentence}</td></tr>`,
    ),
  )
  return table(['actor', 'UTC', 'workload', 'what'], rows)
}

function timelineTable({ timeline }: Report): Markup {
  const rows = timeline.map(({ seq, atMs, workload, actor, severity, sentence }) => {
    const tone = severity === 'page' ? 'bad' : severity === 'warn' ? 'warn' : ''
    const mark = tone === '' ? NOTHING : markup`<span class="tag ${tone}">${severity}</span>`
    return markup`<tr><td class="n dim">${seq}</td><td class="t">${formatMoment(atMs)}</td><td>${workload ?? ''}</td><td>${actor}</td><td>${mark}</td><td class="what">${sentence}</td></tr>`
  })
  return table(['#row', 'UTC', 'workload', 'actor', '', 'what'], rows)
}

/** A heading that begins with `#` is of a column of numbers. */
function table(head: readonly string[], rows: readonly Markup[]): Markup {
  if (rows.length === 0) return markup`<p class="dim">None.</p>`
  const cells = head.map((text) =>
    text.startsWith('#') ? markup`<th class="n">${text.slice(1)}</th>` : markup`<th>${text}</th>`,
  )
  return markup`<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`
}
