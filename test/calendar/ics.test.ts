import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../src/shared/calendar/calendar.ts'
import { icsProblem, readIcs } from '../../src/shared/calendar/ics.ts'
import { Zone } from '../../src/shared/calendar/zone.ts'

const VIENNA = new Zone('Europe/Vienna')
const YEAR = { fromMs: Date.parse('2026-01-01T00:00Z'), toMs: Date.parse('2027-01-01T00:00Z') }

/** What Outlook writes: a zone of its own name, with its rules. */
const OUTLOOK_ZONE = `BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE`

function ics(...parts: readonly string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...parts, 'END:VCALENDAR', ''].join('\r\n').replaceAll(/\r?\n/g, '\r\n')
}

function event(uid: string, ...lines: readonly string[]): string {
  return ['BEGIN:VEVENT', `UID:${uid}`, ...lines, 'END:VEVENT'].join('\n')
}

function found(text: string): readonly string[] {
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16)
  const periods = readIcs(text, VIENNA).periods(YEAR)
  return periods.map(({ name, fromMs, toMs }) => `${name} ${iso(fromMs)} ${iso(toMs)}`).sort()
}

describe('an event is a freeze', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'from its start to its end',
      ics(event('1', 'SUMMARY:sale', 'DTSTART:20261127T080000Z', 'DTEND:20261127T200000Z')),
      ['sale 2026-11-27T08:00 2026-11-27T20:00'],
    ],
    [
      'for its duration',
      ics(event('1', 'SUMMARY:sale', 'DTSTART:20261127T080000Z', 'DURATION:PT90M')),
      ['sale 2026-11-27T08:00 2026-11-27T09:30'],
    ],
    [
      "all day, in the calendar's zone, its last day not included as RFC 5545 has it",
      ics(event('1', 'SUMMARY:audit', 'DTSTART;VALUE=DATE:20260701', 'DTEND;VALUE=DATE:20260703')),
      ['audit 2026-06-30T22:00 2026-07-02T22:00'],
    ],
    [
      'for one day, where a day has no end',
      ics(event('1', 'SUMMARY:audit', 'DTSTART;VALUE=DATE:20260701')),
      ['audit 2026-06-30T22:00 2026-07-01T22:00'],
    ],
    [
      "at a time without a zone, in the calendar's",
      ics(event('1', 'SUMMARY:talk', 'DTSTART:20260701T090000', 'DTEND:20260701T100000')),
      ['talk 2026-07-01T07:00 2026-07-01T08:00'],
    ],
    [
      'in a zone of IANA that the file does not define',
      ics(
        event(
          '1',
          'SUMMARY:talk',
          'DTSTART;TZID=America/New_York:20260701T090000',
          'DTEND;TZID=America/New_York:20260701T100000',
        ),
      ),
      ['talk 2026-07-01T13:00 2026-07-01T14:00'],
    ],
    [
      'in a zone that only the file knows',
      ics(
        OUTLOOK_ZONE,
        event(
          '1',
          'SUMMARY:s',
          'DTSTART;TZID=W. Europe Standard Time:20260701T090000',
          'DTEND;TZID=W. Europe Standard Time:20260701T100000',
        ),
        event(
          '2',
          'SUMMARY:w',
          'DTSTART;TZID=W. Europe Standard Time:20261201T090000',
          'DTEND;TZID=W. Europe Standard Time:20261201T100000',
        ),
      ),
      ['s 2026-07-01T07:00 2026-07-01T08:00', 'w 2026-12-01T08:00 2026-12-01T09:00'],
    ],
    [
      'though it is marked as free: days without times are so by default',
      ics(event('1', 'SUMMARY:audit', 'TRANSP:TRANSPARENT', 'DTSTART;VALUE=DATE:20260701')),
      ['audit 2026-06-30T22:00 2026-07-01T22:00'],
    ],
    [
      'of no name',
      ics(event('1', 'DTSTART:20261127T080000Z', 'DURATION:PT1H')),
      ['an event without a SUMMARY 2026-11-27T08:00 2026-11-27T09:00'],
    ],
    ['of no length: never', ics(event('1', 'SUMMARY:ping', 'DTSTART:20261127T080000Z')), []],
    [
      'that was cancelled: never',
      ics(event('1', 'SUMMARY:sale', 'STATUS:CANCELLED', 'DTSTART:20261127T080000Z', 'DURATION:PT1H')),
      [],
    ],
    [
      'that comes again on the same wall time, across a change of clocks',
      ics(
        event(
          '1',
          'SUMMARY:close',
          'DTSTART;TZID=Europe/Vienna:20261018T090000',
          'DTEND;TZID=Europe/Vienna:20261018T100000',
          'RRULE:FREQ=WEEKLY;COUNT=3',
          'EXDATE;TZID=Europe/Vienna:20261101T090000',
        ),
      ),
      ['close 2026-10-18T07:00 2026-10-18T08:00', 'close 2026-10-25T08:00 2026-10-25T09:00'],
    ],
    [
      'that comes again for ever: within what was asked for',
      ics(event('1', 'SUMMARY:eve', 'DTSTART;VALUE=DATE:20001224', 'DTEND;VALUE=DATE:20001227', 'RRULE:FREQ=YEARLY')),
      ['eve 2026-12-23T23:00 2026-12-26T23:00'],
    ],
    [
      'that was moved once, and cancelled once; others with equal dates are left alone',
      ics(
        event('1', 'SUMMARY:close', 'DTSTART:20261101T090000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=3'),
        event('1', 'SUMMARY:close late', 'RECURRENCE-ID:20261102T090000Z', 'DTSTART:20261102T150000Z', 'DURATION:PT2H'),
        event(
          '1',
          'SUMMARY:close',
          'RECURRENCE-ID:20261103T090000Z',
          'STATUS:CANCELLED',
          'DTSTART:20261103T090000Z',
          'DURATION:PT1H',
        ),
        event('2', 'SUMMARY:other', 'DTSTART:20261103T090000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=1'),
      ),
      [
        'close 2026-11-01T09:00 2026-11-01T10:00',
        'close late 2026-11-02T15:00 2026-11-02T17:00',
        'other 2026-11-03T09:00 2026-11-03T10:00',
      ],
    ],
    [
      'of the second calendar of a file',
      `${ics()}${ics(event('1', 'SUMMARY:sale', 'DTSTART:20261127T080000Z', 'DURATION:PT1H'))}`,
      ['sale 2026-11-27T08:00 2026-11-27T09:00'],
    ],
  ])('%s', (_, text, periods) => {
    expect(icsProblem(text)).toBeNull()
    expect(found(text)).toEqual(periods)
  })

  test('one that began before what is asked for is told, one that is over is not', () => {
    const text = ics(
      event('1', 'SUMMARY:long', 'DTSTART:20251201T000000Z', 'DTEND:20260110T000000Z'),
      event('2', 'SUMMARY:past', 'DTSTART:20251201T000000Z', 'DTEND:20260101T000000Z'),
    )
    expect(found(text)).toEqual(['long 2025-12-01T00:00 2026-01-10T00:00'])
  })
})

test.each([
  ['no calendar', 'hello', 'invalid line (no token ";" or ":") "hello"'],
  ['empty', '', 'it is empty'],
  ['of something else', 'BEGIN:VCARD\r\nEND:VCARD\r\n', 'it holds no VCALENDAR'],
  ['cut off', 'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n', 'invalid ical body. component began but did not end'],
  ['with an event without a start', ics(event('1', 'SUMMARY:sale')), 'sale has no DTSTART'],
  [
    'with a start that is none',
    ics(event('1', 'SUMMARY:sale', 'DTSTART:tomorrow')),
    'invalid date-time value: "tomo-rr-owT::"',
  ],
  [
    'with an unknown zone',
    ics(event('1', 'SUMMARY:sale', 'DTSTART;TZID=Mars/Base:20261127T080000', 'DURATION:PT1H')),
    'sale is in the time zone "Mars/Base", which neither the file nor this machine defines',
  ],
  [
    'with an event every minute',
    ics(event('1', 'SUMMARY:tick', 'DTSTART:20261127T080000Z', 'DURATION:PT1S', 'RRULE:FREQ=MINUTELY')),
    'tick repeats MINUTELY: a freeze that comes again does so daily at most',
  ],
])('a file that is %s is told so', (_, text, problem) => {
  expect(icsProblem(text)).toBe(problem)
})

test('a calendar is closed during the events of its file, and names them', () => {
  const text = ics(event('1', 'SUMMARY:sale', 'DTSTART:20261127T080000Z', 'DTEND:20261127T200000Z'))
  const spec = { timeZone: 'Europe/Vienna', windows: [], freezes: [{ file: 'freezes.ics', ics: text }], peaks: [] }
  expect(createCalendar(spec).at(Date.parse('2026-11-27T10:00Z'))).toEqual({
    isOpen: false,
    sentence: 'the freeze "sale" until Fri 2026-11-27 21:00 Europe/Vienna',
    changesAtMs: Date.parse('2026-11-27T20:00Z'),
  })
})
