/** Whether traffic may be raised at a moment, by windows, freezes and peak hours. */
export interface CalendarReading {
  readonly isOpen: boolean
  /** Which window, freeze or peak says so, and until when. */
  readonly sentence: string
  /** When that changes next; null: not within what was looked ahead. */
  readonly changesAtMs: number | null
}
