import type { Clock, Wakeups } from '../ports/runtime.ts'
import { createExpectedWakeups, type ExpectedWakeups } from '../wake/expected.ts'
import type { Chance } from './chance.ts'
import { SWEEP_SECONDS } from './config.ts'
import type { Life } from './life.ts'

/** One job in so many is lost. */
const LOST = 0.1
/** Under way, ms. */
const DELAY_MS = 5

/** Whoever takes a shard's jobs, until it closes. */
interface Taker {
  readonly life: Life
  readonly clock: Clock
  readonly wakeups: ExpectedWakeups
}

/** A queue a shard that tells replicas when to work, as BullMQ does: some jobs are lost, and one that has lost a shard may take its jobs. */
export class Jobs {
  private readonly takers = new Map<string, Set<Taker>>()
  private readonly clock: Clock
  private readonly chance: Chance

  constructor(clock: Clock, chance: Chance) {
    this.clock = clock
    this.chance = chance
  }

  /** For one process, by its own clock. */
  of(shard: string, life: Life, clock: Clock): Wakeups {
    const wakeups = createExpectedWakeups(clock, SWEEP_SECONDS, () => {})
    const taker = { life, clock, wakeups }
    const takers = this.takers.get(shard) ?? new Set()
    this.takers.set(shard, takers.add(taker))
    return {
      ...wakeups,
      close: async () => {
        takers.delete(taker)
        await wakeups.close()
      },
    }
  }

  /** Has whoever takes the shard's jobs look into its inbox. */
  look(shard: string): void {
    this.deliver(shard, (wakeups) => wakeups.look())
  }

  /** Tells of each sweep, for ever. */
  async run(): Promise<never> {
    for (;;) {
      await this.clock.sleep(SWEEP_SECONDS * 1000)
      for (const shard of this.takers.keys()) this.deliver(shard, (wakeups) => wakeups.sweep())
    }
  }

  private deliver(shard: string, job: (wakeups: ExpectedWakeups) => void): void {
    const living = [...(this.takers.get(shard) ?? [])].filter(({ life }) => !life.isOver)
    if (living.length === 0 || this.chance.is(LOST)) return
    const { clock, wakeups } = this.chance.one(living)
    // By its own clock: one that is frozen hears of it when it is thawed.
    void clock.sleep(DELAY_MS).then(() => job(wakeups))
  }
}
