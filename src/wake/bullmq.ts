import type { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Clock, Log, Wakeups } from '../ports/runtime.ts'
import { loadRedisClients, type MakeRedisClient, placeOf, type RedisSettings } from '../shared/redis-client.ts'
import { addLook, LOOK, Schedule, SWEEP } from './bull-jobs.ts'
import { createExpectedWakeups, type ExpectedWakeups } from './expected.ts'
import { Post } from './post.ts'
import { Trouble } from './trouble.ts'

/** A job is done at once: one that was taken so long ago was taken by a process that has died, ms. */
const JOB_MS = 10_000
/** Between two looks for such jobs, ms. */
const STALLED_MS = 5_000
/** Before what failed is tried again, ms. */
const RETRY_MS = 1_000
/** How many of its own events, which nobody reads here, BullMQ keeps of each queue. */
const EVENTS = 10

export interface BullDeps {
  readonly redis: RedisSettings & { readonly prefix: string }
  readonly sweepSeconds: number
  readonly clock: Clock
  readonly log: Log
  readonly secret: (reference: string) => string
}

/** Wakes among the replicas of one store. */
export interface BullWakes {
  /**
   * For the process that owns this shard: they take its jobs from their first `next` until they are closed. Whoever has lost the lease
   * closes them, or jobs would not come to the one who has it.
   */
  of(shard: string): Wakeups
  /**
   * Has whoever owns this shard look into its inbox at once. It does not fail, and nobody waits for it: what is in the inbox is also
   * found at the next sweep.
   */
  urgent(shard: string): void
  /** Ends what is open, soon also where Redis is away. */
  close(): Promise<void>
}

/**
 * A queue a shard: a schedule makes a job at each multiple of `sweepSeconds` since 1970, any replica adds one that says "look into the
 * inbox", and the shard's owner takes them. A job says only when to work: what is to be done is in the store, and the lease says
 * who may do it. So jobs that come twice, late, after a death or never do no harm: they are merged, and where none comes, the owner
 * sweeps by its own clock and puts the schedule back. Redis holds a few jobs a shard, however many are sent.
 */
export async function openBullWakes(deps: BullDeps): Promise<BullWakes> {
  const makeClient = await loadRedisClients(deps.redis, deps.secret)
  const wakes = new Wakes(deps, await import('bullmq'), makeClient)
  await wakes.begun
  return wakes
}

type Bull = typeof import('bullmq')

class Wakes implements BullWakes {
  /** Resolves when Redis could be reached, or could not: jobs can be added from the beginning, if at all. */
  readonly begun: Promise<void>
  private readonly deps: BullDeps
  private readonly bull: Bull
  private readonly trouble: Trouble
  private readonly makeClient: MakeRedisClient
  /** Adds jobs, for all queues. */
  private readonly sender: Redis
  /** Takes jobs, for all shards. */
  private readonly taker: Redis
  private readonly clients = new Set<Redis>()
  private readonly queues = new Map<string, Queue>()
  private readonly posts = new Map<string, Post>()
  private readonly owned = new Set<Wakeups>()

  constructor(deps: BullDeps, bull: Bull, makeClient: MakeRedisClient) {
    this.deps = deps
    this.bull = bull
    this.makeClient = makeClient
    this.trouble = new Trouble(placeOf(deps.redis.url), deps.log)
    this.sender = this.client('fail-fast')
    this.sender.on('ready', this.trouble.over)
    this.begun = this.connect(this.sender)
    this.taker = this.client('patient')
    void this.connect(this.taker)
    // Each worker waits for jobs on a connection of its own, which knows a password that was rotated.
    this.taker.duplicate = () => {
      const client = this.client('patient')
      void this.connect(client)
      return client
    }
  }

  of(shard: string): Wakeups {
    const { clock, log, sweepSeconds } = this.deps
    const queue = this.queueOf(shard)
    const schedule = new Schedule(queue, sweepSeconds * 1000, clock, this.trouble)
    let worker: Worker | null = null
    let isClosed = false
    const wakes = createExpectedWakeups(clock, sweepSeconds, () => {
      if (worker === null) return
      log.debug({ shard }, 'no job came for this sweep: it is begun without, and the schedule put back')
      schedule.putBack()
    })
    const begin = () => {
      if (worker !== null || isClosed) return
      // A job that its owner took with it when it died must not keep the next one away.
      queue.removeDeduplicationKey(LOOK).catch(this.trouble.note)
      schedule.begin().catch(this.trouble.note)
      worker = this.workerOf(queue, wakes)
    }
    const wakeups: Wakeups = {
      next: () => {
        begin()
        return wakes.next()
      },
      urgent: (workloads) => wakes.urgent(workloads),
      close: async () => {
        isClosed = true
        this.owned.delete(wakeups)
        await wakes.close()
        await schedule.idle()
        if (worker !== null) await this.end(worker)
      },
    }
    this.owned.add(wakeups)
    return wakeups
  }

  urgent(shard: string): void {
    const post =
      this.posts.get(shard) ??
      new Post(() => this.trouble.endedBy(() => addLook(this.queueOf(shard))), this.trouble.note)
    this.posts.set(shard, post)
    post.send()
  }

  async close(): Promise<void> {
    await Promise.all([...this.posts.values()].map((post) => post.idle()))
    await Promise.all([...this.owned].map((wakeups) => wakeups.close()))
    this.trouble.close()
    await Promise.all([...this.queues.values()].map((queue) => queue.close()))
    for (const client of this.clients) client.disconnect()
  }

  private queueOf(shard: string): Queue {
    const known = this.queues.get(shard)
    if (known) return known
    const queue = new this.bull.Queue(encodeURIComponent(shard), {
      connection: this.sender,
      prefix: this.prefix(),
      // One that waits for Redis when it is made would fail for good where Redis is away then. The store has looked at the version.
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENTS } },
    })
    queue.on('error', this.trouble.note)
    this.queues.set(shard, queue)
    return queue
  }

  private workerOf(queue: Queue, wakes: ExpectedWakeups): Worker {
    const work = async (job: { readonly name: string }) => {
      if (job.name === SWEEP) return wakes.sweep()
      // First of all: for what is put into the inbox from now on there must be another job.
      await queue.removeDeduplicationKey(LOOK).catch(this.trouble.note)
      wakes.look()
    }
    const worker = new this.bull.Worker(queue.name, work, {
      connection: this.taker,
      prefix: this.prefix(),
      lockDuration: JOB_MS,
      stalledInterval: STALLED_MS,
      runRetryDelay: RETRY_MS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', this.trouble.note)
    return worker
  }

  /** Has a worker finish the job that it is at, if Redis lets it. */
  private async end(worker: Worker): Promise<void> {
    const { clock, redis } = this.deps
    const isAway = this.taker.status !== 'ready'
    const ended = new AbortController()
    const late = clock.sleep(redis.timeoutSeconds * 1000, ended.signal)
    await Promise.race([worker.close(isAway), late])
    ended.abort()
  }

  private client(manner: 'fail-fast' | 'patient'): Redis {
    const client = this.makeClient({ manner, onTrouble: this.trouble.note })
    this.clients.add(client)
    client.once('end', () => this.clients.delete(client))
    return client
  }

  /** Tries once, and leaves it to the client to go on trying. */
  private async connect(client: Redis): Promise<void> {
    await client.connect().catch(this.trouble.note)
  }

  /** Under the same hash tag as the store, so that one right covers both. */
  private prefix(): string {
    return `{${this.deps.redis.prefix}}:wake`
  }
}
