import { createTask, parse, validateDetailed } from 'node-cron'
import { DAY_MS, type Zone } from './zone.ts'

/** What is wrong with a cron expression, one clause; null: nothing. */
export function cronProblem(text: string): string | null {
  const { valid, errors } = validateDetailed(text)
  if (!valid) return errors[0]?.message ?? 'it cannot be read'
  // A sixth field would be seconds, which nobody means.
  if (!text.trim().startsWith('@') && text.trim().split(/\s+/).length !== 5) return 'expected 5 fields'
  return null
}

/**
 * When an expression, one without a `cronProblem`, says so: for a day (its midnight as a wall time), the instants, rising.
 * A time that clocks show twice on that day counts twice. One that they skip counts when they go forward.
 *
 * node-cron parses, and says which days match. The instants are found here: its own search begins at the present alone, and
 * leaves out what clocks skip.
 */
export function cronStarts(text: string, zone: Zone): (dayMs: number) => readonly number[] {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = parse(text)
  const anyMinute = `* * ${dayOfMonth.join(',')} ${month.join(',')} ${dayOfWeek.join(',')}`
  const task = createTask(anyMinute, () => {}, { timezone: zone.name })
  // It is never started; this takes it off the library's list of tasks.
  void task.destroy()
  const wallMs = hour.flatMap((h) => minute.map((m) => (h * 60 + m) * 60_000)).sort((a, b) => a - b)
  return (dayMs) => {
    const noonMs = zone.firstInstantOf(dayMs + DAY_MS / 2)
    if (!task.match(new Date(noonMs))) return []
    const startMs = zone.firstInstantOf(dayMs)
    const isPlain = zone.firstInstantOf(dayMs + DAY_MS) - startMs === DAY_MS && zone.wallOf(startMs) === dayMs
    if (isPlain) return wallMs.map((ms) => startMs + ms)
    const instants = wallMs.flatMap((ms) => {
      const shown = zone.instantsOf(dayMs + ms)
      return shown.length > 0 ? shown : [zone.firstInstantOf(dayMs + ms)]
    })
    return [...new Set(instants)].sort((a, b) => a - b)
  }
}
