import { setImmediate } from 'node:timers/promises'
import type { Urgency } from '../core/effect.ts'
import type { EventBody, HeadgateEvent } from '../core/event.ts'
import type { WriteReport } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { Problem, type ProblemJson, problem } from '../core/problem.ts'
import type { Clock, Log, Meter, Random, Wakeups } from '../ports/runtime.ts'
import type { TaskRunner } from '../ports/sight.ts'
import type { ShardPorts, ShardStore } from '../ports/store.ts'
import type { Tracer } from '../ports/tracer.ts'
import { ScopeWriter } from './act.ts'
import { Book } from './book.ts'
import { Committer, NOTHING } from './committer.ts'
import type { Follower } from './followers.ts'
import { insist } from './insist.ts'
import type { LeaseKeeper } from './lease.ts'
import { newsOf } from './news.ts'
import type { Observer } from './observe.ts'
import { type Part, SweepParts, wokenPart } from './parts.ts'
import type { Scopes } from './scopes.ts'
import type { SliWatch } from './sli-watch.ts'
import { stalled } from './stalled.ts'
import { commitTraced, type RoundOutcome, sweepTraced, thinkTraced } from './sweep-trace.ts'
import type { Thought } from './think.ts'
import type { Timer } from './timer.ts'
import { Turns } from './turns.ts'

/** Facts taken in by one commit. */
const FACTS_AT_ONCE = 1000

export interface EngineDeps {
  readonly store: ShardStore
  readonly inbox: ShardPorts['inbox']
  readonly lease: LeaseKeeper
  readonly wakeups: Wakeups
  readonly observer: Observer
  readonly scopes: Scopes
  readonly slis: SliWatch
  readonly tasks: TaskRunner
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly meter: Meter
  readonly timer: Timer
  readonly tracer: Tracer
  readonly sweepSeconds: number
  readonly version: string
  /** Names this migration run in every event. */
  readonly runId: string
  /** Whether it tells of the service beside its shard; left out: it does. */
  readonly isMain?: boolean
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
  private readonly committer: Committer
  private readonly turns = new Turns()
  private sweeping: Promise<void> | null = null
  private starting: Promise<boolean> | null = null
  private isStopping = false
  private hasPlans = false
  private trouble: ProblemJson | null = problem('STORE_UNAVAILABLE', 'no sweep has been committed yet', {
    hint: 'wait for the first sweep',
  }).toJSON()

  constructor(deps: EngineDeps) {
    this.deps = deps
    this.committer = new Committer(this.book, {
      store: deps.store,
      lease: deps.lease,
      log: deps.log,
      meter: deps.meter,
      // At the start the config's plans are about to be taken, and what they need is opened then.
      onLoaded: () => this.hasPlans && this.useBook(),
      onDurable: ({ writes }) => deps.observer.writesTold(writes),
    })
  }

  /**
   * Takes the lease and loads what is committed, waiting for a lease that is held and for a store that is away, then
   * begins the rollouts of these plans. Ends without having begun when the signal aborts.
   */
  async start(plans: readonly Plan[], configHash: string, signal: AbortSignal): Promise<void> {
    const onTrouble = (trouble: Problem) => this.noteTrouble(trouble)
    const begin = () => this.adopt(plans, configHash, 'start')
    this.starting = insist(begin, { clock: this.deps.clock, signal, onTrouble })
    if (await this.starting) this.deps.lease.keep()
  }

  /** Takes a new config: new workloads begin, waiting ones follow it, those under way keep their pinned plan. */
  async configure(plans: readonly Plan[], configHash: string): Promise<void> {
    await this.adopt(plans, configHash, 'reload')
  }

  private async adopt(plans: readonly Plan[], hash: string, at: 'start' | 'reload'): Promise<void> {
    await this.turns.take(async () => {
      const wasDurable = await this.committer.catchUp(plans)
      // At the start nobody else commits: what was durable after all is an earlier try of this, and not told again.
      if (!wasDurable || at === 'reload') {
        const states = this.book.missingStates(plans, this.deps.runId, this.deps.clock.nowMs())
        const added = states.map(({ workload }) => workload)
        const news = newsOf({ hash, added, removed: this.book.removedBy(plans), plans: plans.length, at }, this.deps)
        const created = added.map((workload) => this.event({ type: 'rollout-created' }, workload))
        const events = [...news.map((body) => this.event(body)), ...created]
        await this.committer.commit({ ...NOTHING, states, events })
      }
      this.book.configure(plans)
      this.hasPlans = true
      this.useBook()
    })
  }

  /** Journals a config that was refused; the old one stays. */
  async rejectConfig(problems: readonly ProblemJson[]): Promise<void> {
    await this.turns.take(() => this.commitBody({ type: 'config-rejected', problems }))
  }

  /** Works until the wakeups are closed. */
  async run(): Promise<void> {
    for (let wake = await this.deps.wakeups.next(); wake !== null; wake = await this.deps.wakeups.next()) {
      if (wake.kind === 'urgent') await this.urgent(wake.workloads)
      else
        this.sweeping ??= this.sweep().finally(() => {
          this.sweeping = null
        })
    }
    await this.sweeping
  }

  /**
   * Ends in order: writers finish their call, the end is journaled, the lease is given up. A `start` that still waits
   * must have been aborted before.
   */
  async stop(reason: string): Promise<void> {
    this.isStopping = true
    await this.deps.wakeups.close()
    const hasStarted = await this.starting?.catch(() => false)
    await this.sweeping
    await this.turns.idle
    await Promise.all([...this.writers.values()].map((writer) => writer.stop()))
    await this.deps.tasks.close()
    const noted = (error: unknown) => this.noteTrouble(error)
    if (hasStarted && this.deps.isMain !== false)
      await this.turns.take(() => this.commitBody({ type: 'controller-stopped', reason })).catch(noted)
    // A lease that cannot be given up now ends by itself.
    await this.deps.lease.release().catch(noted)
    await this.deps.scopes.close()
  }

  /** Why no decision can be made now; empty: all is well. */
  notReady(): readonly ProblemJson[] {
    return [this.trouble, this.deps.lease.trouble, stalled(this.lastSweepAtMs, this.deps)].flatMap((one) => one ?? [])
  }

  onCommit(listener: Follower): () => void {
    return this.committer.onCommit(listener)
  }

  private async sweep(): Promise<void> {
    const seconds = this.deps.timer()
    const outcome = await this.traced(null, async () => ((await this.observe()) ? this.thinkOfAll() : 'failed'))
    this.deps.meter.sweep(seconds(), outcome)
  }

  private urgent(woken: readonly string[]): Promise<RoundOutcome> {
    return this.traced(woken, () => this.round(() => wokenPart(woken, this.book, this.deps.observer)))
  }

  /** Some at a time: whoever waits for a turn, or for the event loop, goes between two parts. */
  private async thinkOfAll(): Promise<RoundOutcome> {
    const parts = new SweepParts(this.book, this.deps.observer)
    for (;;) {
      const outcome = await this.round(() => parts.next())
      if (outcome !== 'committed' || parts.areOver || this.isStopping) return outcome
      await setImmediate()
    }
  }

  private traced(woken: readonly string[] | null, work: () => Promise<RoundOutcome>): Promise<RoundOutcome> {
    return sweepTraced({ ...this.deps, woken }, work, () => this.trouble)
  }

  /** False: the readings are not to be trusted, so no time may be earned on them. */
  private async observe(): Promise<boolean> {
    try {
      await this.deps.observer.observe(this.book.active(), this.book.subjects())
      return true
    } catch (error) {
      this.noteTrouble(error)
      return false
    }
  }

  /** Thinks and persists once, then lets the writers know. `partOf` is asked when the book is as the store is. */
  private async round(partOf: () => Part): Promise<RoundOutcome> {
    return this.turns.take(async () => {
      try {
        await this.committer.catchUp()
        const pending = await this.deps.inbox.pending(FACTS_AT_ONCE)
        const { clock, sweepSeconds, observer, runId, tracer } = this.deps
        const nowMs = clock.nowMs()
        const part = partOf()
        const facts = pending.filter((fact) => part.takes(fact))
        const input = { book: this.book, observer, ...part, facts, runId, nowMs, sweepSeconds }
        const thought = await thinkTraced(tracer, input)
        await commitTraced(tracer, thought, this.book.revision, () => this.committer.commit(thought))
        part.committed()
        if (part.endsSweep) this.lastSweepAtMs = nowMs
        if (thought.plans.length > 0 || thought.consumedFactIds.length > 0) this.useBook()
        this.demand(thought)
        this.trouble = null
        return 'committed'
      } catch (error) {
        // Nothing was decided: what was thought is dropped, and thought again from what the store holds.
        this.noteTrouble(error)
        return error instanceof Problem && error.code === 'STORE_CONFLICT' ? 'conflict' : 'failed'
      }
    })
  }

  private noteTrouble(error: unknown): void {
    const known = error instanceof Problem ? error : problem('API_INTERNAL', 'the sweep failed', { from: error })
    this.trouble = known.toJSON()
    if (error instanceof Problem) this.deps.log.warn({ problem: known.toJSON() }, 'nothing was decided')
    else this.deps.log.error({ error }, 'nothing was decided: a fault in Headgate')
  }

  private async commitBody(body: EventBody): Promise<void> {
    await this.committer.catchUp()
    await this.committer.commit({ ...NOTHING, events: [this.event(body)] })
  }

  private event(body: EventBody, workload: string | null = null): HeadgateEvent {
    return { atMs: this.deps.clock.nowMs(), runId: this.deps.runId, workload, actor: 'headgate', ...body }
  }

  /** Opens what the plans in use need. */
  private useBook(): void {
    this.deps.slis.watch(this.book.active().map(({ plan }) => plan))
    // Also those of ended rollouts: they may be reverted yet, and their end must not reopen a scope that others use.
    this.deps.scopes.use(this.book.subjects().map(({ plan }) => plan))
  }

  private demand({ demands, tasks }: Thought): void {
    if (this.isStopping) return
    this.deps.tasks.want(tasks)
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
      const { scopes, observer, lease, clock, random, log } = this.deps
      writer = new ScopeWriter(scope, {
        write: (name, all, signal) => observer.underWay.during(all, signal, () => scopes.write(name, all, signal)),
        takeTurn: async (name, urgency, signal) => (await scopes.quotaOf(name)?.turn(urgency, signal)) ?? true,
        leaseToken: () => lease.heldToken(),
        wasReadSince: (targetId, sinceMs) => observer.wasReadSince(targetId, sinceMs),
        onWritten: (name, reports, urgency) => this.readBack(name, reports, urgency),
        clock,
        random,
        log,
      })
      this.writers.set(scope, writer)
    }
    return writer
  }

  /**
   * A write is proven by reading it back, at once; the workloads concerned then think again. What is not proven waits for
   * the next sweep: thinking at once would write again at once, and so without end to a provider that refuses.
   */
  private readBack(scope: string, reports: readonly WriteReport[], urgency: Urgency): void {
    const { observer, wakeups, log } = this.deps
    observer.noteWrites(reports)
    const thinkAgain = () => {
      const ids = new Set(reports.filter((report) => observer.proves(report)).map(({ targetId }) => targetId))
      const concerned = this.book.active().filter(({ plan }) => plan.targets.some(({ id }) => ids.has(id)))
      wakeups.urgent(concerned.map(({ plan }) => plan.workload))
    }
    const failed = (error: unknown) => log.error({ scope, error }, 'the read-back failed')
    observer.readScope(scope, urgency).then(thinkAgain, failed)
  }
}
