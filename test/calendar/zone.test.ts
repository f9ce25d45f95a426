import { describe, expect, test } from 'vitest'
import { isTimeZone, readTime, Zone } from '../../src/shared/calendar/zone.ts'

const wall = (text: string) => Date.parse(`${text}Z`)
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16)

describe('a time of a wall clock', () => {
  test.each([
    ['shown once', 'Europe/Vienna', '2026-11-23T09:00', ['2026-11-23T08:00']],
    [
      'shown twice as clocks go back in Vienna',
      'Europe/Vienna',
      '2026-10-25T02:30',
      ['2026-10-25T00:30', '2026-10-25T01:30'],
    ],
    ['never shown as clocks go forward in Vienna', 'Europe/Vienna', '2026-03-29T02:30', []],
    [
      'shown twice as clocks go back in New York',
      'America/New_York',
      '2026-11-01T01:30',
      ['2026-11-01T05:30', '2026-11-01T06:30'],
    ],
    ['never shown as clocks go forward in New York', 'America/New_York', '2026-03-08T02:00', []],
    ['the first after they went forward', 'Europe/Vienna', '2026-03-29T03:00', ['2026-03-29T01:00']],
    [
      'in a zone with a change of half an hour',
      'Australia/Lord_Howe',
      '2026-04-05T01:45',
      ['2026-04-04T14:45', '2026-04-04T15:15'],
    ],
    ['in a zone of a quarter of an hour', 'Asia/Kathmandu', '2026-01-01T00:00', ['2025-12-31T18:15']],
    ['in UTC', 'UTC', '2026-03-29T02:30', ['2026-03-29T02:30']],
  ])('%s', (_, zone, text, instants) => {
    expect(new Zone(zone).instantsOf(wall(text)).map(iso)).toEqual(instants)
  })

  test('that is never shown is taken for the moment at which clocks go forward', () => {
    const vienna = new Zone('Europe/Vienna')
    for (const text of ['2026-03-29T02:00', '2026-03-29T02:30', '2026-03-29T02:59'])
      expect([vienna.firstInstantOf(wall(text)), vienna.lastInstantOf(wall(text))].map(iso)).toEqual([
        '2026-03-29T01:00',
        '2026-03-29T01:00',
      ])
  })

  test('is told with its day and its zone', () => {
    expect(new Zone('Europe/Vienna').formatTime(wall('2026-11-23T08:00'))).toBe('Mon 2026-11-23 09:00 Europe/Vienna')
  })
})

test.each([
  ['2026-12-20', { kind: 'date', ms: wall('2026-12-20T00:00') }],
  ['2026-12-20T18:00', { kind: 'local', ms: wall('2026-12-20T18:00') }],
  ['2026-12-20T18:00:30', { kind: 'local', ms: wall('2026-12-20T18:00:30') }],
  ['2026-12-20T18:00Z', { kind: 'zoned', ms: wall('2026-12-20T18:00') }],
  ['2026-12-20T18:00+01:00', { kind: 'zoned', ms: wall('2026-12-20T17:00') }],
  ['2026-02-30', null],
  ['2026-13-01', null],
  ['2026-12-20T25:00', null],
  ['2026-12-20 18:00', null],
  ['20 December', null],
])('the written time %s', (text, time) => {
  expect(readTime(text)).toEqual(time)
})

test.each([
  ['Europe/Vienna', true],
  ['UTC', true],
  ['Europe/Wien', false],
  ['+01:00', false],
  ['', false],
])('%j is a time zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is)
})
