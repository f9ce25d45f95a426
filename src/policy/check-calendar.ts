import { icsProblem } from '../shared/calendar/ics.ts'
import type { CalendarSpec, CronPeriod, Freeze } from '../shared/calendar/spec.ts'
import { DAY_MS, readTime, Zone } from '../shared/calendar/zone.ts'
import type { Finding, Path } from './finding.ts'
import type { CalendarSettings } from './schema-calendar.ts'

/** Reads a file that the config names, relative to its folder: the text, or why there is none. */
export type ReadBeside = (path: string) => { readonly text: string } | { readonly why: string }

export interface ResolvedCalendar {
  /** null: the config has none, or one with findings. */
  readonly spec: CalendarSpec | null
  readonly findings: readonly Finding[]
}

/** The calendar of a config, with its files read, or what is wrong with it. */
export function resolveCalendar(settings: CalendarSettings | undefined, read: ReadBeside): ResolvedCalendar {
  if (settings === undefined) return { spec: null, findings: [] }
  const { timeZone, windows, freezes, peaks } = settings
  const zone = new Zone(timeZone)
  const resolved = freezes.map((freeze, index) => {
    const path = ['calendar', 'freezes', index]
    return 'ics' in freeze ? fileFreeze(freeze.ics, path, read) : writtenFreeze(freeze, path, zone)
  })
  const findings = resolved.flatMap((one) => ('cause' in one ? [one] : []))
  if (findings.length > 0) return { spec: null, findings }
  const spec = {
    timeZone,
    windows: windows.map(toPeriod),
    freezes: resolved.flatMap((one) => ('cause' in one ? [] : [one])),
    peaks: peaks.map(toPeriod),
  }
  return { spec, findings: [] }
}

function toPeriod({ name, cron, for: forSeconds }: CalendarSettings['windows'][number]): CronPeriod {
  return { name: name ?? cron, cron, forSeconds }
}

function fileFreeze(file: string, path: Path, read: ReadBeside): Freeze | Finding {
  const at = [...path, 'ics']
  const content = read(file)
  if ('why' in content) return { code: 'CONFIG_FILE_UNREADABLE', cause: `${file}: ${content.why}`, path: at }
  const wrong = icsProblem(content.text)
  if (wrong === null) return { file, ics: content.text }
  return {
    code: 'CONFIG_CALENDAR',
    cause: `${file} is no ICS calendar that can be used: ${wrong}`,
    hint: 'export it again, or open it in a calendar to find the event',
    path: at,
  }
}

function writtenFreeze(freeze: { name: string; from: string; to: string }, path: Path, zone: Zone): Freeze | Finding {
  const { name, from, to } = freeze
  const fromMs = instantOf(from, zone, 'from')
  const toMs = instantOf(to, zone, 'to')
  if (fromMs < toMs) return { name, fromMs, toMs }
  return {
    code: 'CONFIG_CALENDAR',
    cause: `the freeze "${name}" ends before it begins`,
    hint: 'write a `to` after its `from`',
    path: [...path, 'to'],
    other: { path: [...path, 'from'] },
  }
}

/** A time that clocks show twice is taken so that the freeze is the longer one. */
function instantOf(text: string, zone: Zone, end: 'from' | 'to'): number {
  const written = readTime(text)
  if (written === null) throw new Error(`no time ${text}: the schema let a config pass that it should not`)
  if (written.kind === 'zoned') return written.ms
  if (end === 'from') return zone.firstInstantOf(written.ms)
  return zone.lastInstantOf(written.kind === 'date' ? written.ms + DAY_MS : written.ms)
}
