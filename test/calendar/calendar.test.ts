import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../src/shared/calendar/calendar.ts'
import type { CalendarSpec, CronPeriod } from '../../src/shared/calendar/spec.ts'
import { reference } from './reference.ts'

const EMPTY: CalendarSpec = { timeZone: 'Europe/Vienna', windows: [], freezes: [], peaks: [] }
const OFFICE: CronPeriod = { name: '0 9 * * 1-5', cron: '0 9 * * 1-5', forSeconds: 8 * 3600 }
const LUNCH: CronPeriod = { name: 'lunch', cron: '0 12 * * *', forSeconds: 2 * 3600 }
const YEAR_END = {
  name: 'year end',
  fromMs: Date.parse('2026-12-20T00:00+01:00'),
  toMs: Date.parse('2027-01-04T00:00+01:00'),
}

const at = (spec: Partial<CalendarSpec>, time: string) => createCalendar({ ...EMPTY, ...spec }).at(Date.parse(time))

describe('a calendar says', () => {
  test.each<[string, Partial<CalendarSpec>, string, boolean, string, string | null]>([
    [
      'that it is closed on a Saturday, and when Monday opens',
      { windows: [OFFICE] },
      '2026-11-21T15:00Z',
      false,
      'outside the windows: the next one opens Mon 2026-11-23 09:00 Europe/Vienna',
      '2026-11-23T08:00Z',
    ],
    [
      'that it is open within a window, and what ends that',
      { windows: [OFFICE], peaks: [LUNCH] },
      '2026-11-23T08:00Z',
      true,
      'in the window "0 9 * * 1-5" until Mon 2026-11-23 12:00 Europe/Vienna, when the peak "lunch" begins',
      '2026-11-23T11:00Z',
    ],
    [
      'that a window has ended at its very end',
      { windows: [OFFICE] },
      '2026-11-23T16:00Z',
      false,
      'outside the windows: the next one opens Tue 2026-11-24 09:00 Europe/Vienna',
      '2026-11-24T08:00Z',
    ],
    [
      'how long a peak lasts',
      { peaks: [LUNCH] },
      '2026-11-23T12:59Z',
      false,
      'the peak "lunch" until Mon 2026-11-23 14:00 Europe/Vienna',
      '2026-11-23T13:00Z',
    ],
    [
      'that the next window is frozen, and when it really opens',
      { windows: [OFFICE], freezes: [YEAR_END] },
      '2026-12-19T12:00Z',
      false,
      'outside the windows: the next one opens Mon 2026-12-21 09:00 Europe/Vienna; open from Mon 2027-01-04 09:00 Europe/Vienna',
      '2027-01-04T08:00Z',
    ],
    [
      'all that speaks against a raise',
      { windows: [OFFICE], freezes: [YEAR_END], peaks: [LUNCH] },
      '2026-12-21T11:30Z',
      false,
      'the freeze "year end" until Mon 2027-01-04 00:00 Europe/Vienna; the peak "lunch" until Mon 2026-12-21 14:00 Europe/Vienna; open from Mon 2027-01-04 09:00 Europe/Vienna',
      '2027-01-04T08:00Z',
    ],
    [
      'that nothing is in the way',
      { freezes: [YEAR_END] },
      '2027-02-01T00:00Z',
      true,
      'no freeze and no peak hours, for the next 400 days at least',
      null,
    ],
    [
      'that no window opens within its sight',
      { windows: [OFFICE], freezes: [{ ...YEAR_END, toMs: Date.parse('2030-01-01T00:00Z') }] },
      '2027-02-01T00:00Z',
      false,
      'the freeze "year end" until Tue 2030-01-01 01:00 Europe/Vienna; outside the windows: the next one opens Mon 2027-02-01 09:00 Europe/Vienna; nothing is open within 400 days',
      null,
    ],
  ])('%s', (_, spec, time, isOpen, sentence, changes) => {
    expect(at(spec, time)).toEqual({ isOpen, sentence, changesAtMs: changes === null ? null : Date.parse(changes) })
  })

  test('the same of a moment, whatever it was asked before', () => {
    const calendar = createCalendar({ ...EMPTY, windows: [OFFICE], peaks: [LUNCH] })
    const times = fc.array(fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2029-01-01') }), {
      minLength: 2,
      maxLength: 4,
    })
    fc.assert(
      fc.property(times, (moments) => {
        for (const ms of moments)
          expect(calendar.at(ms)).toEqual(createCalendar({ ...EMPTY, windows: [OFFICE], peaks: [LUNCH] }).at(ms))
      }),
      { numRuns: 15 },
    )
  })
})

// Each row: a window that begins at night, and the instants between which it is open around a change of clocks.
describe('when clocks change', () => {
  test.each<[string, string, string, number, string, string]>([
    [
      'spring, a start before it: as long as ever, in real time',
      'Europe/Vienna',
      '0 1 29 3 *',
      3,
      '2026-03-29T00:00Z',
      '2026-03-29T03:00Z',
    ],
    [
      'spring, a start that is skipped: from the change',
      'Europe/Vienna',
      '30 2 29 3 *',
      1,
      '2026-03-29T01:00Z',
      '2026-03-29T02:00Z',
    ],
    [
      'autumn, a start that comes twice: both',
      'Europe/Vienna',
      '30 2 25 10 *',
      1,
      '2026-10-25T00:30Z',
      '2026-10-25T02:30Z',
    ],
    [
      'autumn, a start before it: as long as ever',
      'Europe/Vienna',
      '0 1 25 10 *',
      3,
      '2026-10-24T23:00Z',
      '2026-10-25T02:00Z',
    ],
    [
      'spring in New York, a start that is skipped',
      'America/New_York',
      '0 2 8 3 *',
      2,
      '2026-03-08T07:00Z',
      '2026-03-08T09:00Z',
    ],
    [
      'autumn in New York, a start that comes twice',
      'America/New_York',
      '15 1 1 11 *',
      1,
      '2026-11-01T05:15Z',
      '2026-11-01T07:15Z',
    ],
    [
      'the evening before spring, over midnight',
      'America/New_York',
      '0 22 7 3 *',
      6,
      '2026-03-08T03:00Z',
      '2026-03-08T09:00Z',
    ],
  ])('%s', (_, timeZone, cron, hours, from, to) => {
    const calendar = createCalendar({
      ...EMPTY,
      timeZone,
      windows: [{ name: 'night', cron, forSeconds: hours * 3600 }],
    })
    const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
    expect([fromMs - 1, fromMs, toMs - 1, toMs].map((ms) => calendar.at(ms).isOpen)).toEqual([false, true, true, false])
    expect(calendar.at(fromMs).changesAtMs).toBe(toMs)
  })
})

describe('every minute', () => {
  const zones = fc.constantFrom('Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'UTC')
  const fields = fc.tuple(
    fc.constantFrom('0', '30', '*/20', '5-15', '*'),
    fc.constantFrom('0', '1', '2', '3', '9', '22', '*/6', '1-3', '*'),
    fc.constantFrom('*', '*', '29', '1-7', 'L', '*/5'),
    fc.constantFrom('*', '*', '3', '10,11'),
    fc.constantFrom('*', '*', '0', '1-5', '0#1', '0L'),
  )
  const periods = fc.array(
    fc.record({
      name: fc.constant('p'),
      cron: fields.map((parts) => parts.join(' ')),
      forSeconds: fc.integer({ min: 1, max: 600 }).map((minutes) => minutes * 60),
    }),
    { maxLength: 2 },
  )
  // Around the changes of clocks of 2026, and some day.
  const starts = fc.constantFrom(
    ...[
      '2026-03-28T18:00Z',
      '2026-10-24T18:00Z',
      '2026-03-07T22:00Z',
      '2026-10-31T20:00Z',
      '2026-04-04T08:00Z',
      '2026-07-01T00:00Z',
    ],
  )

  test('is open exactly if a minute-by-minute reading of the wall clock says so', () => {
    fc.assert(
      fc.property(zones, periods, periods, starts, (timeZone, windows, peaks, start) => {
        const spec = { ...EMPTY, timeZone, windows, peaks }
        const calendar = createCalendar(spec)
        const startMs = Date.parse(start)
        const minutes = Array.from({ length: 18 * 60 }, (_, minute) => startMs + minute * 60_000)
        const isOpen = reference(spec, startMs, minutes.length)
        expect(minutes.map((ms) => calendar.at(ms).isOpen)).toEqual(minutes.map((ms) => isOpen(ms)))
      }),
      { numRuns: 40 },
    )
  })

  test('stays as it is until the change that was told, and changes then', () => {
    fc.assert(
      fc.property(zones, periods, periods, starts, (timeZone, windows, peaks, start) => {
        const calendar = createCalendar({ ...EMPTY, timeZone, windows, peaks })
        const startMs = Date.parse(start)
        const { isOpen, changesAtMs } = calendar.at(startMs)
        if (changesAtMs === null) return
        expect(changesAtMs).toBeGreaterThan(startMs)
        expect(calendar.at(changesAtMs).isOpen).toBe(!isOpen)
        const step = Math.max(60_000, Math.floor((changesAtMs - startMs) / 200))
        for (let ms = startMs; ms < changesAtMs; ms += step)
          expect(calendar.at(ms)).toMatchObject({ isOpen, changesAtMs })
      }),
      { numRuns: 40 },
    )
  })
})
