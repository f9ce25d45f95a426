import type { EventBody, HeadgateEvent, JournalRow } from '../core/event.ts'
import { formatSpan } from '../core/format.ts'
import type { WriteReport } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { Problem, type ProblemJson, problem } from '../core/problem.ts'
import type { Clock, Log, Meter, Random, Wakeups } from '../ports/runtime.ts'
import type { Inbox, Store } from '../ports/store.ts'
import { ScopeWriter } from './act.ts'
import { Book } from './book.ts'
import type { LeaseKeeper } from './lease.ts'
import type { Observer } from './observe.ts'
import type { Scopes } from './scopes.ts'
import type { SliWatch } from './sli-watch.ts'
import { type Thought, think } from './think.ts'
import type { Timer } from './timer.ts'

/** Facts taken in by one commit. */
const FACTS_AT_ONCE = 1000
/** Sweeps that may be missing before the service says that it is not ready. */
const STALLED_SWEEPS = 5

export interface EngineDeps {
  readonly store: Store
  readonly inbox: Inbox
  readonly lease: LeaseKeeper
  readonly wakeups: Wakeups
  readonly observer: Observer
  readonly scopes: Scopes
  readonly slis: SliWatch
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly meter: Meter
  readonly timer: Timer
  readonly sweepSeconds: number
  readonly version: string
  /** Names this migration run in every event. */
  readonly runId: string
}

/**
 * read → think → persist → write, once a sweep. Reading goes on by itself; thinking and persisting happen one at a
 * time, over the newest readings, so an urgent wake never waits for a slow source.
 */
export class Engine {
  readonly book = new Book()
  lastSweepAtMs: number | null = null
  private readonly deps: EngineDeps
  private readonly writers = new Map<string, ScopeWriter>()
  private readonly listeners = new Set<(rows: readonly JournalRow[]) => void>()
  private turn: Promise<unknown> = Promise.resolve()
  private sweeping: Promise<void> | null = null
  private trouble: ProblemJson | null = problem('STORE_UNAVAILABLE', 'no sweep has been committed yet', {
    hint: 'wait for the first sweep',
  }).toJSON()

  constructor(deps: EngineDeps) {
    this.deps = deps
  }

  /** Takes the lease (waiting for one that is held), loads what is committed, and begins the rollouts of these plans. */
  async start(plans: readonly Plan[], configHash: string, signal: AbortSignal): Promise<void> {
    await this.awaitLease(signal)
    if (signal.aborted) return
    this.book.load(await this.deps.store.load())
    await this.exclusively(async () => {
      await this.commitBody({ type: 'controller-started', version: this.deps.version, workloads: plans.length })
    })
    await this.configure(plans, configHash)
    this.deps.lease.keep()
  }

  /** Takes a new config: new workloads begin, waiting ones follow it, those under way keep their pinned plan. */
  async configure(plans: readonly Plan[], configHash: string): Promise<void> {
    await this.exclusively(async () => {
      const before = new Set(this.book.subjects().map(({ plan }) => plan.workload))
      const names = new Set(plans.map(({ workload }) => workload))
      this.book.configure(plans)
      const nowMs = this.deps.clock.nowMs()
      const states = this.book.missingStates(this.deps.runId, nowMs)
      const removed = [...before].filter((name) => !names.has(name))
      const created = states.map(({ workload }) => this.event({ type: 'rollout-created' }, workload))
      const loaded = this.event({
        type: 'config-loaded',
        hash: configHash,
        added: states.map(({ workload }) => workload),
        removed,
      })
      await this.commit({ states, plans: [], events: [loaded, ...created], consumedFactIds: [] })
      await this.useBook()
    })
  }

  /** Journals a config that was refused; the old one stays. */
  async rejectConfig(problems: readonly ProblemJson[]): Promise<void> {
    await this.exclusively(() => this.commitBody({ type: 'config-rejected', problems }))
  }

  /** Works until the wakeups are closed. */
  async run(): Promise<void> {
    for (let wake = await this.deps.wakeups.next(); wake !== null; wake = await this.deps.wakeups.next()) {
      if (wake.kind === 'urgent') await this.round(wake.workloads)
      else
        this.sweeping ??= this.sweep().finally(() => {
          this.sweeping = null
        })
    }
    await this.sweeping
  }

  /** Ends in order: writers finish their call, the end is journaled, the lease is given up. */
  async stop(reason: string): Promise<void> {
    await this.deps.wakeups.close()
    await this.sweeping
    await Promise.all([...this.writers.values()].map((writer) => writer.stop()))
    await this.exclusively(() => this.commitBody({ type: 'controller-stopped', reason })).catch((error: unknown) =>
      this.noteTrouble(error),
    )
    await this.deps.lease.release()
    await this.deps.scopes.close()
  }

  /** Why no decision can be made now; empty: all is well. */
  notReady(): readonly ProblemJson[] {
    return [this.trouble, this.deps.lease.trouble, this.stalled()].flatMap((one) => one ?? [])
  }

  private stalled(): ProblemJson | null {
    const { clock, sweepSeconds } = this.deps
    if (this.lastSweepAtMs === null) return null
    const seconds = (clock.nowMs() - this.lastSweepAtMs) / 1000
    if (seconds < STALLED_SWEEPS * sweepSeconds) return null
    return problem('ENGINE_STALLED', `the last sweep ended ${formatSpan(seconds)} ago`).toJSON()
  }

  onCommit(listener: (rows: readonly JournalRow[]) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private async awaitLease(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.deps.lease.hold()
        return
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        this.deps.log.warn({ problem: error.toJSON() }, 'waiting for the lease')
        await this.deps.clock.sleep(500, signal)
      }
    }
  }

  private async sweep(): Promise<void> {
    const seconds = this.deps.timer()
    const outcome = (await this.observe()) ? await this.round(null) : 'failed'
    this.deps.meter.sweep(seconds(), outcome)
  }

  /** False: the readings are not to be trusted, so no time may be earned on them. */
  private async observe(): Promise<boolean> {
    try {
      await this.deps.observer.observe(this.book.active())
      return true
    } catch (error) {
      this.noteTrouble(error)
      return false
    }
  }

  /** Thinks and persists once, then lets the writers know. */
  private async round(due: readonly string[] | null): Promise<'committed' | 'conflict' | 'failed'> {
    return this.exclusively(async () => {
      try {
        await this.deps.lease.hold()
        const facts = await this.deps.inbox.pending(FACTS_AT_ONCE)
        const { clock, sweepSeconds, observer } = this.deps
        const nowMs = clock.nowMs()
        const thought = think({ book: this.book, observer, due, facts, runId: this.deps.runId, nowMs, sweepSeconds })
        await this.commit(thought)
        observer.writesTold(thought.writes)
        if (thought.plans.length > 0 || thought.consumedFactIds.length > 0) await this.useBook()
        this.demand(thought)
        if (due === null) this.lastSweepAtMs = nowMs
        this.trouble = null
        return 'committed'
      } catch (error) {
        return this.abandon(error)
      }
    })
  }

  /** Nothing was decided: what was thought is dropped, and thought again from what the store holds. */
  private async abandon(error: unknown): Promise<'conflict' | 'failed'> {
    this.noteTrouble(error)
    if (!(error instanceof Problem) || error.code !== 'STORE_CONFLICT') return 'failed'
    try {
      this.book.load(await this.deps.store.load())
    } catch (loadError) {
      this.noteTrouble(loadError)
    }
    return 'conflict'
  }

  private noteTrouble(error: unknown): void {
    const known = error instanceof Problem ? error : problem('API_INTERNAL', 'the sweep failed', { from: error })
    this.trouble = known.toJSON()
    if (error instanceof Problem) this.deps.log.warn({ problem: known.toJSON() }, 'nothing was decided')
    else this.deps.log.error({ error }, 'nothing was decided: a fault in Headgate')
  }

  private async commit(thought: Pick<Thought, 'states' | 'plans' | 'events' | 'consumedFactIds'>): Promise<void> {
    const { states: rollouts, plans, events, consumedFactIds } = thought
    const lease = await this.deps.lease.hold()
    if (rollouts.length + events.length + consumedFactIds.length === 0) return
    const { revision, rows } = await this.deps.store.commit({
      lease,
      revision: this.book.revision,
      rollouts,
      plans,
      events,
      consumedFactIds,
    })
    this.book.committed(revision, rollouts, plans)
    if (rows.length === 0) return
    this.deps.meter.events(rows)
    for (const listener of this.listeners) listener(rows)
  }

  private async commitBody(body: EventBody): Promise<void> {
    await this.commit({ states: [], plans: [], events: [this.event(body)], consumedFactIds: [] })
  }

  private event(body: EventBody, workload: string | null = null): HeadgateEvent {
    return { atMs: this.deps.clock.nowMs(), runId: this.deps.runId, workload, actor: 'headgate', ...body }
  }

  /** Opens what the plans in use need. */
  private async useBook(): Promise<void> {
    this.deps.slis.watch(this.book.active().map(({ plan }) => plan))
    // Also those of ended rollouts: they may be reverted yet, and their end must not reopen a scope that others use.
    await this.deps.scopes.use(this.book.subjects().map(({ plan }) => plan))
  }

  private demand({ demands }: Thought): void {
    for (const { targetIds, effects } of demands) {
      for (const [scope, ids] of Map.groupBy(targetIds, (id) => this.deps.scopes.scopeOf(id))) {
        if (scope === null) continue
        const wanted = effects.filter(({ targetId }) => ids.includes(targetId))
        this.writer(scope).want(ids, wanted)
      }
    }
  }

  private writer(scope: string): ScopeWriter {
    let writer = this.writers.get(scope)
    if (!writer) {
      const { scopes, lease, clock, random, log } = this.deps
      writer = new ScopeWriter(scope, {
        write: (name, changes, signal) => scopes.write(name, changes, signal),
        leaseToken: () => lease.heldToken(),
        onWritten: (name, reports) => this.readBack(name, reports),
        clock,
        random,
        log,
      })
      this.writers.set(scope, writer)
    }
    return writer
  }

  /** A write is proven by reading it back, at once; the workloads concerned then think again. */
  private readBack(scope: string, reports: readonly WriteReport[]): void {
    this.deps.observer.noteWrites(reports)
    const ids = new Set(reports.map(({ targetId }) => targetId))
    const workloads = this.book
      .active()
      .filter(({ plan }) => plan.targets.some(({ id }) => ids.has(id)))
      .map(({ plan }) => plan.workload)
    this.deps.observer.readScope(scope).then(
      () => this.deps.wakeups.urgent(workloads),
      (error: unknown) => this.deps.log.error({ scope, error }, 'the read-back failed'),
    )
  }

  /** Runs tasks one after the other. */
  private exclusively<T>(task: () => Promise<T>): Promise<T> {
    const result = this.turn.then(task)
    this.turn = result.catch(() => {})
    return result
  }
}
