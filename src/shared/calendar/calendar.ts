import type { CalendarReading } from '../../core/calendar.ts'
import { cronStarts } from './cron.ts'
import { readIcs } from './ics.ts'
import { mergePeriods, type Period } from './period.ts'
import type { CalendarSpec, CronPeriod, Freeze } from './spec.ts'
import { DAY_MS, Zone } from './zone.ts'

/** How far is looked ahead at least. */
export const AHEAD_DAYS = 400
/** What was looked up serves for so long. Fixed borders, so that the same moment always gets the same answer. */
const PAGE_MS = 30 * DAY_MS

/**
 * Windows, freezes and peak hours as a `Calendar` (`ports/sight.ts`): open within a window, where there are any, and within
 * no freeze and no peak. A question in the page that was asked for last costs a search among its borders.
 */
export function createCalendar(spec: CalendarSpec): { at(nowMs: number): CalendarReading } {
  const zone = new Zone(spec.timeZone)
  const look = lookerAt(spec, zone)
  let page: { readonly number: number; readonly at: (nowMs: number) => CalendarReading } | null = null
  return {
    at(nowMs) {
      const number = Math.floor(nowMs / PAGE_MS)
      if (page?.number !== number) {
        const within = { fromMs: number * PAGE_MS, toMs: (number + 1) * PAGE_MS + AHEAD_DAYS * DAY_MS }
        page = { number, at: pageOf(look(within), within, { zone, hasWindows: spec.windows.length > 0 }) }
      }
      return page.at(nowMs)
    },
  }
}

/** A time in which one rule speaks. */
interface Span extends Period {
  readonly kind: 'window' | 'freeze' | 'peak'
  readonly name: string
}

function lookerAt(spec: CalendarSpec, zone: Zone): (within: Period) => readonly Span[] {
  const rules = [
    ...spec.windows.map((period) => ({ kind: 'window' as const, look: cronLooker(period, zone) })),
    ...spec.freezes.map((freeze) => ({ kind: 'freeze' as const, look: freezeLooker(freeze, zone) })),
    ...spec.peaks.map((period) => ({ kind: 'peak' as const, look: cronLooker(period, zone) })),
  ]
  return (within) =>
    rules.flatMap(({ kind, look }) => {
      const byName = Object.entries(Object.groupBy(look(within), ({ name }) => name))
      return byName.flatMap(([name, periods]) =>
        mergePeriods(periods ?? []).map((period) => ({ kind, name, ...period })),
      )
    })
}

type Look = (within: Period) => readonly (Period & { readonly name: string })[]

function cronLooker({ name, cron, forSeconds }: CronPeriod, zone: Zone): Look {
  const startsOn = cronStarts(cron, zone)
  const lastsMs = forSeconds * 1000
  return ({ fromMs, toMs }) => {
    const found: { name: string; fromMs: number; toMs: number }[] = []
    // A wall clock is never a day and a half away from UTC.
    const firstDay = Math.floor((fromMs - lastsMs) / DAY_MS) - 2
    for (let day = firstDay; day * DAY_MS < toMs + 2 * DAY_MS; day++) {
      for (const startMs of startsOn(day * DAY_MS)) {
        const last = found.at(-1)
        // Every minute of a year would be half a million.
        if (last && startMs <= last.toMs) last.toMs = startMs + lastsMs
        else if (startMs + lastsMs > fromMs && startMs < toMs)
          found.push({ name, fromMs: startMs, toMs: startMs + lastsMs })
      }
    }
    return found
  }
}

function freezeLooker(freeze: Freeze, zone: Zone): Look {
  if ('ics' in freeze) {
    const calendar = readIcs(freeze.ics, zone)
    return (within) => calendar.periods(within)
  }
  return ({ fromMs, toMs }) => (freeze.toMs > fromMs && freeze.fromMs < toMs ? [freeze] : [])
}

interface About {
  readonly zone: Zone
  readonly hasWindows: boolean
}

function pageOf(spans: readonly Span[], within: Period, about: About): (nowMs: number) => CalendarReading {
  const borders = [...new Set([within.fromMs, ...spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs])])]
    .filter((ms) => ms >= within.fromMs && ms < within.toMs)
    .sort((a, b) => a - b)
  const active = activeAt(borders, spans)
  const open = active.map((now) => isOpen(now, about))
  const readings = new Map<number, CalendarReading>()
  return (nowMs) => {
    const index = indexAt(borders, nowMs)
    const known = readings.get(index)
    if (known) return known
    const flips = open.findIndex((other, later) => later > index && other !== open[index])
    const changesAtMs = flips < 0 ? null : (borders[flips] ?? null)
    const told: Told = {
      zone: about.zone,
      now: active[index] ?? [],
      then: active[flips] ?? [],
      changesAtMs,
      nextWindowMs: nextWindow(spans, nowMs),
    }
    const reading = { isOpen: open[index] === true, sentence: sentenceOf(told, open[index] === true), changesAtMs }
    readings.set(index, reading)
    return reading
  }
}

/** For each border, what speaks from it to the next. */
function activeAt(borders: readonly number[], spans: readonly Span[]): readonly (readonly Span[])[] {
  const coming = spans.toSorted((a, b) => a.fromMs - b.fromMs)
  let [next, now]: [number, readonly Span[]] = [0, []]
  return borders.map((ms) => {
    const begun: Span[] = []
    for (let span = coming[next]; span && span.fromMs <= ms; span = coming[++next]) begun.push(span)
    now = [...now, ...begun].filter(({ toMs }) => toMs > ms)
    return now
  })
}

/** The last border that is not after a moment. */
function indexAt(borders: readonly number[], nowMs: number): number {
  let [low, high] = [0, borders.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((borders[middle] ?? Number.POSITIVE_INFINITY) <= nowMs) low = middle
    else high = middle - 1
  }
  return low
}

function isOpen(now: readonly Span[], { hasWindows }: About): boolean {
  const isWithin = !hasWindows || now.some(({ kind }) => kind === 'window')
  return isWithin && now.every(({ kind }) => kind === 'window')
}

function nextWindow(spans: readonly Span[], nowMs: number): number | null {
  const coming = spans.filter(({ kind, fromMs }) => kind === 'window' && fromMs > nowMs).map(({ fromMs }) => fromMs)
  return coming.length === 0 ? null : Math.min(...coming)
}

interface Told {
  readonly zone: Zone
  readonly now: readonly Span[]
  /** What speaks when it has opened, or closed. */
  readonly then: readonly Span[]
  readonly changesAtMs: number | null
  readonly nextWindowMs: number | null
}

function sentenceOf(told: Told, isOpenNow: boolean): string {
  return isOpenNow ? openSentence(told) : closedSentence(told)
}

function openSentence({ zone, now, then, changesAtMs }: Told): string {
  const window = now.findLast(({ kind }) => kind === 'window')
  const where = window ? `in the window "${window.name}"` : 'no freeze and no peak hours'
  if (changesAtMs === null) return `${where}, for the next ${AHEAD_DAYS} days at least`
  const closing = then.find(({ kind }) => kind !== 'window')
  const why = closing ? `, when ${nameOf(closing)} begins` : ''
  return `${where} until ${zone.formatTime(changesAtMs)}${why}`
}

function closedSentence({ zone, now, changesAtMs, nextWindowMs }: Told): string {
  const closing = now.filter(({ kind }) => kind !== 'window')
  const said = closing.map((span) => ({ what: nameOf(span), verb: 'until', ms: span.toMs }))
  const isOutside = !now.some(({ kind }) => kind === 'window')
  // Without windows there is no outside: then something else closes it.
  const outside =
    isOutside && nextWindowMs !== null
      ? [{ what: 'outside the windows:', verb: 'the next one opens', ms: nextWindowMs }]
      : []
  const reasons = [...said, ...outside]
  if (reasons.length === 0) return `outside the windows: none opens within ${AHEAD_DAYS} days`
  const sentence = reasons.map(({ what, verb, ms }) => `${what} ${verb} ${zone.formatTime(ms)}`).join('; ')
  if (changesAtMs === null) return `${sentence}; nothing is open within ${AHEAD_DAYS} days`
  const isPlain = reasons.length === 1 && reasons[0]?.ms === changesAtMs
  return isPlain ? sentence : `${sentence}; open from ${zone.formatTime(changesAtMs)}`
}

function nameOf({ kind, name }: Span): string {
  return kind === 'freeze' ? `the freeze "${name}"` : `the peak "${name}"`
}
