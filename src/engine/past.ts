import type { HistorySpan } from '../ports/source.ts'

/** Points that one answer about the past may have, all series together: some 2 MB of Prometheus's JSON. */
const MOST_POINTS = 100_000

/**
 * How much of an SLI's past is still to be asked for, newest first: short windows are full at once, and no answer grows
 * with the fleet. A memory that cannot tell so much at once is asked for half.
 */
export class Past {
  private readonly tickMs: number
  private readonly mostAtOnce: number
  private atOnce: number
  /** What is filled: from `filledFromMs` to where the counted ticks begin. null: nothing was asked for yet. */
  private filledFromMs: number | null = null
  private ticksLeft: number

  /** @param series - How many an answer has, about. */
  constructor({ seconds, tickSeconds, series }: { seconds: number; tickSeconds: number; series: number }) {
    this.tickMs = tickSeconds * 1000
    this.ticksLeft = Math.ceil(seconds / tickSeconds)
    this.mostAtOnce = Math.max(1, Math.floor(MOST_POINTS / series))
    this.atOnce = this.mostAtOnce
  }

  /** What to ask for next, ending where what is filled begins, at first at `untilMs`; null: nothing is left. */
  next(untilMs: number): HistorySpan | null {
    if (this.ticksLeft === 0) return null
    const ticks = Math.min(this.atOnce, this.ticksLeft)
    const tickSeconds = this.tickMs / 1000
    return { untilMs: this.filledFromMs ?? untilMs, seconds: ticks * tickSeconds, tickSeconds }
  }

  /** That span is filled. */
  filled({ untilMs, seconds, tickSeconds }: HistorySpan): void {
    this.ticksLeft -= Math.min(this.ticksLeft, Math.round(seconds / tickSeconds))
    this.filledFromMs = untilMs - seconds * 1000
    this.atOnce = Math.min(this.mostAtOnce, this.atOnce * 2)
  }

  /** The source has no memory. */
  giveUp(): void {
    this.ticksLeft = 0
  }

  /** That span could not be told. */
  failed({ seconds, tickSeconds }: HistorySpan): void {
    this.atOnce = Math.max(1, Math.floor(seconds / tickSeconds / 2))
  }
}
