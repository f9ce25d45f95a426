import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Clock, Log } from '../ports/runtime.ts'
import { byDeadline, within } from '../shared/deadline.ts'

/** Spans that wait; what comes on top of them is dropped. */
export const MOST_SPANS = 2048
const SPANS_AT_ONCE = 512
const SEND_EVERY_MS = 5_000
const SEND_TIMEOUT_MS = 10_000
/** For the last ones, at the end. */
const LAST_SEND_MS = 2_000
const LONGEST_PAUSE_MS = 60_000
const SAMPLED = 1

/** What came of spans: a receiver took them, refused them for good, or there was no room or time for them. */
export type SpanOutcome = 'exported' | 'refused' | 'dropped'

/** What came of one request. */
export type SpanDelivery =
  | { readonly outcome: 'exported'; readonly refused: number }
  | { readonly outcome: 'refused'; readonly detail: string }
  /** Not now; tried again, after that time if it says one. */
  | { readonly outcome: 'later'; readonly detail: string; readonly retryAfterSeconds: number | null }

export interface SpanQueueDeps {
  /** Never throws; heeds the signal. */
  readonly send: (spans: readonly ReadableSpan[], signal: AbortSignal) => Promise<SpanDelivery>
  readonly count: (outcome: SpanOutcome, spans: number) => void
  readonly clock: Clock
  readonly log: Log
}

/**
 * Spans on their way to a receiver. Whoever ends a span never waits: the queue is bounded, and is emptied on the side. A
 * receiver that is away gets what the queue holds when it is back.
 */
export class SpanQueue implements SpanProcessor {
  readonly #deps: SpanQueueDeps
  readonly #waiting: ReadableSpan[] = []
  readonly #ending = new AbortController()
  readonly #ended: Promise<void>
  #nudge = new AbortController()
  #isFailing = false

  constructor(deps: SpanQueueDeps) {
    this.#deps = deps
    this.#ended = this.#run()
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return
    if (this.#waiting.length >= MOST_SPANS || this.#ending.signal.aborted) {
      this.#deps.count('dropped', 1)
      return
    }
    this.#waiting.push(span)
    if (this.#waiting.length >= SPANS_AT_ONCE) this.#nudge.abort()
  }

  /** Nobody waits for spans. */
  async forceFlush(): Promise<void> {}

  /** Sends what waits, once and for a short time; the rest is dropped. */
  async shutdown(): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    let pauseMs = SEND_EVERY_MS
    while (!this.#ending.signal.aborted) {
      const soon = this.#isFailing ? [this.#ending.signal] : [this.#ending.signal, this.#nudge.signal]
      await clock.sleep(pauseMs, AbortSignal.any(soon))
      this.#nudge = new AbortController()
      if (this.#ending.signal.aborted) break
      const delivery = await this.#sendAll(SEND_TIMEOUT_MS, this.#ending.signal)
      pauseMs = delivery === null ? SEND_EVERY_MS : pauseAfter(pauseMs, delivery.retryAfterSeconds)
    }
    await this.#sendAll(LAST_SEND_MS, null)
    this.#count('dropped', this.#waiting.splice(0).length)
  }

  /** Until none waits, or until the receiver wants to be asked later: then that; null: it is not failing. */
  async #sendAll(timeoutMs: number, ending: AbortSignal | null) {
    const { clock, log } = this.#deps
    while (this.#waiting.length > 0 && !ending?.aborted) {
      const batch = this.#waiting.slice(0, SPANS_AT_ONCE)
      const delivery = await within(clock, timeoutMs, (late) => this.#send(batch, late, ending))
      if (delivery.outcome === 'later') {
        // Told once: a receiver that is away would fill the log otherwise.
        if (!this.#isFailing) log.warn({ why: delivery.detail }, 'no traces can be sent; sweeps go on without')
        this.#isFailing = true
        return delivery
      }
      this.#waiting.splice(0, batch.length)
      if (delivery.outcome === 'refused') {
        log.error({ why: delivery.detail, spans: batch.length }, 'spans are refused, and given up')
        this.#count('refused', batch.length)
        continue
      }
      if (this.#isFailing) log.info({}, 'traces can be sent again')
      this.#isFailing = false
      this.#count('exported', batch.length - delivery.refused)
      this.#count('refused', delivery.refused)
    }
    return null
  }

  #send(batch: readonly ReadableSpan[], late: AbortSignal, ending: AbortSignal | null): Promise<SpanDelivery> {
    const signal = ending === null ? late : AbortSignal.any([late, ending])
    return byDeadline<SpanDelivery>(this.#deps.send(batch, signal), signal, () => ({
      ...{ outcome: 'later', detail: 'no whole answer in time', retryAfterSeconds: null },
    }))
  }

  #count(outcome: SpanOutcome, spans: number): void {
    if (spans > 0) this.#deps.count(outcome, spans)
  }
}

function pauseAfter(pauseMs: number, retryAfterSeconds: number | null): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(pauseMs * 2, (retryAfterSeconds ?? 0) * 1000))
}
