import { z } from 'zod'
import { cronProblem } from '../shared/calendar/cron.ts'
import { isTimeZone, readTime } from '../shared/calendar/zone.ts'
import { about, duration, refuse } from '../shared/schema.ts'
import { text } from './schema-names.ts'

const DAY_SECONDS = 86_400

function cron() {
  return z
    .string()
    .meta({ 'x-type': 'cron expression', examples: ['0 9 * * 1-5'] })
    .superRefine((expression, ctx) => {
      const wrong = cronProblem(expression)
      const hint = 'write minute, hour, day of the month, month and day of the week, as in "0 9 * * 1-5"'
      if (wrong !== null) refuse(ctx, 'CONFIG_CALENDAR', `"${expression}" is no cron expression: ${wrong}`, hint)
    })
}

function time() {
  return z
    .string()
    .meta({ 'x-type': 'time', examples: ['2026-12-20T18:00'] })
    .superRefine((written, ctx) => {
      if (readTime(written) !== null) return
      const hint =
        'write a day, as in 2026-12-20, or a time, as in 2026-12-20T18:00, with Z or +01:00 if it is of another zone'
      refuse(ctx, 'CONFIG_CALENDAR', `"${written}" is no time`, hint)
    })
}

function periods(what: string, example: object) {
  const period = z.strictObject({
    name: text().optional().meta(about('What it is called in sentences; by default the expression', 'office hours')),
    cron: cron().meta(about("When it begins, in the calendar's time zone", '0 9 * * 1-5')),
    for: duration({ minSeconds: 60, maxSeconds: 31 * DAY_SECONDS }).meta(
      about('How long it lasts, up to 31d: real time, not wall clock', '8h'),
    ),
  })
  return z
    .array(period)
    .prefault([])
    .meta(about(what, [example]))
}

const freezeSchema = z.union([
  z.strictObject({
    name: text().meta(about('What it is called in sentences', 'year end')),
    from: time().meta(
      about("Its first moment, in the calendar's time zone; a day alone: from its midnight", '2026-12-20'),
    ),
    to: time().meta(about('When it is over; a day alone: that day included', '2027-01-06')),
  }),
  z.strictObject({
    ics: text().meta(
      about(
        "An ICS file, relative to the config's folder: each event in it is a freeze, those that come again too",
        'freezes.ics',
      ),
    ),
  }),
])

/** When traffic may be raised. */
export const calendarSchema = z
  .strictObject({
    timeZone: z
      .string()
      .superRefine((zone, ctx) => {
        if (isTimeZone(zone)) return
        refuse(
          ctx,
          'CONFIG_CALENDAR',
          `"${zone}" is no time zone`,
          'write a name of IANA, such as Europe/Vienna or UTC',
        )
      })
      .prefault('UTC')
      .meta(about('What the times of the calendar are in: a name of IANA', 'Europe/Vienna')),
    windows: periods('Raises happen within these alone; without any, at all times', { cron: '0 9 * * 1-5', for: '8h' }),
    freezes: z
      .array(freezeSchema)
      .prefault([])
      .meta(about('Times without raises', [{ name: 'year end', from: '2026-12-20', to: '2027-01-06' }])),
    peaks: periods('Hours of the most business, without raises', { cron: '0 12 * * *', for: '2h' }),
  })
  .optional()
  .meta(about('When traffic may be raised; reverts need no leave. It applies at once, to rollouts under way too'))

export type CalendarSettings = NonNullable<z.output<typeof calendarSchema>>
