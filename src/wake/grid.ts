/** A timer may fire a hair before its time by the wall clock: what is so near counts as reached, milliseconds. */
const EARLY_MS = 50

/** The times at which sweeps are due: the multiples of an interval since 1970, alike for all processes. */
export class Grid {
  private readonly intervalMs: number
  private readonly earlyMs: number

  constructor(sweepSeconds: number) {
    this.intervalMs = sweepSeconds * 1000
    this.earlyMs = Math.min(EARLY_MS, this.intervalMs / 10)
  }

  /** The number of the interval that this time is in. */
  slotAt(nowMs: number): number {
    return Math.floor((nowMs + this.earlyMs) / this.intervalMs)
  }

  /** How long from `nowMs` until an interval is through to this share of it, ms, > 0. `share` in [0, 1); 0: when the next one begins. */
  msUntil(share: number, nowMs: number): number {
    const intoMs = (nowMs - share * this.intervalMs) % this.intervalMs
    const remainingMs = this.intervalMs - (intoMs < 0 ? intoMs + this.intervalMs : intoMs)
    return remainingMs <= this.earlyMs ? remainingMs + this.intervalMs : remainingMs
  }
}
