import { formatPercent } from '../core/format.ts'
import type { Report, WorkloadReport } from './model.ts'
import { formatMoment, visible } from './words.ts'

const COLUMNS = 60
const BARS = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** A line a workload: its weight over the time of the migration, in characters. */
export function sparkline(report: Report): string {
  const { startedAtMs } = report.span
  if (startedAtMs === null) return 'nothing has begun'
  const untilMs = Math.max(report.span.endedAtMs ?? report.madeAtMs, startedAtMs + 1)
  const names = report.workloads.map(({ workload }) => visible(workload))
  const width = Math.max(...names.map((name) => name.length))
  const lines = report.workloads.map((workload, at) => {
    const marks = Array.from({ length: COLUMNS }, (_, column) => {
      const at = (of: number) => startedAtMs + ((untilMs - startedAtMs) * of) / COLUMNS
      return markOf(workload, at(column), at(column + 1))
    })
    return `${(names[at] ?? '').padEnd(width)}  ${marks.join('')}  ${formatPercent(workload.intendedWeightPercent)}`
  })
  const foot = `${formatMoment(startedAtMs)} to ${formatMoment(untilMs)} UTC; · 0 %, █ 100 %, ! halt, x revert`
  return [...lines, `${' '.repeat(width)}  ${foot}`].join('\n')
}

function markOf({ weights, decisions }: WorkloadReport, fromMs: number, untilMs: number): string {
  const isIn = ({ atMs }: { readonly atMs: number }) => atMs >= fromMs && atMs < untilMs
  const told = decisions.filter(isIn).map(({ kind }) => kind)
  if (told.includes('revert')) return 'x'
  if (told.includes('halt') || told.includes('revert refused')) return '!'
  const percent = weights.findLast(({ atMs, trial }) => atMs < untilMs && trial === null)?.toPercent ?? 0
  return BARS[percent === 0 ? 0 : Math.max(1, Math.round((percent / 100) * (BARS.length - 1)))] ?? ' '
}
