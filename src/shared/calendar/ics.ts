import ICAL from 'ical.js'
import type { Period } from './period.ts'
import { isTimeZone, Zone } from './zone.ts'

/** One event, or one occurrence of an event that comes again. */
export interface IcsPeriod extends Period {
  readonly name: string
}

export interface IcsCalendar {
  /** What overlaps that time, in no order. Throws what `icsProblem` would have said. */
  periods(within: Period): readonly IcsPeriod[]
}

/** Visits of occurrences of one event at a time: far beyond what a daily one has had since 1970. */
const MAX_OCCURRENCES = 50_000

/** What is wrong with the text of an ICS file, one clause; null: nothing. */
export function icsProblem(text: string): string | null {
  try {
    const calendar = readIcs(text, new Zone('UTC'))
    calendar.periods({ fromMs: 0, toMs: 0 })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be read'
  }
}

/**
 * Reads an ICS file (RFC 5545). Days without times, and times without a zone, are those of `zone`. What is cancelled is left
 * out; whether an event is marked as free or busy makes no difference. Throws an `Error` that says what is wrong.
 */
export function readIcs(text: string, zone: Zone): IcsCalendar {
  const events = calendarsIn(text).flatMap((calendar) => {
    const components = calendar.getAllSubcomponents('vevent')
    const changed = components.filter((one) => one.hasProperty('recurrence-id'))
    return components
      .filter((one) => !one.hasProperty('recurrence-id'))
      .map((one) => {
        const uid = one.getFirstPropertyValue('uid')
        return new ICAL.Event(one, {
          exceptions: changed.filter((other) => other.getFirstPropertyValue('uid') === uid),
        })
      })
  })
  const instantOf = instantsIn(zone)
  for (const event of events) checkEvent(event, instantOf)
  return { periods: (within) => events.flatMap((event) => occurrences(event, within, instantOf)) }
}

type IcsEvent = ICAL.Event
type IcsTime = ICAL.Time
type InstantOf = (time: IcsTime, event: IcsEvent, property: 'dtstart' | 'dtend') => number

/** A file may hold several calendars. */
function calendarsIn(text: string) {
  const parsed: unknown = ICAL.parse(text)
  if (!Array.isArray(parsed) || parsed.length === 0) throw new Error('it is empty')
  const roots: readonly unknown[] = typeof parsed[0] === 'string' ? [parsed] : parsed
  return roots.map((root) => {
    if (!Array.isArray(root) || root[0] !== 'vcalendar') throw new Error('it holds no VCALENDAR')
    return new ICAL.Component(root)
  })
}

function checkEvent(event: IcsEvent, instantOf: InstantOf): void {
  const name = nameOf(event)
  if (!event.component.hasProperty('dtstart')) throw new Error(`${name} has no DTSTART`)
  for (const rule of event.component.getAllProperties('rrule')) {
    const frequency = /FREQ=(SECONDLY|MINUTELY|HOURLY)/.exec(rule.toICALString())?.[1]
    if (frequency) throw new Error(`${name} repeats ${frequency}: a freeze that comes again does so daily at most`)
  }
  instantOf(event.startDate, event, 'dtstart')
  instantOf(event.endDate, event, 'dtend')
}

function nameOf(event: IcsEvent): string {
  return event.summary || 'an event without a SUMMARY'
}

function occurrences(event: IcsEvent, within: Period, instantOf: InstantOf): readonly IcsPeriod[] {
  const name = nameOf(event)
  const found: IcsPeriod[] = []
  const add = (item: IcsEvent, start: IcsTime, end: IcsTime, isOwn: boolean): number => {
    const fromMs = instantOf(start, item, 'dtstart')
    // The end of an occurrence is counted from its start, in the start's zone.
    const toMs = instantOf(end, item, isOwn ? 'dtend' : 'dtstart')
    const isWithin = toMs > within.fromMs && fromMs < within.toMs && toMs > fromMs
    if (isWithin && !isCancelled(item)) found.push({ name: nameOf(item), fromMs, toMs })
    return fromMs
  }
  if (isCancelled(event)) return []
  if (!event.isRecurring()) {
    add(event, event.startDate, event.endDate, true)
    return found
  }
  const iterator = event.iterator()
  for (let count = 0; count < MAX_OCCURRENCES; count++) {
    const occurrence = iterator.next()
    if (!occurrence) return found
    const { item, startDate, endDate } = event.getOccurrenceDetails(occurrence)
    add(item, startDate, endDate, item !== event)
    // One that was moved may lie anywhere: the order is that of the rule.
    if (instantOf(occurrence, event, 'dtstart') >= within.toMs) return found
  }
  throw new Error(`${name} comes more than ${MAX_OCCURRENCES} times`)
}

function isCancelled({ component }: IcsEvent): boolean {
  return String(component.getFirstPropertyValue('status')).toUpperCase() === 'CANCELLED'
}

/**
 * Node knows the zones of IANA; other names, such as Outlook's, are looked up in the file. The library alone would take a
 * zone that the file does not define for none at all.
 */
function instantsIn(zone: Zone): InstantOf {
  const zones = new Map<string, Zone>()
  const known = (name: string): Zone => {
    const there = zones.get(name) ?? new Zone(name)
    zones.set(name, there)
    return there
  }
  return (time, event, property) => {
    const wallMs = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second)
    const toInstant = (wall: Zone) =>
      property === 'dtstart' ? wall.firstInstantOf(wallMs) : wall.lastInstantOf(wallMs)
    if (time.isDate) return toInstant(zone)
    if (time.zone.tzid === 'UTC') return wallMs
    const { component } = event
    const written = component.getFirstProperty(property) ?? component.getFirstProperty('dtstart')
    const name = written?.getParameter('tzid')
    if (typeof name !== 'string') return toInstant(zone)
    if (isTimeZone(name)) return toInstant(known(name))
    if (time.zone.tzid === name) return time.toUnixTime() * 1000
    throw new Error(`${nameOf(event)} is in the time zone "${name}", which neither the file nor this machine defines`)
  }
}
