import type { Log } from '../ports/runtime.ts'

/** More different words than that are not told of one outage. */
const MOST_WORDS = 20

/** Tells the log of an outage: each trouble once, however often it comes, and when it is over. */
export class Trouble {
  private readonly told = new Set<string>()
  private isClosed = false
  private readonly place: string
  private readonly log: Log

  constructor(place: string, log: Log) {
    this.place = place
    this.log = log
  }

  /** Of an error only its words: beside them it may carry a command with its arguments, a password among them. */
  readonly note = (trouble: unknown): void => {
    const words = trouble instanceof Error ? trouble.message || trouble.name : String(trouble)
    if (this.isClosed || this.told.has(words) || this.told.size >= MOST_WORDS) return
    this.told.add(words)
    this.log.warn(
      { redis: this.place, error: words },
      'wakes by Redis are in trouble; sweeps go on by the clock of this process',
    )
  }

  /** Does what Redis must answer: when it has, an outage is over, whether or not a connection broke. Throws what that throws. */
  async endedBy(work: () => Promise<unknown>): Promise<void> {
    await work()
    this.over()
  }

  readonly over = (): void => {
    if (this.told.size === 0) return
    this.told.clear()
    this.log.info({ redis: this.place }, 'wakes by Redis are back')
  }

  /** What comes at the end is no trouble. */
  close(): void {
    this.isClosed = true
  }
}
