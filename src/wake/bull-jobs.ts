import type { Queue } from 'bullmq'
import type { Clock } from '../ports/runtime.ts'
import { Post } from './post.ts'
import type { Trouble } from './trouble.ts'

/** The two kinds of job, which are also the ids of their schedule and of what is sent only once. */
export const SWEEP = 'sweep'
export const LOOK = 'look'

const GONE_WHEN_DONE = { removeOnComplete: true, removeOnFail: true }

/** Has the owner of the queue look into its inbox; where such a job waits already, it is that one. */
export async function addLook(queue: Queue): Promise<void> {
  await queue.add(LOOK, {}, { ...GONE_WHEN_DONE, lifo: true, deduplication: { id: LOOK } })
}

/** The schedule that makes a queue's sweep jobs: a job is there from the beginning, and the next one when it is taken. */
export class Schedule {
  private readonly queue: Queue
  private readonly intervalMs: number
  private readonly clock: Clock
  private readonly anew: Post

  constructor(queue: Queue, intervalMs: number, clock: Clock, trouble: Trouble) {
    this.queue = queue
    this.intervalMs = intervalMs
    this.clock = clock
    this.anew = new Post(() => trouble.endedBy(() => this.replace()), trouble.note)
  }

  /** Begins it, or has it go on as it is. */
  async begin(): Promise<void> {
    const { intervalMs: every } = this
    const startDate = (Math.floor(this.clock.nowMs() / every) + 1) * every
    await this.queue.upsertJobScheduler(SWEEP, { every, startDate }, { name: SWEEP, opts: GONE_WHEN_DONE })
  }

  /** Begins it anew, whatever became of it. */
  putBack(): void {
    this.anew.send()
  }

  idle(): Promise<void> {
    return this.anew.idle()
  }

  private async replace(): Promise<void> {
    // After a clock has jumped back, the next job of the old one may be far away.
    await this.queue.removeJobScheduler(SWEEP)
    await this.begin()
    // How much BullMQ keeps of its own events is gone with a Redis that was flushed.
    await this.queue.getBackend().setQueueMeta(this.queue.metaValues)
  }
}
