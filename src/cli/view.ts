import { stripVTControlCharacters, styleText } from 'node:util'
import type { JournalRowJson, StatusJson, WorkloadJson } from '../api/wire.ts'
import type { Severity } from '../core/event.ts'
import { formatSpan } from '../core/format.ts'
import type { ProblemJson } from '../core/problem.ts'
import { formatProblem } from '../core/problem.ts'
import { isHalt } from '../core/state.ts'

/** Views in, lines out. Nothing here does I/O or knows the time. */

export interface Style {
  /** Width of the terminal, in columns; Infinity: lines are never cut (a pipe, a file). */
  readonly columns: number
  readonly color: boolean
}

/** What the view needs of a workload; the API's answer has more. */
export type WorkloadLine = Pick<
  WorkloadJson,
  | 'name'
  | 'phase'
  | 'stepNumber'
  | 'stepCount'
  | 'intendedWeightPercent'
  | 'confirmedWeightPercent'
  | 'holds'
  | 'outcome'
  | 'why'
>

type Tone = 'calm' | 'good' | 'busy' | 'warn' | 'bad'
type Color = Parameters<typeof styleText>[0]

const COLORS: Readonly<Record<Tone, Color>> = {
  calm: 'dim',
  good: 'green',
  busy: 'cyan',
  warn: 'yellow',
  bad: 'red',
}

const BAR_WIDTH = 20
const NARROW_BAR_WIDTH = 10
const WEIGHT_WIDTH = '10.0 → 100.0 %'.length
const PHASE_WIDTH = 'stepping 10/12'.length
const SHORTEST_WHY = 22

/**
 * One line a workload: mark, name, bar, weight, phase, why. Columns line up over all lines; where the terminal is
 * narrow the bar goes first, then the end of the why.
 */
export function workloadLines(workloads: readonly WorkloadLine[], style: Style): string[] {
  const nameWidth = Math.min(32, Math.max(8, ...workloads.map(({ name }) => name.length)))
  const others = 2 + nameWidth + 1 + WEIGHT_WIDTH + 2 + PHASE_WIDTH + 2
  const barWidth = barWidthFor(style.columns - others - SHORTEST_WHY)
  return workloads.map((workload) => {
    const { mark, tone } = markOf(workload)
    const bar = barWidth > 0 ? `${weightBar(workload, barWidth)} ` : ''
    const weight = weightText(workload).padStart(WEIGHT_WIDTH)
    const phase = paint(phaseText(workload).padEnd(PHASE_WIDTH), tone, style)
    const head = `${paint(mark, tone, style)} ${column(clean(workload.name), nameWidth)} ${bar}${weight}  ${phase}  `
    return `${head}${cut(clean(workload.why), style.columns - stripVTControlCharacters(head).length)}`.trimEnd()
  })
}

/** `█` confirmed on NEW, `▒` intended and not read back yet, `░` on OLD. */
export function weightBar(
  workload: Pick<WorkloadLine, 'intendedWeightPercent' | 'confirmedWeightPercent'>,
  width: number,
): string {
  const { intendedWeightPercent: intended, confirmedWeightPercent: confirmed } = workload
  const full = cellsOf(confirmed ?? 0, width)
  const reach = Math.max(full, cellsOf(intended, width))
  // A lower weight that is on its way shows as well: the part that is to leave NEW.
  const kept = Math.min(full, cellsOf(intended, width))
  return '█'.repeat(kept) + '▒'.repeat(reach - kept) + '░'.repeat(width - reach)
}

/** `25.0 %`; `10.0 → 25.0 %` while a write is on its way; `not read yet` before the first reading. */
export function weightText(workload: Pick<WorkloadLine, 'intendedWeightPercent' | 'confirmedWeightPercent'>): string {
  const { intendedWeightPercent: intended, confirmedWeightPercent: confirmed } = workload
  if (confirmed === intended) return `${intended.toFixed(1)} %`
  if (confirmed === null && intended === 0) return 'not read yet'
  return `${confirmed === null ? '?' : confirmed.toFixed(1)} → ${intended.toFixed(1)} %`
}

/** `stepping 3/9`, `baking`. */
export function phaseText({ phase, stepNumber, stepCount }: WorkloadLine): string {
  return stepNumber === null ? phase.name : `${phase.name} ${stepNumber}/${stepCount}`
}

/** A journal row: time of day (local), mark, workload, sentence. `nameWidth` lines up the names of several rows. */
export function journalLine(row: JournalRowJson, style: Style, nameWidth = 12): string {
  const { mark, tone } = SEVERITIES[row.severity]
  const name = clean(row.event.workload ?? 'headgate')
  const actor = row.event.actor === 'headgate' ? '' : ` [${clean(row.event.actor)}]`
  const head = `${timeText(row.event.atMs)} `
  const text = `${column(name, nameWidth)} `
  const room = style.columns - head.length - 2 - text.length
  return `${paint(head, 'calm', style)}${paint(mark, tone, style)} ${text}${paint(cut(clean(row.sentence) + actor, room), row.severity === 'info' ? 'plain' : tone, style)}`
}

/** What stands above the workloads: which migrations, how fresh, and what keeps the service from deciding. */
export function statusLines(status: StatusJson, style: Style): string[] {
  const { migrations, lastSweepAtMs, nowMs, version } = status
  const swept =
    lastSweepAtMs === null
      ? 'no sweep yet'
      : `swept ${formatSpan(Math.max(0, Math.floor((nowMs - lastSweepAtMs) / 1000)))} ago`
  const [first, ...others] = migrations
  const moved = first && others.length === 0 ? wayText(first) : `${migrations.length} migrations`
  const head = `${moved}, ${swept}, headgate ${clean(version)}`
  const problems = status.notReady.map((problem) => `! ${problemText(problem)}`)
  return [
    paint(cut(head, style.columns), 'strong', style),
    ...problems.map((line) => paint(cut(line, style.columns), 'bad', style)),
  ]
}

/** `eks-1-33: prod-a → prod-b`. */
export function wayText({ migration, clusters }: StatusJson['migrations'][number]): string {
  return `${clean(migration)}: ${clean(clusters.old)} → ${clean(clusters.new)}`
}

/** `CODE: cause (hint)`, with the place in front where there is one. */
export function problemText(problem: ProblemJson): string {
  return clean(formatProblem(problem))
}

/** Text from elsewhere must not steer the terminal, nor turn its direction: such characters become blanks. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
}

/** Cuts to the width, with an ellipsis where something is gone. */
export function cut(text: string, width: number): string {
  const chars = [...text]
  if (chars.length <= width) return text
  return width < 1
    ? ''
    : `${chars
        .slice(0, width - 1)
        .join('')
        .trimEnd()}…`
}

/** Colours the text, where colours are on. */
export function paint(text: string, tone: Tone | 'strong' | 'plain', { color }: Style): string {
  if (!color || tone === 'plain') return text
  return styleText(tone === 'strong' ? 'bold' : COLORS[tone], text, { validateStream: false })
}

const SEVERITIES: Readonly<Record<Severity, { mark: string; tone: Tone }>> = {
  info: { mark: '·', tone: 'calm' },
  warn: { mark: '!', tone: 'warn' },
  page: { mark: '‼', tone: 'bad' },
}

function markOf({ phase, holds, outcome }: WorkloadLine): { mark: string; tone: Tone } {
  if (phase.name === 'completed') return { mark: '✓', tone: 'good' }
  if (phase.name === 'reverting' || phase.name === 'reverted') return { mark: '✗', tone: 'bad' }
  if (phase.name === 'cancelled') return { mark: '-', tone: 'calm' }
  const causes = holds.map(({ cause }) => cause)
  if (causes.some(isHalt) || outcome === 'halt' || outcome === 'revert') return { mark: '!', tone: 'bad' }
  if (causes.includes('drift') || causes.includes('unknown-weight') || causes.includes('blind') || outcome === 'blind')
    return { mark: '?', tone: 'warn' }
  if (phase.name === 'waiting') return { mark: '·', tone: 'calm' }
  if (holds.length > 0) return { mark: '‖', tone: 'warn' }
  return { mark: '›', tone: 'busy' }
}

function barWidthFor(room: number): number {
  if (room > BAR_WIDTH) return BAR_WIDTH
  return room > NARROW_BAR_WIDTH ? NARROW_BAR_WIDTH : 0
}

// A little is not nothing, and nearly all is not all: the ends of the bar are kept for 0 and 100 %.
function cellsOf(percent: number, width: number): number {
  const cells = Math.round((percent / 100) * width)
  if (percent > 0 && cells === 0) return 1
  return percent < 100 && cells === width ? width - 1 : cells
}

/** Text of exactly this width. */
export function column(text: string, width: number): string {
  return cut(text, width).padEnd(width)
}

/** Time of day, local: `21:45:03`. */
export function timeText(atMs: number): string {
  const at = new Date(atMs)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
