import { formatOrigin } from '../core/format.ts'
import { guardOf } from '../core/gates/burn.ts'
import type { Sides, SliSpec } from '../core/plan.ts'
import { quote } from '../shared/promql/literal.ts'
import { anyOf } from '../shared/promql/selector.ts'
import { runbookUrl } from './health.ts'
import { type AlertRule, oneLine, plain, type Rule, type RuleGroup, type Severity } from './rule.ts'
import { type Counted, countedOf } from './sli-query.ts'

/** Windows that Sloth's series have, seconds. The longer ones are made from what the first has recorded. */
const ASKED_WINDOWS = { '5m': 300, '30m': 1800, '1h': 3600, '2h': 7200, '6h': 21_600 } as const
const KEPT_WINDOWS = ['1d', '3d', '30d'] as const

/**
 * Burns that somebody is to hear of (Google SRE workbook, chapter 5): both windows above the factor, and in one of them
 * enough requests to tell. That one was asked for whole: an average of what was kept says nothing of how long it was kept.
 */
const BURNS: readonly Burn[] = [
  { long: '1h', short: '5m', counted: '1h', factor: 14.4, severity: 'page' },
  { long: '6h', short: '30m', counted: '6h', factor: 6, severity: 'page' },
  { long: '1d', short: '2h', counted: '2h', factor: 3, severity: 'ticket' },
]

interface Burn {
  readonly long: string
  readonly short: string
  readonly counted: keyof typeof ASKED_WINDOWS
  readonly factor: number
  readonly severity: Severity
}

export interface Slo {
  readonly migration: string
  readonly clusters: Sides<string>
  readonly sli: SliSpec & { readonly objectivePercent: number }
  /** Workloads that are judged by it. */
  readonly workloads: readonly string[]
}

/**
 * Rules of one SLI, for all its workloads at once, each cluster by itself: counts, ratios with the names and labels that
 * Sloth gives them, and alerts on fast burns. null: its measure counts nothing.
 */
export function sloGroups(slo: Slo, runbooks: string): readonly RuleGroup[] | null {
  const { migration, clusters, sli, workloads } = slo
  const { cluster, workload } = sli.labels
  const members = [
    { label: cluster, op: '=~', value: anyOf([clusters.old, clusters.new]) },
    { label: workload, op: '=~', value: anyOf(workloads) },
  ] as const
  const asked = Object.entries(ASKED_WINDOWS).map(([window, seconds]) => ({
    window,
    counted: countedOf(sli, members, window, seconds),
  }))
  const labels = { migration, sloth_slo: sli.name }
  const of = `{migration=${quote(migration)},sloth_slo=${quote(sli.name)}}`
  const rules = asked.flatMap(({ window, counted }) => (counted ? countRules(window, counted, slo, of, labels) : []))
  if (rules.length === 0) return null
  const all = [...rules, ...KEPT_WINDOWS.flatMap((window) => keptRules(window, of, labels)), ...aboutRules(slo, of)]
  const why = sli.origin === undefined ? null : `${sli.name} is defined by ${formatOrigin(sli.origin)}.`
  return [
    {
      name: `headgate-slo-${migration}-${sli.name}`,
      rules: all.map((rule, index) => ({ rule, why: index === 0 ? why : null })),
    },
    { name: `headgate-slo-alerts-${migration}-${sli.name}`, rules: burnAlerts(slo, of, runbooks).map(plain) },
  ]
}

type Labels = Readonly<Record<string, string>>

function countRules(window: string, { total, bad }: Counted, slo: Slo, of: string, labels: Labels): readonly Rule[] {
  const { name, labels: own } = slo.sli
  // One rule for all workloads, so that the query is asked once; the labels are made from its answer.
  const named = (expr: string) =>
    `label_replace(label_replace(${expr}, "sloth_service", "$1", ${quote(own.workload)}, "(.*)"), "sloth_id", ${quote(`$1-${name}`)}, ${quote(own.workload)}, "(.*)")`
  return [
    { record: `slo:sli_events:rate${window}`, expr: named(total), labels },
    { record: `slo:sli_errors:rate${window}`, expr: named(bad), labels },
    ratioRule(window, of, labels),
  ]
}

function keptRules(window: string, of: string, labels: Labels): readonly Rule[] {
  const kept = (series: string) => `avg_over_time(${series}:rate5m${of}[${window}])`
  return [
    { record: `slo:sli_events:rate${window}`, expr: kept('slo:sli_events'), labels },
    { record: `slo:sli_errors:rate${window}`, expr: kept('slo:sli_errors'), labels },
    ratioRule(window, of, labels),
  ]
}

/** Nothing over nothing is no ratio: without requests the series is absent. */
function ratioRule(window: string, of: string, labels: Labels): Rule {
  return {
    record: `slo:sli_error:ratio_rate${window}`,
    expr: `slo:sli_errors:rate${window}${of} / (slo:sli_events:rate${window}${of} > 0)`,
    labels: { ...labels, sloth_window: window },
  }
}

/** What Sloth's own dashboards ask for beside the ratios. */
function aboutRules({ migration, sli }: Slo, of: string): readonly Rule[] {
  const labels = { migration, sloth_slo: sli.name }
  const constant = (value: number) =>
    `0 * max by (sloth_id, sloth_service) (slo:sli_events:rate5m${of}) + ${numeral(value)}`
  const budget = budgetOf(sli)
  return [
    { record: 'slo:objective:ratio', expr: constant(1 - budget), labels },
    { record: 'slo:error_budget:ratio', expr: constant(budget), labels },
    { record: 'slo:time_period:days', expr: constant(30), labels },
    {
      record: 'slo:current_burn_rate:ratio',
      expr: `slo:sli_error:ratio_rate5m${of} / ${numeral(budget)}`,
      labels,
    },
    {
      record: 'slo:period_burn_rate:ratio',
      expr: `slo:sli_error:ratio_rate30d${of} / ${numeral(budget)}`,
      labels,
    },
    {
      record: 'slo:period_error_budget_remaining:ratio',
      expr: `1 - slo:period_burn_rate:ratio${of}`,
      labels,
    },
    {
      record: 'sloth_slo_info',
      expr: constant(1),
      labels: { ...labels, sloth_objective: String(sli.objectivePercent), sloth_spec: 'headgate/v1' },
    },
  ]
}

function burnAlerts(slo: Slo, of: string, runbooks: string): readonly AlertRule[] {
  const { migration, sli } = slo
  const budget = budgetOf(sli)
  return BURNS.map(({ long, short, counted, factor, severity }) => ({
    alert: 'HeadgateSloBurn',
    expr: oneLine(`slo:sli_error:ratio_rate${long}${of} > ${numeral(factor * budget)}
      and ignoring (sloth_window) slo:sli_error:ratio_rate${short}${of} > ${numeral(factor * budget)}
      and ignoring (sloth_window) slo:sli_events:rate${counted}${of} * ${ASKED_WINDOWS[counted]} >= ${numeral(guardOf(factor) / budget)}`),
    labels: { severity, migration, sloth_slo: sli.name, sloth_window: long },
    annotations: {
      summary: `{{ $labels.sloth_service }} on {{ $labels.${sli.labels.cluster} }} burns the error budget of ${sli.name}`,
      description: `For ${long} and for ${short} it has spent the budget more than ${factor} times as fast as it may ({{ $value | humanizePercentage }} of the requests are bad, ${sli.objectivePercent} % are to be good).`,
      runbook_url: runbookUrl(runbooks, 'HeadgateSloBurn'),
    },
  }))
}

function budgetOf({ objectivePercent }: Slo['sli']): number {
  return 1 - objectivePercent / 100
}

/** Without the crumbs of binary fractions. */
function numeral(value: number): string {
  return String(Number(value.toPrecision(12)))
}
