import type { Plan } from '../core/plan.ts'
import type { Look, Shards } from '../ports/store.ts'
import { Book } from './book.ts'
import type { Observer } from './observe.ts'

/** What a shard of another replica is seen with: it observes nothing. */
export interface Window {
  readonly book: Book
  readonly observer: Observer
}

/** What was read, and of what it was to be read. */
export interface Others {
  readonly looked: Look['shards']
  /** Those that this process works on itself. */
  readonly isOwn: (shard: string) => boolean
  readonly plansOf: (shard: string) => readonly Plan[]
}

/** The shards of other replicas, as the store had them last. */
export class Windows {
  private readonly windows = new Map<string, Window>()
  private readonly shards: Shards
  private readonly open: (shard: string) => Window

  constructor(shards: Shards, open: (shard: string) => Window) {
    this.shards = shards
    this.open = open
  }

  entries(): readonly (readonly [string, Window])[] {
    return [...this.windows]
  }

  close(shard: string): void {
    this.windows.delete(shard)
  }

  /** Reads those that have another revision than the one that was read. Throws STORE_…. */
  async refresh({ looked, isOwn, plansOf }: Others): Promise<void> {
    for (const shard of this.windows.keys()) if (!looked.some((one) => one.shard === shard)) this.close(shard)
    for (const { shard, revision } of looked) {
      if (isOwn(shard) || this.windows.get(shard)?.book.revision === revision) continue
      const before = this.windows.get(shard)?.book ?? new Book()
      const snapshot = await this.shards.of(shard).store.load(before.known(plansOf(shard)))
      // It may have been taken meanwhile.
      if (isOwn(shard)) continue
      const window = this.windows.get(shard) ?? this.open(shard)
      window.book.load(snapshot)
      window.book.configure(plansOf(shard))
      this.windows.set(shard, window)
    }
  }
}
