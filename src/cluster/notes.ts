import type { EventBody, EventType, JournalRow } from '../core/event.ts'
import { explain } from '../core/explain.ts'
import type { ObjectRef, Plan } from '../core/plan.ts'
import { isHalt } from '../core/state.ts'
import type { Cluster, ClusterNote, ClustersOf } from '../ports/cluster.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import { within } from '../shared/deadline.ts'

/** So many notes wait for one API server; beyond it the oldest is dropped. */
const MAX_WAITING = 1000
const TELL_TIMEOUT_MS = 5000

export interface NotesDeps {
  readonly clusters: ClustersOf
  /** The plan in force; null: there is none. */
  readonly planOf: (workload: string) => Plan | null
  readonly clock: Clock
  readonly log: Log
}

type Head = Pick<ClusterNote, 'reason' | 'type'>
type BodyOf<T extends EventType> = Extract<EventBody, { type: T }>

/** What is told of events of each type; null, or no entry: nothing. A revert's weight has its own event. */
const HEADS: { readonly [T in EventType]?: (event: BodyOf<T>) => Head | null } = {
  'weight-intended': ({ urgency, trial, fromPercent, toPercent }) => {
    if (urgency === 'revert') return null
    if (trial !== null) return { reason: 'TrialStarted', type: 'Normal' }
    return toPercent > fromPercent ? { reason: 'WeightRaised', type: 'Normal' } : null
  },
  'hold-added': ({ hold }) => (isHalt(hold.cause) ? { reason: 'Halted', type: 'Warning' } : null),
  'hold-removed': ({ cause }) => (isHalt(cause) ? { reason: 'HaltOver', type: 'Normal' } : null),
  'blind-too-long': () => ({ reason: 'Blind', type: 'Warning' }),
  'revert-started': () => ({ reason: 'RevertStarted', type: 'Warning' }),
  'revert-refused': () => ({ reason: 'RevertRefused', type: 'Warning' }),
  'revert-confirmed': () => ({ reason: 'Reverted', type: 'Warning' }),
  'phase-entered': ({ to }) => {
    if (to === 'completed') return { reason: 'Completed', type: 'Normal' }
    return to === 'cancelled' ? { reason: 'Cancelled', type: 'Normal' } : null
  },
}

/**
 * Tells committed events as Kubernetes events on the workloads' objects in both clusters: who has only `kubectl describe`
 * can follow. Best effort: a server that does not take them costs no sweep anything, and nothing is told twice.
 */
export class ClusterNotes {
  readonly #deps: NotesDeps
  readonly #queues = new Map<Cluster, NoteQueue>()
  readonly #ending = new AbortController()

  constructor(deps: NotesDeps) {
    this.#deps = deps
  }

  /** Takes in rows of a commit. Returns at once. */
  take(rows: readonly JournalRow[]): void {
    const notes = rows.flatMap(({ event }) => {
      const note = noteOf(event)
      return note && event.workload !== null ? [{ workload: event.workload, note }] : []
    })
    if (notes.length === 0 || this.#ending.signal.aborted) return
    for (const { workload, note } of notes) {
      const plan = this.#deps.planOf(workload)
      const clusters = plan?.objects && this.#deps.clusters(plan.migration)
      if (!plan?.objects || !clusters) continue
      this.#queueOf(clusters.old).add({ ref: plan.objects.old, note })
      this.#queueOf(clusters.new).add({ ref: plan.objects.new, note })
    }
  }

  /** Ends; what still waits is not told. */
  async close(): Promise<void> {
    this.#ending.abort()
    await Promise.all([...this.#queues.values()].map((queue) => queue.idle))
  }

  #queueOf(cluster: Cluster): NoteQueue {
    const queue = this.#queues.get(cluster) ?? new NoteQueue(cluster, this.#deps, this.#ending.signal)
    this.#queues.set(cluster, queue)
    return queue
  }
}

function noteOf(event: JournalRow['event']): ClusterNote | null {
  const head = (HEADS[event.type] as ((body: EventBody) => Head | null) | undefined)?.(event)
  return head ? { ...head, message: `${explain(event)} (by ${event.actor}, run ${event.runId})` } : null
}

interface Waiting {
  readonly ref: ObjectRef
  readonly note: ClusterNote
}

/** Tells one API server after another note, in order. */
class NoteQueue {
  /** Resolves when nothing waits. */
  idle: Promise<void> = Promise.resolve()
  readonly #cluster: Cluster
  readonly #deps: Pick<NotesDeps, 'clock' | 'log'>
  readonly #ending: AbortSignal
  readonly #waiting: Waiting[] = []
  #isBusy = false
  #isFailing = false
  #isDropping = false

  constructor(cluster: Cluster, deps: Pick<NotesDeps, 'clock' | 'log'>, ending: AbortSignal) {
    this.#cluster = cluster
    this.#deps = deps
    this.#ending = ending
  }

  add(one: Waiting): void {
    this.#waiting.push(one)
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
      if (!this.#isDropping)
        this.#deps.log.warn({ most: MAX_WAITING }, 'Kubernetes events are dropped, the oldest first')
      this.#isDropping = true
    }
    if (!this.#isBusy) this.idle = this.#run()
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    for (let next = this.#waiting.shift(); next && !this.#ending.aborted; next = this.#waiting.shift())
      await this.#tell(next)
    this.#isBusy = false
    this.#isDropping = false
  }

  async #tell({ ref, note }: Waiting): Promise<void> {
    const failure = await within(this.#deps.clock, TELL_TIMEOUT_MS, (deadline) =>
      this.#cluster.tell(ref, note, AbortSignal.any([deadline, this.#ending])),
    )
    // Told once: a server that is away would fill the log otherwise.
    if (failure !== null && !this.#isFailing)
      this.#deps.log.warn({ ...ref, reason: note.reason, why: failure.detail }, 'a Kubernetes event was not told')
    this.#isFailing = failure !== null
  }
}
