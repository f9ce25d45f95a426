import { missing, type ReplicasReading } from '../core/observation.ts'
import type { ObjectRef, Plan, Side, Sides } from '../core/plan.ts'
import type { ReplicaWatch, Watched } from '../ports/sight.ts'
import { byDeadline } from '../shared/deadline.ts'
import type { KubernetesClient } from '../shared/kubernetes/client.ts'
import { type ClientLease, kubernetesClients } from '../shared/kubernetes/clients.ts'
import type { KubernetesPlace } from '../shared/kubernetes/config.ts'
import { nameOf } from './paths.ts'
import { ObjectWatch, type ObjectWatchDeps } from './watch.ts'

/** Older than that a number is none, ms: the sweeps that it would mislead are several. */
const STALE_MS = 60_000
/** A watch that nobody wanted for so long ends, ms. */
const IDLE_MS = 120_000

/** How the API servers of a migration are reached; null: they are not. */
export type PlacesOf = (migration: string) => Sides<KubernetesPlace> | null

interface Entry {
  readonly watch: ObjectWatch
  readonly lease: ClientLease
  wantedAtMs: number
}

/** Counts replicas by watching: at most one watch a cluster, kind and namespace, whatever number of workloads is there. */
export class Replicas implements ReplicaWatch {
  readonly #placesOf: PlacesOf
  readonly #deps: ObjectWatchDeps
  readonly #entries = new Map<string, Entry>()
  #isClosed = false

  constructor(placesOf: PlacesOf, deps: ObjectWatchDeps) {
    this.#placesOf = placesOf
    this.#deps = deps
  }

  async look(rollouts: readonly Watched[], signal: AbortSignal): Promise<void> {
    if (this.#isClosed) return
    const nowMs = this.#deps.clock.nowMs()
    const fresh: ObjectWatch[] = []
    for (const { plan } of rollouts)
      for (const { key, place, ref } of this.#placesIn(plan)) {
        const entry = this.#entries.get(key) ?? this.#open(key, place, ref)
        entry.wantedAtMs = nowMs
        if (entry.watch.heardAtMs === null && entry.watch.trouble === null) fresh.push(entry.watch)
      }
    this.#closeIdle(nowMs)
    // The first answer is worth waiting for; a server that has failed once costs no sweep its time.
    await orAborted(Promise.all(fresh.map(({ began }) => began)), signal)
  }

  reading(plan: Plan): Sides<ReplicasReading> | null {
    const { objects } = plan
    if (objects === null) return null
    const [old, fresh] = [this.#reading(plan, 'old', objects.old), this.#reading(plan, 'new', objects.new)]
    return old === null || fresh === null ? null : { old, new: fresh }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map(closeEntry))
  }

  #reading(plan: Plan, side: Side, ref: ObjectRef): ReplicasReading | null {
    const place = this.#placesOf(plan.migration)?.[side]
    const entry = place && this.#entries.get(keyOf(place, ref))
    if (!entry) return null
    const { heardAtMs, trouble } = entry.watch
    if (heardAtMs === null) return trouble ?? missing('timeout', `${nameOf(ref)}: the API server has not answered yet`)
    const ageMs = this.#deps.clock.nowMs() - heardAtMs
    // From the future, before the clock went back: who knows how old it is.
    if (ageMs > STALE_MS || ageMs < 0) {
      const why = trouble === null ? '' : `: ${trouble.detail}`
      return missing('stale', `${nameOf(ref)} was last seen ${Math.round(ageMs / 1000)} s ago${why}`)
    }
    const found = entry.watch.get(ref.name)
    if (found === undefined) return missing('empty', `there is no ${nameOf(ref)}`)
    return { kind: 'replicas', ready: found.ready, wanted: found.wanted, atMs: heardAtMs }
  }

  #placesIn({ migration, objects }: Plan) {
    const places = objects === null ? null : this.#placesOf(migration)
    if (objects === null || places === null) return []
    return (['old', 'new'] as const).map((side) => {
      const [place, ref] = [places[side], objects[side]]
      return { key: keyOf(place, ref), place, ref }
    })
  }

  #open(key: string, place: KubernetesPlace, { kind, namespace }: ObjectRef): Entry {
    const lease = kubernetesClients.lease(place)
    const entry = { watch: this.#watch(lease.client, { kind, namespace }), lease, wantedAtMs: 0 }
    this.#entries.set(key, entry)
    return entry
  }

  #watch(client: KubernetesClient, of: Pick<ObjectRef, 'kind' | 'namespace'>): ObjectWatch {
    return new ObjectWatch(client, of, this.#deps)
  }

  #closeIdle(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      const idleMs = nowMs - entry.wantedAtMs
      if (idleMs <= IDLE_MS && idleMs >= 0) continue
      this.#entries.delete(key)
      void closeEntry(entry)
    }
  }
}

function keyOf({ kubeconfig, context }: KubernetesPlace, { kind, namespace }: ObjectRef): string {
  return JSON.stringify([kubeconfig, context, kind, namespace])
}

async function closeEntry({ watch, lease }: Entry): Promise<void> {
  await watch.close()
  await lease.close()
}

function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return byDeadline<unknown>(work, signal, () => null).then(() => {})
}
