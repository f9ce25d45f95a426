import type { CalendarSpec, CronPeriod } from '../../src/shared/calendar/spec.ts'

const MINUTE_MS = 60_000
const LONGEST_MINUTES = 600

interface Wall {
  readonly minute: number
  readonly hour: number
  readonly day: number
  readonly month: number
  readonly year: number
}

/**
 * A calendar in the plainest way: reads the wall clock of every minute, and compares it with the expressions field by field.
 * A minute that clocks skip over begins when they do. For periods of ten hours at most, and expressions of numbers, `*`,
 * ranges, steps, `L`, `d#n` and `dL`.
 */
export function reference(spec: CalendarSpec, fromMs: number, minutes: number): (ms: number) => boolean {
  const walls = wallsOf(spec.timeZone, fromMs - LONGEST_MINUTES * MINUTE_MS, minutes + LONGEST_MINUTES)
  const within = (period: CronPeriod) => {
    const begins = walls.map((shown) => shown.some((wall) => matches(period.cron, wall)))
    return (index: number) => {
      const first = Math.max(0, index - period.forSeconds / 60 + 1)
      return begins.slice(first, index + 1).includes(true)
    }
  }
  const windows = spec.windows.map(within)
  const peaks = spec.peaks.map(within)
  return (ms) => {
    const index = (ms - fromMs) / MINUTE_MS + LONGEST_MINUTES
    return (windows.length === 0 || windows.some((is) => is(index))) && !peaks.some((is) => is(index))
  }
}

/** For each minute, what the wall shows, and what was skipped right before it. */
function wallsOf(timeZone: string, fromMs: number, count: number): readonly (readonly Wall[])[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const shownMs = (ms: number) => Date.parse(`${format.format(ms).replace(' ', 'T')}Z`)
  let before = shownMs(fromMs - MINUTE_MS)
  return Array.from({ length: count }, (_, minute) => {
    const now = shownMs(fromMs + minute * MINUTE_MS)
    const skipped: number[] = []
    for (let ms = before + MINUTE_MS; ms < now; ms += MINUTE_MS) skipped.push(ms)
    before = now
    return [...skipped, now].map(wallAt)
  })
}

function wallAt(ms: number): Wall {
  const date = new Date(ms)
  return {
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    year: date.getUTCFullYear(),
  }
}

function matches(cron: string, { minute, hour, day, month, year }: Wall): boolean {
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = cron.split(' ')
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  const isLastDay = new Date(Date.UTC(year, month - 1, day + 1)).getUTCDate() === 1
  const isLastWeek = new Date(Date.UTC(year, month - 1, day + 7)).getUTCMonth() + 1 !== month
  const isDay = days === 'L' ? isLastDay : fits(days, day, 1)
  const nth = /^(\d)#(\d)$/.exec(weekdays)
  const last = /^(\d)L$/.exec(weekdays)
  const isWeekday = nth
    ? weekday === Number(nth[1]) && Math.ceil(day / 7) === Number(nth[2])
    : last
      ? weekday === Number(last[1]) && isLastWeek
      : fits(weekdays, weekday, 0)
  return fits(minutes, minute, 0) && fits(hours, hour, 0) && isDay && fits(months, month, 1) && isWeekday
}

function fits(field: string, value: number, least: number): boolean {
  return field.split(',').some((part) => {
    if (part === '*') return true
    const [from, to] = part.split('-').map(Number)
    if (part.startsWith('*/')) return (value - least) % Number(part.slice(2)) === 0
    return to === undefined ? value === from : value >= (from ?? 0) && value <= to
  })
}
