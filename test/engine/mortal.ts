import type { MetricSource } from '../../src/ports/source.ts'
import type { Inbox, Store } from '../../src/ports/store.ts'
import type { TrafficKind, TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import type { FakeSettings } from '../fakes/traffic.ts'

/** A call to the outside at which a process dies: before it had any effect, or after, unheard. */
export interface Death {
  readonly atCall: number
  readonly when: 'before' | 'after'
}

/** The life of one process: once it has ended, nothing that it calls has an effect, and nothing answers it. */
export class Life {
  isOver = false
  private calls = 0
  private readonly death: Death | null

  constructor(death: Death | null = null) {
    this.death = death
  }

  end(): void {
    this.isOver = true
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isOver) this.calls += 1
    const isLast = !this.isOver && this.calls === this.death?.atCall
    if (isLast && this.death?.when === 'before') this.isOver = true
    if (this.isOver) return never()
    const answer = await work().catch((error: unknown) => {
      if (this.isOver) return never<T>()
      throw error
    })
    if (isLast) this.isOver = true
    return this.isOver ? never() : answer
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** The store as one process sees it. */
export function storeOf(life: Life, { store, inbox }: { store: Store; inbox: Inbox }): { store: Store; inbox: Inbox } {
  return {
    store: {
      lease: (...args) => life.call(() => store.lease(...args)),
      release: (...args) => life.call(() => store.release(...args)),
      runId: () => life.call(() => store.runId()),
      load: () => life.call(() => store.load()),
      commit: (...args) => life.call(() => store.commit(...args)),
      close: () => life.call(() => store.close()),
    },
    inbox: {
      put: (...args) => life.call(() => inbox.put(...args)),
      putAll: (...args) => life.call(() => inbox.putAll(...args)),
      pending: (...args) => life.call(() => inbox.pending(...args)),
    },
  }
}

/** The provider as one process sees it; each write that has an effect is told. */
export function trafficOf(
  life: Life,
  kind: TrafficKind<FakeSettings>,
  onWrite: (changes: readonly WeightChange[]) => void,
): TrafficKind<FakeSettings> {
  const open: TrafficKind<FakeSettings>['open'] = (...args): TrafficScope => {
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
