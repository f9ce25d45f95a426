import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { Measure, Tick } from '../../ports/source.ts'
import { scaled, tickShare, valuesOf } from '../asked.ts'
import { joinCounts, type Sums } from '../counters.ts'
import { isSeries, type PeriodAnswer, type PeriodSeries, type PeriodSpan } from './ask.ts'

/** The measures that such a source takes. */
export type PeriodMeasure = Extract<SliSpec['measure'], { kind: 'ask' | 'askValue' }>

/**
 * The newest whole periods before a tick's end: as many as make up the SLI's window, or the tick where that is longer, so
 * that nothing of it is left out.
 */
export function windowOf({ windowSeconds }: PeriodMeasure, tick: Tick, periodSeconds: number): PeriodSpan {
  const periodMs = periodSeconds * 1000
  const wantedMs = Math.max((windowSeconds ?? 0) * 1000, tick.atMs - tick.sinceMs, periodMs)
  const toMs = Math.floor(tick.atMs / periodMs) * periodMs
  return { fromMs: toMs - Math.ceil(wantedMs / periodMs) * periodMs, toMs, periodSeconds }
}

/** The span that holds all of these. */
export function spanOf(windows: readonly PeriodSpan[], periodSeconds: number): PeriodSpan {
  const fromMs = Math.min(...windows.map((window) => window.fromMs))
  const toMs = Math.max(...windows.map((window) => window.toMs))
  return { fromMs, toMs, periodSeconds }
}

/** What the answers (all and bad, or the value alone) say of a tick, by group. */
export function readWindow(
  { labels, measure }: { readonly labels: SliSpec['labels']; readonly measure: PeriodMeasure },
  answers: readonly PeriodAnswer[],
  { tick, window }: { readonly tick: Tick; readonly window: PeriodSpan },
): ReadonlyMap<string, Measure> | Missing {
  const sums: Sums[] = []
  for (const answer of answers) {
    if (!isSeries(answer)) return answer
    const groups = groupsOf(answer, labels)
    if (isMissing(groups)) return groups
    const read = measure.kind === 'ask' ? sumIn : newestIn
    sums.push(new Map([...groups].flatMap(([key, series]) => read(key, series, window))))
  }
  const [first = NOTHING, second = NOTHING] = sums
  if (measure.kind === 'askValue') return valuesOf(first)
  // A window longer than the tick overlaps those of the ticks around it: each tick takes its share of the counts.
  const share = tickShare(tick.atMs - tick.sinceMs, (window.toMs - window.fromMs) / 1000)
  return joinCounts(scaled(first, share), scaled(second, share), { partIs: 'bad', absentPart: 0 })
}

const NOTHING: Sums = new Map()

/** A series that lacks one of the labels belongs to no group. */
function groupsOf(
  answer: readonly PeriodSeries[],
  { cluster, workload }: SliSpec['labels'],
): ReadonlyMap<string, readonly PeriodSeries[]> | Missing {
  const groups = new Map<string, PeriodSeries[]>()
  for (const series of answer) {
    if (series.group === null) continue
    const others = groups.get(series.group)
    if (others) others.push(series)
    else groups.set(series.group, [series])
  }
  const wanted = workload === '' ? cluster : `both ${cluster} and ${workload}`
  return groups.size === 0 && answer.length > 0 ? missing('bad-answer', `no series has ${wanted}`) : groups
}

type Sum = [key: string, sum: number | Missing]

/** All that its series counted; nothing where none of them has a point: absence is no zero. */
function sumIn(key: string, group: readonly PeriodSeries[], window: PeriodSpan): Sum[] {
  const values = group.flatMap((series) => valuesIn(series, window))
  return values.length === 0 ? [] : [[key, values.reduce((all, value) => all + value, 0)]]
}

function newestIn(key: string, group: readonly PeriodSeries[], window: PeriodSpan): Sum[] {
  const [values = [], other] = group.map((series) => valuesIn(series, window)).filter(({ length }) => length > 0)
  if (other) return [[key, missing('bad-answer', 'several series for one workload: what is its value?')]]
  return values.slice(-1).map((value) => [key, value])
}

/** The values of the periods in a window, oldest first. */
function valuesIn({ points }: PeriodSeries, { fromMs, toMs }: PeriodSpan): readonly number[] {
  return points.slice(firstFrom(points, fromMs), firstFrom(points, toMs)).map(([, value]) => value)
}

/** The index of the first point that begins then or later; a past has many ticks, and many points each. */
function firstFrom(points: PeriodSeries['points'], beginMs: number): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle]?.[0] ?? Number.POSITIVE_INFINITY) < beginMs) low = middle + 1
    else high = middle
  }
  return low
}
