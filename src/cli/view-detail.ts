import type { WorkloadDetailJson } from '../api/wire.ts'
import { formatPercent, formatSpan } from '../core/format.ts'
import type { Missing } from '../core/observation.ts'
import { stepLabel } from '../core/step-label.ts'
import { clean, column, cut, paint, type Style, workloadLines } from './view.ts'

/** One workload for people: its line, then holds, verdicts, readings and steps, each under a heading. */
export function detailLines(detail: WorkloadDetailJson, nowMs: number, style: Style): string[] {
  const ago = (atMs: number) => `${formatSpan(Math.max(0, Math.floor((nowMs - atMs) / 1000)))} ago`
  return [
    ...workloadLines([detail], style),
    ...section('holds', holdRows(detail, ago), style),
    ...section('verdicts', verdictRows(detail), style),
    ...section('checks', checkRows(detail, ago), style),
    ...section('readings', readingRows(detail, ago), style),
    ...section('steps', stepRows(detail), style),
    ...section('run', runRows(detail, ago), style),
  ]
}

type Row = readonly [label: string, text: string]

function section(title: string, rows: readonly Row[], style: Style): string[] {
  if (rows.length === 0) return []
  const labelWidth = Math.min(36, Math.max(...rows.map(([label]) => label.length)))
  const lines = rows.map(([label, text]) => {
    const head = `  ${column(clean(label), labelWidth)}  `
    return `${head}${cut(clean(text), style.columns - head.length)}`
  })
  return ['', paint(title, 'strong', style), ...lines]
}

function holdRows({ holds }: WorkloadDetailJson, ago: (atMs: number) => string): Row[] {
  return holds.map(({ cause, detail, sinceMs, actor }) => [cause, `${detail} (${actor}, ${ago(sinceMs)})`])
}

function verdictRows({ verdicts, outcome }: WorkloadDetailJson): Row[] {
  if (verdicts === null)
    return outcome === null ? [] : [[outcome, 'the worst before Headgate started; not judged again yet']]
  return verdicts.map(({ gate, outcome, sentence }) => [gate, `${outcome.padEnd(6)}  ${sentence}`])
}

/** In the plan's order; those that hold nothing say so. */
function checkRows({ plan, readings }: WorkloadDetailJson, ago: (atMs: number) => string): Row[] {
  return plan.checks.flatMap(({ id, then }): Row[] => {
    const reading = readings.checks[id]
    if (!reading) return []
    const { outcome, sentence, hint, atMs } = reading
    const isAgainst = outcome === 'fail' || outcome === 'missing'
    const mark = `${outcome}${isAgainst && then === 'tell' ? ' (told alone)' : ''}`
    return [[id, `${mark.padEnd(7)}  ${sentence}${hint === null ? '' : ` → ${hint}`}, ${ago(atMs)}`]]
  })
}

function readingRows({ readings }: WorkloadDetailJson, ago: (atMs: number) => string): Row[] {
  const targets = Object.entries(readings.targets).map(
    ([id, reading]): Row => [
      id,
      `${reading.kind === 'weight' ? formatPercent(reading.weightPercent) : missingText(reading)}, ${ago(reading.atMs)}`,
    ],
  )
  const slis = Object.entries(readings.slis).map(([name, reading]): Row => [name, sliText(reading)])
  const probes = Object.entries(readings.probes).map(
    ([name, { outcome, atMs }]): Row => [
      name,
      `old ${probeText(outcome.old)}; new ${probeText(outcome.new)}, ${ago(atMs)}`,
    ],
  )
  return [...targets, ...slis, ...probes]
}

type SliReading = WorkloadDetailJson['readings']['slis'][string]
type ProbeOutcome = WorkloadDetailJson['readings']['probes'][string]['outcome']['new']

function sliText(reading: SliReading): string {
  if (reading.kind === 'missing') return missingText(reading)
  if (reading.kind === 'value') {
    const { value } = reading
    return `old ${typeof value.old === 'number' ? value.old : missingText(value.old)}; new ${typeof value.new === 'number' ? value.new : missingText(value.new)}`
  }
  const { tick, sinceMs, atMs } = reading
  const side = (counts: typeof tick.old) =>
    'kind' in counts ? missingText(counts) : `${Math.round(counts.bad)} bad of ${Math.round(counts.total)}`
  return `old ${side(tick.old)}; new ${side(tick.new)}, in ${formatSpan((atMs - sinceMs) / 1000)}`
}

function probeText(outcome: ProbeOutcome): string {
  if (outcome === null) return 'not probed'
  if (outcome.kind === 'missing') return missingText(outcome)
  return outcome.kind === 'passed' ? `passed in ${formatSpan(outcome.seconds)}` : `failed: ${outcome.why}`
}

function missingText({ why, detail }: Missing): string {
  return `missing (${why}: ${detail})`
}

function stepRows({ plan, stepNumber, phase }: WorkloadDetailJson): Row[] {
  const isPast = (number: number) =>
    stepNumber === null ? ['baking', 'draining', 'completed'].includes(phase.name) : number < stepNumber
  return plan.steps.map(({ holdSeconds, approval }, index): Row => {
    const number = index + 1
    const state = number === stepNumber ? 'now' : isPast(number) ? 'done' : ''
    const gate = approval ? `, after an approval${approverText(approval)}` : ''
    return [`${number}. ${stepLabel(plan.steps, index)}`, `held ${formatSpan(holdSeconds)}${gate}  ${state}`.trimEnd()]
  })
}

function approverText({ roles }: { readonly roles: readonly string[] }): string {
  return roles.length === 0 ? '' : ` by one of ${roles.join(', ')}`
}

function runRows({ runId, policy, plan, planPinned, times }: WorkloadDetailJson, ago: (atMs: number) => string): Row[] {
  return [
    ['run id', runId],
    ['plan', `${plan.hash} (policy ${policy}), ${planPinned ? 'pinned' : 'pinned when it starts'}`],
    ...(times.confirmedAtMs === null ? [] : [['read back', ago(times.confirmedAtMs)] as const]),
    ...(times.inForceAtMs === null ? [] : [['in force', ago(times.inForceAtMs)] as const]),
  ]
}
