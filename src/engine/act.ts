import type { Effect } from '../core/effect.ts'
import type { WriteReport } from '../core/observation.ts'
import { problem } from '../core/problem.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import type { WeightChange, WriteResult } from '../ports/traffic.ts'

/** A call to a provider that takes longer is given up, and its outcome learnt by reading back, ms. */
const WRITE_TIMEOUT_MS = 10_000
/** Pause before a failed revert is tried again: doubled each time up to the longest, with jitter, ms. */
const SHORTEST_BACKOFF_MS = 200
const LONGEST_BACKOFF_MS = 5_000

export interface ActDeps {
  readonly write: (
    scope: string,
    changes: readonly WeightChange[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, WriteResult>>
  /** Asked right before each write: whether this process still holds the lease. */
  readonly mayWrite: () => boolean
  /** Called after each call returned, with what came of it. */
  readonly onWritten: (scope: string, reports: readonly WriteReport[]) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * The one writer of a scope. It holds a map of desired weights, where the last word wins, and makes one call at a time:
 * reverts first, and everything that is desired by then in one call.
 */
export class ScopeWriter {
  private readonly desired = new Map<string, WeightChange>()
  private readonly attempts = new Map<string, number>()
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
    for (const id of targetIds) this.desired.delete(id)
    for (const { targetId, weightPercent, urgency } of effects) {
      const flying = this.inFlight.get(targetId)
      // The same write is on its way: its read-back will tell.
      if (flying && flying.weightPercent === weightPercent) continue
      this.desired.set(targetId, { targetId, weightPercent, urgency })
    }
    if (this.desired.size > 0 && !this.isStopping) this.running ??= this.run()
  }

  /** Lets the call under way end, and makes no further one: what is left is in the committed state. */
  async stop(): Promise<void> {
    this.isStopping = true
    await this.running
  }

  private async run(): Promise<void> {
    // Let `want` note that it runs before it may already have ended.
    await null
    while (this.desired.size > 0 && !this.isStopping) {
      if (!this.deps.mayWrite()) {
        this.deps.log.warn({ scope: this.scope }, 'nothing is written: the lease is not held')
        this.desired.clear()
        break
      }
      const failedReverts = await this.writeOnce(this.takeBatch())
      if (failedReverts > 0) await this.deps.clock.sleep(this.backoffMs(failedReverts))
    }
    this.running = null
  }

  /** All reverts if there is one, else everything. */
  private takeBatch(): readonly WeightChange[] {
    const all = [...this.desired.values()]
    const reverts = all.filter(({ urgency }) => urgency === 'revert')
    const batch = reverts.length > 0 ? reverts : all
    for (const { targetId } of batch) this.desired.delete(targetId)
    return batch
  }

  /** Returns how often the most stubborn of the failed reverts has been tried; 0: none failed. */
  private async writeOnce(batch: readonly WeightChange[]): Promise<number> {
    this.inFlight = new Map(batch.map((change) => [change.targetId, change]))
    const results = await this.call(batch)
    this.inFlight = new Map()
    const reports = batch.map((change) => this.report(change, results.get(change.targetId)))
    const failed = reports.filter((report) => report.kind === 'failed')
    for (const { targetId } of failed) {
      const change = batch.find((one) => one.targetId === targetId)
      // A revert is tried for ever; a step forward waits for the next sweep, which may think better of it.
      if (change?.urgency === 'revert' && !this.desired.has(targetId)) this.desired.set(targetId, change)
    }
    this.deps.onWritten(this.scope, reports)
    const stubborn = failed.filter(({ targetId }) => this.desired.get(targetId)?.urgency === 'revert')
    return Math.max(0, ...stubborn.map(({ attempt }) => attempt))
  }

  /** An adapter must not throw; one that does must not end the writer either. */
  private async call(batch: readonly WeightChange[]): Promise<ReadonlyMap<string, WriteResult>> {
    try {
      return await this.deps.write(this.scope, batch, AbortSignal.timeout(WRITE_TIMEOUT_MS))
    } catch (error) {
      this.deps.log.error({ scope: this.scope, error }, 'a traffic adapter threw')
      return new Map()
    }
  }

  private report({ targetId, weightPercent }: WeightChange, result: WriteResult | undefined): WriteReport {
    const atMs = this.deps.clock.nowMs()
    if (result?.kind === 'applied') {
      this.attempts.delete(targetId)
      return { kind: 'applied', targetId, weightPercent, atMs }
    }
    const attempt = (this.attempts.get(targetId) ?? 0) + 1
    this.attempts.set(targetId, attempt)
    const cause = result?.problem ?? problem('TRAFFIC_TIMEOUT', `${targetId}: the provider gave no answer`).toJSON()
    return { kind: 'failed', targetId, weightPercent, atMs, attempt, problem: cause }
  }

  private backoffMs(attempt: number): number {
    const full = Math.min(LONGEST_BACKOFF_MS, SHORTEST_BACKOFF_MS * 2 ** Math.min(attempt - 1, 10))
    return full * (0.5 + this.deps.random.next() / 2)
  }
}
