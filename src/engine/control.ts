import type { FleetView } from '../core/fleet-view.ts'
import type { Command } from '../core/observation.ts'
import { problem } from '../core/problem.ts'
import type { CommandRequest, Control, ServiceStatus, WorkloadView } from '../ports/control.ts'
import type { Clock, Random, Wakeups } from '../ports/runtime.ts'
import { type Inbox, MAIN_SHARD } from '../ports/store.ts'
import type { Engine } from './engine.ts'
import type { Observer } from './observe.ts'
import type { SeenShard, ShardKeeper } from './shard-keeper.ts'
import { viewsOf } from './views.ts'

/** Where the shards are worked on, or looked at. */
export type Desk = Pick<
  ShardKeeper,
  'seen' | 'refresh' | 'urgent' | 'notReady' | 'onCommit' | 'lastSweepAtMs' | 'shardOfMigration'
>

export interface ControlDeps {
  readonly desk: Desk
  readonly inbox: Inbox
  readonly clock: Clock
  readonly random: Random
  /** What the config says of the service, asked at each call: it may be reloaded. */
  readonly about: () => Pick<ServiceStatus, 'version' | 'migrations' | 'configHash' | 'startedAtMs' | 'sweepSeconds'>
}

/** The desk of an engine that has the main shard, where there is no other. */
export function deskOf({ engine, observer, wakeups }: DeskParts): Desk {
  return {
    seen: () => [{ shard: MAIN_SHARD, book: engine.book, observer, isOwn: true }],
    refresh: async () => {},
    urgent: (workloads) => wakeups.urgent(workloads),
    notReady: () => engine.notReady(),
    onCommit: (listener) => engine.onCommit(listener),
    get lastSweepAtMs() {
      return engine.lastSweepAtMs
    },
    shardOfMigration: () => MAIN_SHARD,
  }
}

interface DeskParts {
  readonly engine: Engine
  readonly observer: Observer
  readonly wakeups: Wakeups
}

/** The running engines as the API sees them. */
export function createControl({ desk, inbox, clock, random, about }: ControlDeps): Control {
  function factOf(request: Omit<CommandRequest, 'factId'>, factId: string | null): Command {
    if (!desk.seen().some(({ book }) => book.isConfigured(request.workload)))
      throw problem('API_NOT_FOUND', `no workload "${request.workload}"`)
    return { id: factId ?? random.id(), kind: 'command', ...request, receivedAtMs: clock.nowMs() }
  }
  const order = () => about().migrations.map(({ migration }) => migration)

  return {
    status: () => ({
      ...about(),
      nowMs: clock.nowMs(),
      lastSweepAtMs: desk.lastSweepAtMs,
      notReady: desk.notReady(),
    }),
    refresh: () => desk.refresh(),
    workloads: () => workloadsOf(desk.seen(), order()),
    fleets: () => fleetsOf(desk.seen(), order(), (migration) => desk.shardOfMigration(migration)),
    submit: async ({ factId, ...request }) => {
      const fact = factOf(request, factId)
      const isNew = await inbox.put(fact)
      desk.urgent([fact.workload])
      return { factId: fact.id, isNew }
    },
    submitAll: async (request, workloads) => {
      const facts = workloads.map((workload) => factOf({ ...request, workload }, null))
      await inbox.putAll(facts)
      desk.urgent(workloads)
      return facts.map(({ id: factId }) => ({ factId, isNew: true }))
    },
    onCommit: (listener) => desk.onCommit(listener),
  }
}

/** What this process itself works on, for its metrics. */
export function ownViews(
  desk: Pick<Desk, 'seen' | 'shardOfMigration'>,
  migrations: () => ServiceStatus['migrations'],
): Pick<Control, 'workloads' | 'fleets'> {
  const own = () => desk.seen().filter(({ isOwn }) => isOwn)
  const order = () => migrations().map(({ migration }) => migration)
  return {
    workloads: () => workloadsOf(own(), order()),
    fleets: () => fleetsOf(own(), order(), (migration) => desk.shardOfMigration(migration)),
  }
}

/** The workloads of these shards, by migration in this order; in that of the config where there is one shard. */
function workloadsOf(seen: readonly SeenShard[], order: readonly string[]): readonly WorkloadView[] {
  const all = seen.map(({ book, observer }) => viewsOf(book, observer))
  const [only, ...others] = all
  if (only !== undefined && others.length === 0) return only
  return inOrder(all.flat(), order, ({ plan }) => plan.migration)
}

/** The migrations that belong to these shards, in this order. */
function fleetsOf(
  seen: readonly SeenShard[],
  order: readonly string[],
  shardOfMigration: (migration: string) => string,
): readonly FleetView[] {
  const all = seen.flatMap(({ shard, book, observer }) =>
    observer.fleetViews(book).filter(({ migration }) => shardOfMigration(migration) === shard),
  )
  return seen.length === 1 ? all : inOrder(all, order, ({ migration }) => migration)
}

function inOrder<T>(all: readonly T[], order: readonly string[], migrationOf: (one: T) => string): readonly T[] {
  const places = new Map(order.map((migration, place) => [migration, place]))
  const placeOf = (one: T) => places.get(migrationOf(one)) ?? order.length
  return all.toSorted((a, b) => placeOf(a) - placeOf(b))
}
