import { formatPercent, formatSpan } from '../core/format.ts'
import { isHalt } from '../core/state.ts'
import { Markup, markup, NOTHING } from './markup.ts'
import type { Decision, HoldSpan, Report, WorkloadReport } from './model.ts'
import { formatClock, formatMoment, weightText } from './words.ts'

const WIDTH = 960
const LEFT = 170
const RIGHT = 890
const ROW_HEIGHT = 84
const PLOT_HEIGHT = 54
const TOP = 34
const FOOT = 30
const LONGEST_NAME = 22
const MOST_TICKS = 9
const TICKS_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
  2_592_000,
] as const

// In the plot itself, so that it can also stand alone as a picture.
const STYLE = `
.hg-plot{--ink:#1f2328;--dim:#59636e;--line:#d1d9e0;--new:#0969da;--fill:#ddf4ff;--warn:#bf8700;--bad:#cf222e;--back:#fff;
font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
@media (prefers-color-scheme:dark){.hg-plot{--ink:#e6edf3;--dim:#9198a1;--line:#3d444d;--new:#4493f8;--fill:#12263f;--warn:#d29922;--bad:#f85149;--back:#0d1117}}
@media print{.hg-plot{--ink:#000;--dim:#444;--line:#bbb;--new:#0550ae;--fill:#e6f0fa;--warn:#9a6700;--bad:#cf222e;--back:#fff}}
.hg-plot text{fill:var(--ink)}.hg-plot .dim{fill:var(--dim);font-size:11px}
.hg-plot .grid{stroke:var(--line);stroke-width:1;shape-rendering:crispEdges}
.hg-plot .area{fill:var(--fill)}.hg-plot .weight{fill:none;stroke:var(--new);stroke-width:2}
.hg-plot .hold{fill:var(--warn)}.hg-plot .halted{fill:var(--bad)}
.hg-plot .halt{fill:var(--back);stroke:var(--bad);stroke-width:2}.hg-plot .revert{fill:var(--bad)}
`

interface Scale {
  readonly fromMs: number
  readonly untilMs: number
  readonly x: (atMs: number) => number
}

/** Weight over time of every workload, one below the other on one axis, as SVG that stands alone; nothing has begun: nothing. */
export function weightPlot(report: Report): Markup {
  const { startedAtMs, endedAtMs } = report.span
  if (startedAtMs === null) return NOTHING
  const untilMs = Math.max(endedAtMs ?? report.madeAtMs, startedAtMs + 1000)
  const x = (atMs: number) => {
    const share = (Math.min(Math.max(atMs, startedAtMs), untilMs) - startedAtMs) / (untilMs - startedAtMs)
    return round(LEFT + share * (RIGHT - LEFT))
  }
  const scale = { fromMs: startedAtMs, untilMs, x }
  const height = TOP + report.workloads.length * ROW_HEIGHT + FOOT
  const bottom = height - FOOT
  const style = new Markup(`<style>${STYLE}</style>`)
  return markup`<svg class="hg-plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Weight of every workload over time">${style}
${legend()}
${ticksOf(scale).map((atMs) => tick(atMs, scale, bottom))}
${report.workloads.map((workload, index) => row(workload, TOP + index * ROW_HEIGHT, scale))}
</svg>`
}

function legend(): Markup {
  return markup`<g><line class="weight" x1="${LEFT}" x2="${LEFT + 22}" y1="14" y2="14"/><text x="${LEFT + 28}" y="18">weight on new</text>
<rect class="hold" x="${LEFT + 130}" y="11" width="22" height="5"/><text x="${LEFT + 158}" y="18">on hold</text>
<rect class="halted" x="${LEFT + 220}" y="11" width="22" height="5"/><text x="${LEFT + 248}" y="18">halted</text>
${haltMark(LEFT + 306, 14)}<text x="${LEFT + 318}" y="18">halt</text>
${revertMark(LEFT + 362, 14)}<text x="${LEFT + 374}" y="18">revert</text></g>`
}

function ticksOf({ fromMs, untilMs }: Scale): readonly number[] {
  const spanSeconds = (untilMs - fromMs) / 1000
  const step = (TICKS_SECONDS.find((seconds) => spanSeconds / seconds <= MOST_TICKS) ?? spanSeconds) * 1000
  const first = Math.ceil(fromMs / step) * step
  return Array.from({ length: MOST_TICKS + 1 }, (_, index) => first + index * step).filter((atMs) => atMs <= untilMs)
}

function tick(atMs: number, { x, fromMs, untilMs }: Scale, bottom: number): Markup {
  const isLong = untilMs - fromMs > 2 * 86_400_000
  const label = isLong ? formatMoment(atMs).slice(5, 16) : formatClock(atMs)
  return markup`<line class="grid" x1="${x(atMs)}" x2="${x(atMs)}" y1="${TOP - 6}" y2="${bottom}"/><text class="dim" x="${x(atMs)}" y="${bottom + 16}" text-anchor="middle">${label}</text>`
}

function row(workload: WorkloadReport, top: number, scale: Scale): Markup {
  const y = (percent: number) => round(top + 12 + PLOT_HEIGHT * (1 - percent / 100))
  const points = stepsOf(workload, scale).map(([atMs, percent]) => `${scale.x(atMs)},${y(percent)}`)
  const area = [`${LEFT},${y(0)}`, ...points, `${RIGHT},${y(0)}`].join(' ')
  const { workload: name, intendedWeightPercent } = workload
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name
  return markup`<g><title>${name}: ${formatPercent(intendedWeightPercent)}</title>
<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y(0)}" y2="${y(0)}"/><line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y(100)}" y2="${y(100)}"/>
<text x="0" y="${y(50) + 4}" font-weight="600">${short}</text><text class="dim" x="${LEFT - 6}" y="${y(100) + 4}" text-anchor="end">100 %</text><text class="dim" x="${LEFT - 6}" y="${y(0) + 4}" text-anchor="end">0</text>
<polygon class="area" points="${area}"/><polyline class="weight" points="${points.join(' ')}"/>
${workload.holds.map((hold) => holdBar(hold, y(0) + 4, scale))}
${workload.decisions.map((decision) => mark(decision, workload, scale, y))}
<text x="${RIGHT + 6}" y="${y(intendedWeightPercent) + 4}">${formatPercent(intendedWeightPercent)}</text></g>`
}

/** Corners of the weight's line: it stays until the next one is decided. */
function stepsOf({ weights }: WorkloadReport, { fromMs, untilMs }: Scale): readonly (readonly [number, number])[] {
  const moves = weights.filter(({ trial }) => trial === null)
  const last = moves.at(-1)?.toPercent ?? 0
  return [
    [fromMs, moves[0]?.fromPercent ?? 0] as const,
    ...moves.flatMap(({ atMs, fromPercent, toPercent }) => [[atMs, fromPercent] as const, [atMs, toPercent] as const]),
    [untilMs, last] as const,
  ]
}

function holdBar({ cause, detail, fromMs, untilMs, seconds }: HoldSpan, top: number, { x, ...scale }: Scale): Markup {
  const [from, until] = [x(fromMs), x(untilMs ?? scale.untilMs)]
  const kind = isHalt(cause) ? 'halted' : 'hold'
  return markup`<rect class="${kind}" x="${from}" y="${top}" width="${round(Math.max(1.5, until - from))}" height="5"><title>${cause} for ${formatSpan(seconds)}: ${detail}</title></rect>`
}

function mark(
  { kind, atMs, reason }: Decision,
  { weights }: WorkloadReport,
  scale: Scale,
  y: (percent: number) => number,
) {
  if (kind === 'raise' || kind === 'trial') return NOTHING
  const before = weights.findLast((change) => change.atMs < atMs && change.trial === null)
  const title = `${formatMoment(atMs)} ${kind}${before ? ` at ${weightText(before)}` : ''}: ${reason}`
  const [left, top] = [scale.x(atMs), y(before?.toPercent ?? 0)]
  const shape = kind === 'revert' ? revertMark(left, top) : haltMark(left, top)
  return markup`<g><title>${title}</title>${shape}</g>`
}

function haltMark(x: number, y: number): Markup {
  return markup`<rect class="halt" x="${round(x - 4.5)}" y="${round(y - 4.5)}" width="9" height="9" rx="1"/>`
}

function revertMark(x: number, y: number): Markup {
  return markup`<path class="revert" d="M${round(x - 7)} ${round(y - 6)}h14l-7 12z"/>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
