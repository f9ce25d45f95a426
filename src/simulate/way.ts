import { Problem, type ProblemCode, problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'
import type { Commit, Inbox, ShardStore, Shards } from '../ports/store.ts'
import type { Chance } from './chance.ts'

/** What is wrong with the way to the store. Each call meets it with this probability. */
export interface StoreFault {
  readonly kind: (typeof STORE_FAULTS)[number]
  readonly probability: number
}
export const STORE_FAULTS = ['away', 'busy', 'loses-answers', 'late'] as const

/** A call that the caller gave up may still be carried out: soon, ms, */
const LATE_MS = 1_500
/** or when another one has long had the lease, ms. */
const LATEST_MS = { min: 12_000, max: 25_000 }
const LATEST = 0.3

/** What replicas share of a store. */
export interface SharedStore {
  readonly shards: Shards
  readonly inbox: Inbox
}

/** By shard, as the store keeps it: what a look raises, so that nothing that was given up before it is carried out after it. */
export class Fences {
  private readonly raised = new Map<string, number>()

  of(shard: string): number {
    return this.raised.get(shard) ?? 0
  }

  raise(shard: string): void {
    this.raised.set(shard, this.of(shard) + 1)
  }
}

export interface WayDeps {
  readonly clock: Clock
  readonly chance: Chance
  readonly fences: Fences
  /** A commit is sent: it may be long on its way. */
  readonly onSent: (commit: Commit) => void
}

/** The way of one process to the store, which has its faults. */
export class Way {
  fault: StoreFault | null = null
  /** Commits hang in the network, and are carried out when another one has long had the lease. */
  keepsCommits = false
  /** How many calls have met a fault since the process began. */
  failures = 0
  private readonly deps: WayDeps

  constructor(deps: WayDeps) {
    this.deps = deps
  }

  over({ shards, inbox }: SharedStore): SharedStore {
    const go = <T>(work: () => Promise<T>) => this.meet(work)
    return {
      shards: {
        join: (...args) => go(() => shards.join(...args)),
        look: (...args) => go(() => shards.look(...args)),
        leave: (...args) => go(() => shards.leave(...args)),
        of: (shard) => {
          const ports = shards.of(shard)
          const pending: Inbox['pending'] = (limit) => go(() => ports.inbox.pending(limit))
          return { store: this.shardStore(shard, ports.store), inbox: { pending } }
        },
      },
      inbox: {
        put: (...args) => go(() => inbox.put(...args)),
        putAll: (...args) => go(() => inbox.putAll(...args)),
        pending: (...args) => go(() => inbox.pending(...args)),
      },
    }
  }

  /** Fenced as one in Redis is. */
  private shardStore(shard: string, store: ShardStore): ShardStore {
    const { fences } = this.deps
    let known = fences.of(shard)
    let isInDoubt = false
    return {
      lease: (...args) => this.meet(() => store.lease(...args)),
      release: (...args) => this.meet(() => store.release(...args)),
      load: (...args) =>
        this.meet(() => {
          if (isInDoubt) fences.raise(shard)
          isInDoubt = false
          known = fences.of(shard)
          return store.load(...args)
        }),
      commit: async (commit) => {
        const sent = known
        this.deps.onSent(commit)
        if (this.keepsCommits) await this.deps.clock.sleep(this.latestMs())
        const shutOut = () => Promise.reject(problem('STORE_CONFLICT', 'simulated: the store was read since'))
        try {
          return await this.meet(() => (sent === fences.of(shard) ? store.commit(commit) : shutOut()))
        } catch (error) {
          if (!(error instanceof Problem && error.code === 'STORE_CONFLICT')) isInDoubt = true
          throw error
        }
      },
    }
  }

  private latestMs(): number {
    return this.deps.chance.whole(LATEST_MS.min, LATEST_MS.max)
  }

  private async meet<T>(work: () => Promise<T>): Promise<T> {
    const { chance, clock } = this.deps
    const { kind, probability } = this.fault ?? { kind: null, probability: 0 }
    const fault = kind !== null && chance.is(probability) ? kind : null
    const fail = (code: ProblemCode) => problem(code, `simulated: ${fault}`)
    if (fault !== null) this.failures += 1
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
          .sleep(chance.is(LATEST) ? this.latestMs() : chance.whole(0, LATE_MS))
          .then(work)
          .catch(() => {})
        throw fail('STORE_UNAVAILABLE')
    }
  }
}
