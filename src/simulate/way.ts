import { Problem, type ProblemCode, problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'
import type { Inbox, ShardStore, Shards } from '../ports/store.ts'
import type { Chance } from './chance.ts'

/** What is wrong with the way to the store. Each call meets it with this probability. */
export interface StoreFault {
  readonly kind: (typeof STORE_FAULTS)[number]
  readonly probability: number
}
export const STORE_FAULTS = ['away', 'busy', 'loses-answers', 'late'] as const

/** A call that the caller gave up may still be carried out, ms. */
const LATE_MS = 1_500

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

/** The way of one process to the store, which has its faults. */
export class Way {
  fault: StoreFault | null = null
  /** How many calls have met a fault. */
  failures = 0
  private readonly deps: { readonly clock: Clock; readonly chance: Chance; readonly fences: Fences }

  constructor(deps: Way['deps']) {
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
      load: () =>
        this.meet(() => {
          if (isInDoubt) fences.raise(shard)
          isInDoubt = false
          known = fences.of(shard)
          return store.load()
        }),
      commit: async (commit) => {
        const sent = known
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
          .sleep(chance.whole(0, LATE_MS))
          .then(work)
          .catch(() => {})
        throw fail('STORE_UNAVAILABLE')
    }
  }
}
