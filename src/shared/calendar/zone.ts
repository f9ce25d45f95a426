/**
 * Wall clocks of a time zone. A wall time is given in ms as if it were UTC: 09:00 on a wall is `Date.UTC(…, 9)`, wherever the
 * wall is. The rules of zones are Node's own (ICU), so they come with the version of Node.
 */
export class Zone {
  readonly name: string
  private readonly format: Intl.DateTimeFormat

  /** `name` as IANA has it, e.g. `Europe/Vienna`: see `isTimeZone`. */
  constructor(name: string) {
    this.name = name
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** What the wall shows at an instant, whole seconds. */
  wallOf(atMs: number): number {
    const part: Record<string, number> = {}
    for (const { type, value } of this.format.formatToParts(atMs)) part[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }

  /** When the wall shows that: two instants where clocks go back over it, none where they go forward over it. */
  instantsOf(wallMs: number): readonly number[] {
    const candidates = this.offsetsAround(wallMs).map((offsetMs) => wallMs - offsetMs)
    return [...new Set(candidates)].filter((atMs) => this.wallOf(atMs) === wallMs).sort((a, b) => a - b)
  }

  /** The first instant at which the wall shows that; where clocks go forward over it, when they do. */
  firstInstantOf(wallMs: number): number {
    return this.instantsOf(wallMs)[0] ?? this.jumpOver(wallMs)
  }

  /** The last one. */
  lastInstantOf(wallMs: number): number {
    return this.instantsOf(wallMs).at(-1) ?? this.jumpOver(wallMs)
  }

  /** For people: `Mon 2026-11-23 09:00 Europe/Vienna`. */
  formatTime(atMs: number): string {
    return `${this.formatMinute(atMs)} ${this.name}`
  }

  /** `Mon 2026-11-23 09:00`. */
  formatMinute(atMs: number): string {
    const wall = new Date(this.wallOf(atMs))
    const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][wall.getUTCDay()]
    return `${day} ${wall.toISOString().slice(0, 16).replace('T', ' ')}`
  }

  // Zones change their offset at most once within two days.
  private offsetsAround(wallMs: number): [before: number, after: number] {
    const offsetMs = (atMs: number) => this.wallOf(atMs) - atMs
    return [offsetMs(wallMs - DAY_MS), offsetMs(wallMs + DAY_MS)]
  }

  /** The instant at which the wall clock jumps forward over a time that it never shows. */
  private jumpOver(wallMs: number): number {
    const [before, after] = this.offsetsAround(wallMs)
    let [fromMs, toMs] = [wallMs - after, wallMs - before]
    while (toMs - fromMs > 1000) {
      const middleMs = Math.floor((fromMs + toMs) / 2000) * 1000
      if (this.wallOf(middleMs) > wallMs) toMs = middleMs
      else fromMs = middleMs
    }
    return toMs
  }
}

export const DAY_MS = 86_400_000

/** Whether this is the name of a time zone that is known here. */
export function isTimeZone(name: string): boolean {
  try {
    // An offset such as +01:00 would be taken too, but knows of no change of clocks.
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }) !== null
  } catch {
    return false
  }
}

/** `date`: a day without a time, which stands for all of it. `zoned`: the text has its own offset. */
export type WrittenTime = { readonly kind: 'date' | 'local' | 'zoned'; readonly ms: number }

/**
 * `2026-12-20`, `2026-12-20T18:00`, `2026-12-20T18:00:00+01:00`, `…Z`; null: none of these, or no such day. `ms` is a wall
 * time, but an instant where the text has an offset.
 */
export function readTime(text: string): WrittenTime | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) return null
  const [, date = '', minutes, seconds = ':00', offset] = match
  const wallMs = Date.parse(`${date}T${minutes ?? '00:00'}${seconds}Z`)
  // Date.parse rolls 30 February over into March.
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(date)) return null
  if (minutes === undefined) return { kind: 'date', ms: wallMs }
  if (offset === undefined) return { kind: 'local', ms: wallMs }
  const ms = Date.parse(`${date}T${minutes}${seconds}${offset}`)
  return Number.isNaN(ms) ? null : { kind: 'zoned', ms }
}
