import { z } from 'zod'
import type { Missing } from '../core/observation.ts'
import type { ObjectRef } from '../core/plan.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import { within } from '../shared/deadline.ts'
import { parseJson } from '../shared/json.ts'
import type { KubernetesClient } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { listAll } from './api.ts'
import { missingFor } from './failure.ts'
import { pathOf } from './paths.ts'

/** The server ends a watch after so long: whoever says nothing for longer is not there any more. */
const WATCH_SECONDS = 25
/** A list, or a watch with its end, takes no longer, ms. */
const LIST_TIMEOUT_MS = 20_000
const WATCH_TIMEOUT_MS = (WATCH_SECONDS + 10) * 1000
/** After a failure, doubled with each more in a row, ms. */
const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 20_000
const GONE = 410

// The server leaves out counts that are 0, and writes 1 into `replicas` where a manifest says nothing.
const objectSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z.object({ replicas: z.int().min(0).default(1) }),
  status: z.object({ readyReplicas: z.int().min(0).default(0) }).default({ readyReplicas: 0 }),
})

const eventSchema = z.union([
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: objectSchema }),
  z.object({ type: z.literal('BOOKMARK'), object: z.object({ metadata: z.object({ resourceVersion: z.string() }) }) }),
  z.object({ type: z.literal('ERROR'), object: z.object({ code: z.int(), message: z.string().default('') }) }),
])

/** How many replicas an object has. */
export interface ObjectReplicas {
  readonly ready: number
  readonly wanted: number
}

export interface ObjectWatchDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What a watch is of: all objects of a kind in a namespace. */
export type Watched = Pick<ObjectRef, 'kind' | 'namespace'>

/** Knows the replicas of all objects of one kind in one namespace: one list, then a watch from its version on. */
export class ObjectWatch {
  /** Resolves when the first answer is there, or the first failure. */
  readonly began: Promise<void>
  readonly #client: KubernetesClient
  readonly #of: Watched
  readonly #deps: ObjectWatchDeps
  readonly #ending = new AbortController()
  readonly #ended: Promise<void>
  readonly #objects = new Map<string, ObjectReplicas>()
  /** The version to watch from; null: to be listed anew. */
  #version: string | null = null
  /** When the server was last heard of, by our clock; null: never. */
  #heardAtMs: number | null = null
  #trouble: Missing | null = null
  #begin = () => {}

  constructor(client: KubernetesClient, of: Watched, deps: ObjectWatchDeps) {
    this.#client = client
    this.#of = of
    this.#deps = deps
    this.began = new Promise((resolve) => {
      this.#begin = resolve
    })
    this.#ended = this.#run()
  }

  /** What is known of one object. `undefined`: there is none of that name. */
  get(name: string): ObjectReplicas | undefined {
    return this.#objects.get(name)
  }

  /** When the server was last heard of, ms; null: never. */
  get heardAtMs(): number | null {
    return this.#heardAtMs
  }

  /** Why nothing is heard now; null: nothing is wrong. */
  get trouble(): Missing | null {
    return this.#trouble
  }

  async close(): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    let failures = 0
    while (!signal.aborted) {
      const startedMs = this.#deps.clock.nowMs()
      const isWatch = this.#version !== null
      const failure = this.#version === null ? await this.#list() : await this.#watch(this.#version)
      if (signal.aborted) break
      this.#note(failure)
      this.#begin()
      failures = failure === null ? 0 : failures + 1
      // A watch that ends as soon as it began, as some proxies have it, must not be begun without end.
      const isHasty = isWatch && this.#deps.clock.nowMs() - startedMs < FIRST_WAIT_MS
      if (failure !== null || isHasty) await this.#rest(failures)
    }
    this.#begin()
  }

  /** Waits longer with each failure, and not in step with others whom the same server has failed. */
  async #rest(failures: number): Promise<void> {
    const { clock, random } = this.#deps
    const most = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(Math.max(0, failures - 1), 10))
    await clock.sleep(most * (0.5 + random.next() / 2), this.#ending.signal)
  }

  #note(failure: KubernetesFailure | null): void {
    if (failure !== null && failure.status === GONE) {
      // The server has forgotten that version: all is listed anew.
      this.#version = null
      return
    }
    const before = this.#trouble
    this.#trouble = failure === null ? null : missingFor(`watch ${this.#name}`, failure)
    if (failure !== null && before?.detail !== this.#trouble?.detail)
      this.#deps.log.warn({ watch: this.#name, why: failure.detail }, 'replicas cannot be watched; trying again')
  }

  get #name(): string {
    return `${this.#of.kind}s in ${this.#of.namespace}`
  }

  get #path(): string {
    const { kind, namespace } = this.#of
    return pathOf('apps/v1', namespace, kind === 'Deployment' ? 'deployments' : 'statefulsets')
  }

  async #list(): Promise<KubernetesFailure | null> {
    const listed = await this.#within(LIST_TIMEOUT_MS, (signal) =>
      listAll(this.#client, this.#path, objectSchema, signal),
    )
    if (listed instanceof KubernetesFailure) return listed
    this.#objects.clear()
    for (const object of listed.items) this.#put(object)
    this.#version = listed.version
    this.#heard()
    return null
  }

  /** Takes in what happens after a version, until the server ends it in order. */
  async #watch(version: string): Promise<KubernetesFailure | null> {
    const query = {
      watch: '1',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(WATCH_SECONDS),
    }
    const bad: KubernetesFailure[] = []
    const ended = await this.#within(WATCH_TIMEOUT_MS, (signal) =>
      this.#client.lines({ method: 'GET', path: this.#path, query }, signal, (line) => {
        const wrong = bad.length === 0 ? this.#take(line) : null
        if (wrong) bad.push(wrong)
      }),
    )
    const failure = bad[0] ?? ended
    // An end in order says that the connection was good until then, also where nothing happened.
    if (failure === null) this.#heard()
    return failure
  }

  #take(line: string): KubernetesFailure | null {
    const event = eventSchema.safeParse(parseJson(line)).data
    if (event === undefined) {
      // What it was is not known: only a new list is sure to have it.
      this.#version = null
      return new KubernetesFailure('bad-answer', 'an event of another form')
    }
    if (event.type === 'ERROR') {
      const { code, message } = event.object
      return new KubernetesFailure('refused', `the API server ended the watch: ${message.slice(0, 300)}`, false, code)
    }
    if (event.type === 'DELETED') this.#objects.delete(event.object.metadata.name)
    else if (event.type !== 'BOOKMARK') this.#put(event.object)
    this.#version = event.object.metadata.resourceVersion
    this.#heard()
    return null
  }

  #put({ metadata, spec, status }: z.output<typeof objectSchema>): void {
    this.#objects.set(metadata.name, { ready: status.readyReplicas, wanted: spec.replicas })
  }

  #heard(): void {
    this.#heardAtMs = this.#deps.clock.nowMs()
  }

  /** Under a deadline, and no longer than the watch is wanted. */
  async #within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return within(this.#deps.clock, ms, (deadline) => work(AbortSignal.any([deadline, this.#ending.signal])))
  }
}
