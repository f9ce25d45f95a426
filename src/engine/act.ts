import type { Effect, Urgency } from '../core/effect.ts'
import type { WriteReport } from '../core/observation.ts'
import { type ProblemJson, problem } from '../core/problem.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import type { WeightChange, WriteResult } from '../ports/traffic.ts'
import { byDeadline, within } from '../shared/deadline.ts'
import { WRITE_TIMEOUT_MS } from './lease.ts'

/** Pause before a failed revert is tried again: doubled each time up to the longest, with jitter, ms. */
const SHORTEST_BACKOFF_MS = 200
const LONGEST_BACKOFF_MS = 5_000
/** Calls in a row that had room for nothing, as while a provider's batch is halved to find its fault: more are a failure. */
const MAX_FRUITLESS_CALLS = 12
/** A write that was acknowledged, and that nobody could read back for so long, is made again, ms. */
const UNVERIFIED_MS = 60_000

export interface ActDeps {
  readonly write: (
    scope: string,
    changes: readonly WeightChange[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, WriteResult>>
  /** Waits for the provider's quota to allow a call; false: the signal aborted before. */
  readonly takeTurn: (scope: string, urgency: Urgency, signal: AbortSignal) => Promise<boolean>
  /** Asked right before each write: the token of the lease that this process holds now; null: it holds none. */
  readonly leaseToken: () => number | null
  /** Whether a target was read in a call that began at this time or later. */
  readonly wasReadSince: (targetId: string, sinceMs: number) => boolean
  /** Called after each call returned, with what came of it, and as what it went. */
  readonly onWritten: (scope: string, reports: readonly WriteReport[], urgency: Urgency) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * The one writer of a scope. It holds a map of desired weights, where the last word wins, and makes one call at a time:
 * reverts first, and everything that is desired by then in one call.
 */
export class ScopeWriter {
  /** The last word on each target. */
  private readonly wanted = new Map<string, WeightChange>()
  /** What of it is to be written yet. */
  private readonly desired = new Map<string, WeightChange>()
  /** Failures in a row of the newest write of each target. */
  private readonly failures = new Map<string, { readonly change: WeightChange; readonly count: number }>()
  /** What was acknowledged, until it is read back: a slow read must not have it written over and over. */
  private readonly acknowledged = new Map<string, { readonly change: WeightChange; readonly atMs: number }>()
  private fruitlessCalls = 0
  /** The lease under which the last word was said: under another one somebody else may have had a later word. */
  private token: number | null = null
  /** Ends the pause before a failed revert is tried again; null: it does not pause. */
  private pause: AbortController | null = null
  /** Its wait for the provider's quota, and as what it waits; null: it does not. */
  private turn: { readonly urgency: Urgency; readonly abort: AbortController } | null = null
  private inFlight: ReadonlyMap<string, WeightChange> = new Map()
  private running: Promise<void> | null = null
  private isStopping = false
  private readonly scope: string
  private readonly deps: ActDeps

  constructor(scope: string, deps: ActDeps) {
    this.scope = scope
    this.deps = deps
  }

  /** Says what these targets shall have now; a target without an effect is wanted to have nothing written. */
  want(targetIds: readonly string[], effects: readonly Effect[]): void {
    const isNews = effects.some((one) => one.urgency === 'revert' && !isSameWrite(this.wanted.get(one.targetId), one))
    this.follow(this.deps.leaseToken())
    for (const id of targetIds) {
      this.desired.delete(id)
      this.wanted.delete(id)
    }
    for (const { kind: _, ...change } of effects) {
      const { targetId } = change
      this.wanted.set(targetId, change)
      // The same write is on its way: its read-back will tell.
      if (isSameSplit(this.inFlight.get(targetId), change) || this.isUnverified(change)) continue
      this.desired.set(targetId, change)
    }
    // A revert that is new does not wait out the pause that another one's failures have earned.
    if (isNews) this.pause?.abort()
    // A revert does not wait in a step's place, nor a step in that of a revert which was withdrawn.
    if (this.turn && this.turn.urgency !== this.nextUrgency()) this.turn.abort.abort()
    if (this.desired.size > 0 && !this.isStopping) this.running ??= this.run()
  }

  /** Lets the call under way end, and makes no further one: what is left is in the committed state. */
  async stop(): Promise<void> {
    this.isStopping = true
    this.pause?.abort()
    this.turn?.abort.abort()
    await this.running
  }

  private async run(): Promise<void> {
    // Let `want` note that it runs before it may already have ended.
    await null
    while (this.desired.size > 0 && !this.isStopping) {
      // What is written is chosen after the wait: by then somebody may have had a later word.
      if (!(await this.takeTurn()) || this.desired.size === 0 || this.isStopping) continue
      const token = this.deps.leaseToken()
      if (token === null || token !== this.token) {
        this.deps.log.warn({ scope: this.scope }, 'nothing is written: the lease was lost')
        this.follow(token)
        break
      }
      await this.writeOnce(this.takeBatch())
      const failures = this.failuresOfReverts()
      if (failures > 0 && !this.isStopping) await this.waitMs(this.backoffMs(failures))
    }
    this.running = null
  }

  /** False: what is to be written has changed meanwhile, and with it whether, and as what, to wait. */
  private async takeTurn(): Promise<boolean> {
    const urgency = this.nextUrgency()
    if (urgency === null) return false
    const abort = new AbortController()
    this.turn = { urgency, abort }
    try {
      return await this.deps.takeTurn(this.scope, urgency, abort.signal)
    } finally {
      this.turn = null
    }
  }

  /** As what the next batch goes; null: nothing is to be written. */
  private nextUrgency(): Urgency | null {
    if (this.desired.size === 0) return null
    return this.desiredReverts().length > 0 ? 'revert' : 'forward'
  }

  private desiredReverts(): readonly WeightChange[] {
    return [...this.desired.values()].filter(({ urgency }) => urgency === 'revert')
  }

  /** All reverts if there is one, else everything. */
  private takeBatch(): readonly WeightChange[] {
    const reverts = this.desiredReverts()
    const batch = reverts.length > 0 ? reverts : [...this.desired.values()]
    for (const { targetId } of batch) this.desired.delete(targetId)
    return batch
  }

  /** Drops what was said under another lease. */
  private follow(token: number | null): void {
    if (token === this.token) return
    this.token = token
    this.desired.clear()
    this.wanted.clear()
    this.acknowledged.clear()
  }

  private async writeOnce(batch: readonly WeightChange[]): Promise<void> {
    this.inFlight = new Map(batch.map((change) => [change.targetId, change]))
    const results = await this.call(batch)
    this.inFlight = new Map()
    const isDeferred = ({ targetId }: WeightChange) => results.get(targetId)?.kind === 'deferred'
    this.fruitlessCalls = batch.every(isDeferred) ? this.fruitlessCalls + 1 : 0
    // Asked again at once for ever, a call that never has room would go round and round.
    const isEndless = this.fruitlessCalls > MAX_FRUITLESS_CALLS
    const tried = batch.filter((change) => isEndless || !isDeferred(change))
    if (!isEndless) for (const { targetId } of batch.filter(isDeferred)) this.desireAgain(targetId)
    const reports = tried.map((change) => this.report(change, results.get(change.targetId)))
    for (const { kind, targetId } of reports) {
      // A revert is tried for as long as it is wanted; a step forward waits for the next sweep, which may think better.
      if (kind === 'failed' && this.wanted.get(targetId)?.urgency === 'revert') this.desireAgain(targetId)
    }
    const urgency = batch.some((change) => change.urgency === 'revert') ? 'revert' : 'forward'
    if (reports.length > 0) this.deps.onWritten(this.scope, reports, urgency)
  }

  /** True while nobody has looked what came of the very same write. */
  private isUnverified(change: WeightChange): boolean {
    const last = this.acknowledged.get(change.targetId)
    if (!last || !isSameSplit(last.change, change)) return false
    const ageMs = this.deps.clock.nowMs() - last.atMs
    return ageMs >= 0 && ageMs < UNVERIFIED_MS && !this.deps.wasReadSince(change.targetId, last.atMs)
  }

  /** The last word on it is to be written, unless a later one is already. */
  private desireAgain(targetId: string): void {
    const last = this.wanted.get(targetId)
    if (last && !this.desired.has(targetId)) this.desired.set(targetId, last)
  }

  /** How often the most stubborn of the reverts to be written has failed; 0: one of them has not been tried yet. */
  private failuresOfReverts(): number {
    const counts = this.desiredReverts().map((change) => {
      const last = this.failures.get(change.targetId)
      return last && isSameWrite(last.change, change) ? last.count : 0
    })
    return counts.includes(0) ? 0 : Math.max(0, ...counts)
  }

  /** An adapter must not throw; one that does must not end the writer either. */
  private async call(batch: readonly WeightChange[]): Promise<ReadonlyMap<string, WriteResult>> {
    try {
      // What takes longer is given up, and its outcome learnt by reading back.
      return await within(this.deps.clock, WRITE_TIMEOUT_MS, (signal) =>
        byDeadline(this.deps.write(this.scope, batch, signal), signal, () => new Map()),
      )
    } catch (error) {
      this.deps.log.error({ scope: this.scope, error }, 'a traffic adapter threw')
      return new Map()
    }
  }

  private report(change: WeightChange, result: WriteResult | undefined): WriteReport {
    const { targetId, weightPercent, ttlSeconds } = change
    const atMs = this.deps.clock.nowMs()
    this.acknowledged.delete(targetId)
    if (result?.kind === 'applied') {
      this.failures.delete(targetId)
      this.acknowledged.set(targetId, { change, atMs })
      return { kind: 'applied', targetId, weightPercent, ttlSeconds, atMs }
    }
    const before = this.failures.get(targetId)
    // Another write begins anew: a revert must not be as slow as the step before it was stubborn.
    const attempt = before && isSameWrite(before.change, change) ? before.count + 1 : 1
    this.failures.set(targetId, { change, count: attempt })
    return { kind: 'failed', targetId, weightPercent, ttlSeconds, atMs, attempt, problem: causeOf(targetId, result) }
  }

  private async waitMs(ms: number): Promise<void> {
    this.pause = new AbortController()
    await this.deps.clock.sleep(ms, this.pause.signal)
    this.pause = null
  }

  private backoffMs(attempt: number): number {
    const full = Math.min(LONGEST_BACKOFF_MS, SHORTEST_BACKOFF_MS * 2 ** Math.min(attempt - 1, 10))
    return full * (0.5 + this.deps.random.next() / 2)
  }
}

function causeOf(targetId: string, result: WriteResult | undefined): ProblemJson {
  if (result?.kind === 'failed') return result.problem
  return result?.kind === 'deferred'
    ? problem('TRAFFIC_BAD_ANSWER', `${targetId}: the call to the provider had room for nothing`).toJSON()
    : problem('TRAFFIC_TIMEOUT', `${targetId}: the provider gave no answer`).toJSON()
}

type Write = Omit<WeightChange, 'targetId'>

function isSameWrite(a: Write | undefined, b: Write): boolean {
  return a?.urgency === b.urgency && isSameSplit(a, b)
}

/** The provider is asked for the same, however urgently. */
function isSameSplit(a: Write | undefined, b: Write): boolean {
  if (a?.weightPercent !== b.weightPercent || a.ttlSeconds !== b.ttlSeconds) return false
  return JSON.stringify(a.trial ?? null) === JSON.stringify(b.trial ?? null)
}
