import { Problem } from '../core/problem.ts'
import type { ChannelConfig } from '../policy/config.ts'
import type { Channel, ChannelKind, Delivery, Notification } from '../ports/channel.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import type { Cursor, Cursors, Journal } from '../ports/store.ts'
import { within } from '../shared/deadline.ts'
import { Batch, type BatchDeps, type Group } from './batch.ts'
import { render } from './render.ts'

const PAGE_ROWS = 500
/** A wake that was lost costs no more than this. */
const LOOK_EVERY_MS = 10_000
const SEND_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 5 * 60_000
/** Rows that concern nobody are passed over in the store only now and then. */
const PASS_OVER_ROWS = 1_000

export interface RunnerDeps extends Omit<BatchDeps, 'route' | 'takes'> {
  readonly journal: Pick<Journal, 'read' | 'lastSeq'>
  readonly cursors: Cursors
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Whether it is for this process to tell: of several on one store, one does. */
  readonly mayTell: () => boolean
  /** A notification was accepted, will be tried again, or is given up. */
  readonly count: (channel: string, outcome: Delivery['outcome']) => void
}

/**
 * Tells one channel of the journal, from its cursor on. What is told at once is fixed in the store before it is sent, and the
 * cursor moves only after the channel accepted it: so the same is told after a kill, under the same ids.
 */
export class ChannelRunner {
  readonly #config: ChannelConfig
  readonly #channel: Channel
  readonly #takes: ChannelKind['takes']
  readonly #deps: RunnerDeps
  readonly #ending = new AbortController()
  readonly #ended: Promise<void>
  #nudge = new AbortController()
  #isFailing = false
  /** When the newest notifications went out, ms; as many as may go within a minute. */
  readonly #sentAtMs: number[] = []

  constructor(config: ChannelConfig, channel: Channel, takes: ChannelKind['takes'], deps: RunnerDeps) {
    this.#config = config
    this.#channel = channel
    this.#takes = takes
    this.#deps = deps
    this.#ended = this.#run()
  }

  /** There may be new rows. */
  wake(): void {
    this.#nudge.abort()
  }

  /** Ends; what is being sent now gets its time, what waits is told after the next start. */
  async close(): Promise<void> {
    this.#ending.abort()
    await this.#ended
    await this.#channel.close()
  }

  async #run(): Promise<void> {
    let cursor: Cursor | null = null
    let failures = 0
    while (!this.#isEnding()) {
      if (!this.#deps.mayTell()) {
        // Another may tell meanwhile: where that stands is read anew.
        cursor = null
        await this.#waitForRows(LOOK_EVERY_MS)
        continue
      }
      try {
        cursor ??= await this.#firstCursor()
        cursor = await this.#turn(cursor)
        failures = 0
      } catch (error) {
        if (!(error instanceof Problem)) this.#deps.log.error({ channel: this.#config.name, err: error }, 'a fault')
        else if (failures === 0)
          this.#deps.log.warn(
            { channel: this.#config.name, problem: error.toJSON() },
            'a channel cannot follow the journal',
          )
        // What is in the store counts, whatever came of a write.
        cursor = null
        failures += 1
        await this.#pause(this.#backoffMs(failures, null))
      }
    }
  }

  /** A channel that was never there is told of what comes, not of the past. */
  async #firstCursor(): Promise<Cursor> {
    const { cursors, journal } = this.#deps
    const known = await cursors.read(this.#config.name)
    if (known) return known
    const seq = await journal.lastSeq()
    const fresh: Cursor = { channel: this.#config.name, seq, upToSeq: null, accepted: [], open: [] }
    await cursors.write(fresh)
    return fresh
  }

  /** Gathers what is to be told at once, tells it, and gives the cursor behind it. */
  async #turn(before: Cursor): Promise<Cursor> {
    const { cursors } = this.#deps
    const batch = new Batch(before.seq, before.open, { ...this.#deps, takes: this.#takes, route: this.#config })
    let cursor = before
    if (before.upToSeq !== null) await this.#read(batch, before.upToSeq)
    else {
      await this.#read(batch)
      if (batch.isEmpty()) {
        if (batch.seq - before.seq >= PASS_OVER_ROWS) {
          const passed = { ...before, seq: batch.seq }
          await cursors.write(passed)
          return passed
        }
        await this.#waitForRows(LOOK_EVERY_MS)
        return before
      }
      await this.#gather(batch)
      if (this.#isEnding()) return before
      cursor = { ...before, upToSeq: batch.seq, accepted: [] }
      await cursors.write(cursor)
    }

    for (const group of batch.groups()) {
      const id = this.#idOf(group, cursor)
      if (cursor.accepted.includes(id) || !this.#wants(group)) continue
      const notification = render(group, id, this.#config.template)
      if (!(await this.#deliver(notification))) return cursor
      cursor = { ...cursor, accepted: [...cursor.accepted, id] }
      await cursors.write(cursor)
    }
    const after: Cursor = { ...cursor, seq: batch.seq, upToSeq: null, accepted: [], open: batch.open() }
    await cursors.write(after)
    return after
  }

  async #read(batch: Batch, upToSeq = Number.MAX_SAFE_INTEGER): Promise<void> {
    while (batch.seq < upToSeq && !batch.isFull()) {
      const limit = Math.min(PAGE_ROWS, upToSeq - batch.seq)
      const rows = await this.#deps.journal.read({ afterSeq: batch.seq, limit })
      batch.add(rows)
      if (rows.length < limit) return
    }
  }

  /** Adds what comes until the group's time is over, unless somebody is to be woken, and until one more may go out. */
  async #gather(batch: Batch): Promise<void> {
    const { clock } = this.#deps
    const groupMs = this.#config.groupSeconds * 1000
    const startedAtMs = clock.nowMs()
    for (;;) {
      const nowMs = clock.nowMs()
      // By the event's own time, so that a restart does not begin it anew; but never longer than that, whatever the clock does.
      const left = Math.min((batch.sinceMs ?? nowMs) + groupMs - nowMs, startedAtMs + groupMs - nowMs)
      const waitMs = Math.max(batch.isLoud ? 0 : left, this.#untilMayMs())
      if (waitMs <= 0 || this.#isEnding()) return
      await this.#waitForRows(waitMs)
      await this.#read(batch)
    }
  }

  /** Milliseconds until one more notification may go out. */
  #untilMayMs(): number {
    const { mostPerMinute } = this.#config
    const nowMs = this.#deps.clock.nowMs()
    const first = this.#sentAtMs.at(-mostPerMinute)
    // A clock that went back must not silence a channel.
    return first === undefined || first > nowMs ? 0 : first + 60_000 - nowMs
  }

  #wants({ incidents }: Group): boolean {
    return this.#takes !== 'incidents' || incidents.length > 0
  }

  #idOf({ migration, items }: Group, { channel, seq, upToSeq }: Cursor): string {
    const row = this.#takes === 'marks' ? `-${items[0]?.seq}` : ''
    return `${channel}-${seq + 1}-${upToSeq}-${migration ?? 'service'}${row}`
  }

  /** Until it is accepted or given up; false: this ends before. */
  async #deliver(notification: Notification): Promise<boolean> {
    const { clock, log, count } = this.#deps
    const { name, mostPerMinute } = this.#config
    for (let attempt = 1; ; attempt++) {
      await this.#pause(this.#untilMayMs())
      if (this.#isEnding() || !this.#deps.mayTell()) return false
      this.#sentAtMs.push(clock.nowMs())
      this.#sentAtMs.splice(0, this.#sentAtMs.length - mostPerMinute)
      const delivery = await within(clock, SEND_TIMEOUT_MS, (signal) => this.#channel.send(notification, signal))
      count(name, delivery.outcome)
      const about = { channel: name, notification: notification.id }
      if (delivery.outcome === 'accepted') {
        if (this.#isFailing) log.info(about, 'a channel takes notifications again')
        this.#isFailing = false
        return true
      }
      if (delivery.outcome === 'refused') {
        log.error({ ...about, why: delivery.detail }, 'a channel refuses a notification: it is given up')
        return true
      }
      // Told once: a channel that is away would fill the log otherwise.
      if (!this.#isFailing) log.warn({ ...about, why: delivery.detail }, 'a channel takes no notifications; they wait')
      this.#isFailing = true
      await this.#pause(this.#backoffMs(attempt, delivery.retryAfterSeconds))
    }
  }

  #backoffMs(attempt: number, retryAfterSeconds: number | null): number {
    const doubled = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 20))
    return Math.max((retryAfterSeconds ?? 0) * 1000, doubled * (0.5 + this.#deps.random.next() / 2))
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await this.#deps.clock.sleep(ms, this.#ending.signal)
  }

  async #waitForRows(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, AbortSignal.any([this.#ending.signal, this.#nudge.signal]))
    this.#nudge = new AbortController()
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }
}
