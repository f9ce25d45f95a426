import { type ProblemCode, problem } from '../core/problem.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import type { Inbox, Store } from '../ports/store.ts'
import { NO_TRACER } from '../ports/tracer.ts'
import type { TrafficKind } from '../ports/traffic.ts'
import { type Assembled, assemble } from './assemble.ts'
import type { Chance } from './chance.ts'
import { CLUSTERS, type Migration, OBSERVE_TIMEOUT_SECONDS, type SimulatedSettings, SWEEP_SECONDS } from './config.ts'
import { type Death, Life, sourceOf, storeOf, trafficOf } from './life.ts'
import type { Outside } from './outside.ts'
import { createFakeMeter } from './runtime.ts'
import type { Truth } from './truth.ts'

/** What is wrong with the way to the store. Each call meets it with this probability. */
export interface StoreFault {
  readonly kind: (typeof STORE_FAULTS)[number]
  readonly probability: number
}
export const STORE_FAULTS = ['away', 'busy', 'loses-answers', 'late'] as const

/** A commit that the caller gave up may still be carried out, ms. */
const LATE_MS = 1_500

export interface Surroundings {
  readonly clock: Clock
  readonly chance: Chance
  readonly truth: Truth
  readonly outside: Outside
  readonly migration: Migration
  /** The store as a process with this clock reaches it when all is well. */
  readonly portsFor: (aheadMs: () => number) => { readonly store: Store; readonly inbox: Inbox }
  readonly kindFor: (process: string, tokenOf: () => number | null) => TrafficKind<SimulatedSettings>
  /** A fault of Headgate's own. */
  readonly onFault: (detail: string) => void
}

/** One replica: it lives, dies, and is started again. */
export class Process {
  storeFault: StoreFault | null = null
  /** By how much its clock is ahead of the world's, ms. */
  aheadMs = 0
  life = new Life()
  /** null: it does not run. */
  private parts: Assembled | null = null
  private stopping = new AbortController()
  private starts = 0
  /** Rises when it reads the store: what it sent before and gave up is shut out from then on, as by the fence in Redis. */
  private fence = 0
  readonly name: string
  private readonly world: Surroundings

  constructor(name: string, world: Surroundings) {
    this.name = name
    this.world = world
    this.life.end()
  }

  get isRunning(): boolean {
    return this.parts !== null && !this.life.isOver
  }

  get running(): Assembled | null {
    return this.isRunning ? this.parts : null
  }

  start(): void {
    if (this.isRunning) return
    const { world } = this
    const life = new Life()
    this.life = life
    this.starts += 1
    const owner = `${this.name}#${this.starts}`
    const clock = life.clockOf(world.clock, () => this.aheadMs)
    const { store, inbox } = storeOf(life, this.faulty(world.portsFor(() => this.aheadMs)))
    const { migration, truth, outside } = world
    const tokenOf = () => parts.lease.heldToken()
    const parts = assemble({
      ...{ owner, clock, store, inbox, log: this.log(owner), meter: createFakeMeter(), tracer: NO_TRACER },
      random: this.random(owner),
      kinds: [trafficOf(life, world.kindFor(owner, tokenOf), () => {})],
      sources: new Map([['sim', sourceOf(life, truth.source)]]),
      prober: {
        probe: (...args) => life.call(() => truth.prober.probe(...args)),
        close: async () => {},
      },
      fleets: () => [migration.fleet],
      tasks: outside.runnerFor(clock),
      calendar: outside.calendar,
      sweepSeconds: SWEEP_SECONDS,
      observeTimeoutSeconds: OBSERVE_TIMEOUT_SECONDS,
      about: {
        version: 'simulated',
        migrations: [{ migration: migration.fleet.migration, clusters: CLUSTERS }],
        configHash: migration.hash,
        startedAtMs: clock.nowMs(),
        sweepSeconds: SWEEP_SECONDS,
      },
    })
    this.parts = parts
    this.stopping = new AbortController()
    const { engine } = parts
    engine
      .start(migration.plans, migration.hash, this.stopping.signal)
      .then(() => engine.run())
      .catch((error: unknown) => world.onFault(`${owner} ended: ${describe(error)}`))
  }

  kill(): void {
    this.life.end()
  }

  dieAt(death: Death): void {
    this.life.endAt(death)
  }

  /** As SIGTERM does. */
  stop(): void {
    const { parts, life } = this
    if (!parts || life.isOver) return
    this.parts = null
    this.stopping.abort()
    parts.engine.stop('a simulated stop').then(
      () => life.end(),
      (error: unknown) => this.world.onFault(`${this.name} did not stop: ${describe(error)}`),
    )
  }

  private random(owner: string): Random {
    let count = 0
    return { next: () => this.world.chance.next(), id: () => `${owner}-${String(++count).padStart(20, '0')}` }
  }

  private log(owner: string): Log {
    const ignore = () => {}
    const error = (fields: object, message: string) => {
      const about = 'error' in fields ? describe(fields.error) : JSON.stringify(fields)
      this.world.onFault(`${owner}: ${message}: ${about}`)
    }
    return { debug: ignore, info: ignore, warn: ignore, error }
  }

  private faulty({ store, inbox }: { store: Store; inbox: Inbox }): { store: Store; inbox: Inbox } {
    const through = <T>(work: () => Promise<T>) => this.meet(work)
    return {
      store: {
        lease: (...args) => through(() => store.lease(...args)),
        release: (...args) => through(() => store.release(...args)),
        runId: () => through(() => store.runId()),
        load: () =>
          through(() => {
            this.fence += 1
            return store.load()
          }),
        commit: (...args) => {
          const { fence } = this
          const shutOut = () => Promise.reject(problem('STORE_CONFLICT', 'simulated: the store was read since'))
          return through(() => (fence === this.fence ? store.commit(...args) : shutOut()))
        },
        close: () => store.close(),
      },
      inbox: {
        put: (...args) => through(() => inbox.put(...args)),
        putAll: (...args) => through(() => inbox.putAll(...args)),
        pending: (...args) => through(() => inbox.pending(...args)),
      },
    }
  }

  private async meet<T>(work: () => Promise<T>): Promise<T> {
    const { chance, clock } = this.world
    const { kind, probability } = this.storeFault ?? { kind: null, probability: 0 }
    const fault = chance.is(probability) ? kind : null
    const fail = (code: ProblemCode) => problem(code, `simulated: ${fault}`)
    switch (fault) {
      case null:
        return work()
      case 'away':
        throw fail('STORE_UNAVAILABLE')
      case 'busy':
        throw fail('STORE_BUSY')
      case 'loses-answers':
        await work()
        throw fail('STORE_UNAVAILABLE')
      case 'late':
        // Whoever waited has gone; what comes of it then is told to nobody.
        void clock
          .sleep(chance.whole(0, LATE_MS))
          .then(work)
          .catch(() => {})
        throw fail('STORE_UNAVAILABLE')
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}
