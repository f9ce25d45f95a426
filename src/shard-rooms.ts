import type { OpenClusters } from './cluster/open.ts'
import { Book } from './engine/book.ts'
import { Engine } from './engine/engine.ts'
import { Fleet } from './engine/fleet.ts'
import { LeaseKeeper } from './engine/lease.ts'
import { Observer } from './engine/observe.ts'
import type { Room } from './engine/room.ts'
import { Scopes } from './engine/scopes.ts'
import type { Sights } from './engine/sights.ts'
import { SignalWatch } from './engine/signal-watch.ts'
import { SliWatch } from './engine/sli-watch.ts'
import type { SyntheticReaders } from './engine/synthetics.ts'
import type { Timer } from './engine/timer.ts'
import type { Window } from './engine/windows.ts'
import type { Config } from './policy/config.ts'
import type { AdapterContext } from './ports/kind.ts'
import type { Meter, Random, Wakeups } from './ports/runtime.ts'
import type { TaskRunner } from './ports/sight.ts'
import type { MetricSource, Prober } from './ports/source.ts'
import { MAIN_SHARD, type Shards } from './ports/store.ts'
import { createBudgetMemory } from './preflight/budget-memory.ts'
import { createChecker } from './preflight/checker.ts'
import type { RunningConfig } from './running-config.ts'
import { createCertificateReader } from './sources/probe/certificate.ts'
import { promqlKindOf } from './sources/registry.ts'
import { createTaskRunner } from './tasks/runner.ts'
import { trafficKinds } from './traffic/registry.ts'

/** What the rooms of one process share. */
export interface RoomsDeps {
  readonly shards: Shards
  /** Names this process in the leases. */
  readonly replica: string
  readonly running: RunningConfig
  readonly config: Pick<Config, 'sweepSeconds' | 'observeTimeoutSeconds' | 'providers'>
  readonly context: AdapterContext
  readonly clusters: OpenClusters
  readonly sources: ReadonlyMap<string, MetricSource>
  readonly synthetics: SyntheticReaders
  readonly prober: Prober
  readonly wakeupsOf: (shard: string) => Wakeups
  readonly random: Random
  readonly meter: Meter
  readonly timer: Timer
  readonly runId: string
  readonly version: string
}

/** Makes what a shard is worked on with, or looked at with where another replica works on it. */
export interface Rooms {
  open(shard: string): Room
  see(shard: string): Window
}

export function createRooms(deps: RoomsDeps): Rooms {
  const { shards, replica, context, random, meter, timer, runId, version } = deps
  const { sweepSeconds } = deps.config
  const { clock, log, tracer } = context
  return {
    open(shard) {
      const { store, inbox } = shards.of(shard)
      const lease = new LeaseKeeper(store, replica, { clock, log })
      const wakeups = deps.wakeupsOf(shard)
      const eyes = openEyes(deps, (workload) => wakeups.urgent([workload]))
      const isMain = shard === MAIN_SHARD
      const engine = new Engine({
        ...{ store, inbox, lease, wakeups, ...eyes, clock, random, log, meter, timer, tracer },
        ...{ sweepSeconds, runId, version, isMain },
      })
      return { engine, lease, wakeups, observer: eyes.observer }
    },
    // Its observer is never asked to look: what it says of each reading is that there is none.
    see: () => ({ book: new Book(), observer: openEyes(deps, () => {}).observer }),
  }
}

interface Eyes {
  readonly observer: Observer
  readonly scopes: Scopes
  readonly slis: SliWatch
  readonly tasks: TaskRunner
}

function openEyes(deps: RoomsDeps, onTaskEnded: (workload: string) => void): Eyes {
  const { running, context, clusters, sources, synthetics, prober, random, meter, timer } = deps
  const { sweepSeconds, observeTimeoutSeconds, providers } = deps.config
  const { clock, log, tracer, secret } = context
  const scopes = new Scopes(trafficKinds, context, { meter, timer, accounts: providers })
  const slis = new SliWatch(sources, sweepSeconds, { log, meter, timer, tracer })
  const signals = new SignalWatch(sources, sweepSeconds, { log, meter, timer, tracer })
  const tasks = createTaskRunner({
    ...{ clock, random, log, tracer, secret, prober },
    clustersOf: clusters.of,
    onEnded: onTaskEnded,
  })
  const sights: Sights = {
    calendar: (migration) => running.calendarOf(migration),
    checker: createChecker({
      clustersOf: clusters.of,
      sources,
      promql: promqlKindOf([...sources.keys()]),
      prober,
      certificates: createCertificateReader(clock),
      sli: (plan, spec) => slis.reading(plan, spec, 0),
      target: (id) => observer.targetReading(id),
      budget: createBudgetMemory(sources, clock),
      clock,
      log,
    }),
    fleet: new Fleet(() => running.rules().map((one) => one.fleet), signals),
    replicas: clusters.replicas,
    tasks,
  }
  const observer = new Observer({
    ...{ scopes, slis, prober, synthetics, sights, clock, meter, timer, tracer },
    ...{ sweepSeconds, observeTimeoutSeconds },
  })
  return { observer, scopes, slis, tasks }
}
