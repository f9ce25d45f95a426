import type { Clock } from '../ports/runtime.ts'
import type { MetricSource } from '../ports/source.ts'
import type { Inbox, ShardStore, Shards, Store } from '../ports/store.ts'
import type { TrafficKind, TrafficScope, WeightChange } from '../ports/traffic.ts'

/** A call to the outside at which a process dies: before it had any effect, or after, unheard. */
export interface Death {
  readonly atCall: number
  readonly when: 'before' | 'after'
}

/**
 * The life of one process: once it has ended, nothing that it calls has an effect, and nothing answers it. While it is
 * frozen, as by SIGSTOP, what it called goes on outside, and it hears of it when it is thawed.
 */
export class Life {
  isOver = false
  private calls = 0
  private death: Death | null
  private frost: PromiseWithResolvers<void> | null = null

  constructor(death: Death | null = null) {
    this.death = death
  }

  end(): void {
    this.isOver = true
    this.thaw()
  }

  /** It dies at a call from now on, counted from 1. */
  endAt(death: Death): void {
    this.death = { ...death, atCall: this.calls + death.atCall }
  }

  /** It does not die by itself after all. */
  spare(): void {
    this.death = null
  }

  get isFrozen(): boolean {
    return this.frost !== null
  }

  freeze(): void {
    this.frost ??= Promise.withResolvers()
  }

  thaw(): void {
    this.frost?.resolve()
    this.frost = null
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isOver) this.calls += 1
    const isLast = !this.isOver && this.calls === this.death?.atCall
    if (isLast && this.death?.when === 'before') this.isOver = true
    if (this.isOver) return never()
    const answer = await work().catch(async (error: unknown) => {
      await this.awake()
      if (this.isOver) return never<T>()
      throw error
    })
    if (isLast) this.isOver = true
    await this.awake()
    return this.isOver ? never() : answer
  }

  private async awake(): Promise<void> {
    while (this.frost) await this.frost.promise
  }

  /** Time as this process sees it; `aheadMs` is asked each time. */
  clockOf(clock: Clock, aheadMs: () => number): Clock {
    return {
      nowMs: () => clock.nowMs() + aheadMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal)
        await this.awake()
        if (this.isOver) await never()
      },
    }
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** The store of a shard as one process sees it. */
function shardStoreOf(life: Life, store: ShardStore): ShardStore {
  return {
    lease: (...args) => life.call(() => store.lease(...args)),
    release: (...args) => life.call(() => store.release(...args)),
    load: (...args) => life.call(() => store.load(...args)),
    commit: (...args) => life.call(() => store.commit(...args)),
  }
}

/** The store as one process sees it. */
export function storeOf(life: Life, { store, inbox }: { store: Store; inbox: Inbox }): { store: Store; inbox: Inbox } {
  return {
    store: {
      ...shardStoreOf(life, store),
      runId: () => life.call(() => store.runId()),
      close: () => life.call(() => store.close()),
    },
    inbox: inboxOf(life, inbox),
  }
}

export function inboxOf(life: Life, inbox: Inbox): Inbox {
  return {
    put: (...args) => life.call(() => inbox.put(...args)),
    putAll: (...args) => life.call(() => inbox.putAll(...args)),
    pending: (...args) => life.call(() => inbox.pending(...args)),
  }
}

/** The shards of a store as one process sees them. */
export function shardsOf(life: Life, shards: Shards): Shards {
  return {
    join: (...args) => life.call(() => shards.join(...args)),
    look: (...args) => life.call(() => shards.look(...args)),
    leave: (...args) => life.call(() => shards.leave(...args)),
    of: (shard) => {
      const { store, inbox } = shards.of(shard)
      const pending: Inbox['pending'] = (limit) => life.call(() => inbox.pending(limit))
      return { store: shardStoreOf(life, store), inbox: { pending } }
    },
  }
}

/** The provider as one process sees it; each write that has an effect is told. */
export function trafficOf<Settings>(
  life: Life,
  kind: TrafficKind<Settings>,
  onWrite: (changes: readonly WeightChange[]) => void,
): TrafficKind<Settings> {
  const open: TrafficKind<Settings>['open'] = (...args): TrafficScope => {
    const scope = kind.open(...args)
    return {
      ...scope,
      read: (...readArgs) => life.call(() => scope.read(...readArgs)),
      write: (changes, signal) =>
        life.call(() => {
          onWrite(changes)
          return scope.write(changes, signal)
        }),
      close: () => life.call(() => scope.close()),
    }
  }
  return { ...kind, open }
}

export function sourceOf(life: Life, source: MetricSource): MetricSource {
  return {
    poll: (...args) => life.call(() => source.poll(...args)),
    history: (...args) => life.call(() => source.history(...args)),
    close: () => life.call(() => source.close()),
  }
}
