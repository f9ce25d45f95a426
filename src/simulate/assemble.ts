import type { FleetPlan } from '../core/fleet-plan.ts'
import { createAlertIntake } from '../engine/alerts.ts'
import { createControl, deskOf } from '../engine/control.ts'
import { Engine } from '../engine/engine.ts'
import { Fleet } from '../engine/fleet.ts'
import { LeaseKeeper } from '../engine/lease.ts'
import { Observer } from '../engine/observe.ts'
import { createQuotas } from '../engine/quotas.ts'
import type { Room } from '../engine/room.ts'
import { Scopes } from '../engine/scopes.ts'
import { SignalWatch } from '../engine/signal-watch.ts'
import { SliWatch } from '../engine/sli-watch.ts'
import { createTimer } from '../engine/timer.ts'
import type { AlertIntake } from '../ports/alerts.ts'
import type { Control, ServiceStatus } from '../ports/control.ts'
import type { Quotas } from '../ports/quota.ts'
import type { Clock, Log, Meter, Random, Wakeups } from '../ports/runtime.ts'
import type { Calendar, TaskRunner } from '../ports/sight.ts'
import type { MetricSource, Prober, SyntheticReader } from '../ports/source.ts'
import type { Inbox, ShardStore } from '../ports/store.ts'
import type { Tracer } from '../ports/tracer.ts'
import type { TrafficKind } from '../ports/traffic.ts'
import { createTimerWakeups } from '../wake/timer.ts'
import { plainSights } from './sights.ts'

/** What one process is made of. */
export interface Parts {
  readonly owner: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly meter: Meter
  readonly tracer: Tracer
  readonly store: ShardStore
  readonly inbox: Inbox
  readonly kinds: readonly TrafficKind[]
  readonly sources: ReadonlyMap<string, MetricSource>
  readonly prober: Prober
  /** By kind; left out: none runs synthetic tests. */
  readonly synthetics?: ReadonlyMap<string, SyntheticReader>
  readonly fleets: () => readonly FleetPlan[]
  /** Who does tasks; left out: nobody. */
  readonly tasks?: (wakeups: Wakeups) => TaskRunner
  /** Of every migration; left out: there is none. */
  readonly calendar?: Calendar
  /** Of the process; left out: they are of this engine alone. */
  readonly quotas?: Quotas
  readonly sweepSeconds: number
  /** Left out: those of the timer. */
  readonly wakeups?: Wakeups
  /** When the timer's first sweep is due; left out: at once, as in life. */
  readonly firstSweep?: 'at once' | 'aligned'
  readonly observeTimeoutSeconds: number
  /** Whether it tells of the service; left out: it does. */
  readonly isMain?: boolean
  readonly about: Pick<ServiceStatus, 'version' | 'migrations' | 'configHash' | 'startedAtMs' | 'sweepSeconds'>
}

export interface Assembled extends Room {
  readonly control: Control
  readonly alerts: AlertIntake
}

/** A whole engine, put together as `app.ts` does it, of parts that are not real. */
export function assemble(parts: Parts): Assembled {
  const { owner, clock, random, log, meter, tracer, store, inbox, sweepSeconds } = parts
  const lease = new LeaseKeeper(store, owner, { clock, log })
  const wakeups = parts.wakeups ?? createTimerWakeups(clock, sweepSeconds, { first: parts.firstSweep ?? 'at once' })
  const eyes = openEyes(parts, wakeups)
  const { observer } = eyes
  const engine = new Engine({
    ...{ store, inbox, lease, wakeups, ...eyes, clock, random, log, meter, timer: createTimer(clock), tracer },
    ...{ sweepSeconds, runId: 'RUN', version: parts.about.version, isMain: parts.isMain ?? true },
  })
  const control = createControl({
    desk: deskOf({ engine, observer, wakeups }),
    inbox,
    clock,
    random,
    about: () => parts.about,
  })
  return { engine, control, alerts: createAlertIntake({ inbox, wakeups }), lease, wakeups, observer }
}

/** What a process sees with: of a shard that it works on, or that it only looks at. */
export function openEyes(parts: EyesParts, wakeups: Wakeups | null) {
  const { clock, log, meter, tracer, sources, prober, sweepSeconds } = parts
  const timer = createTimer(clock)
  const context = { clock, log, quotas: parts.quotas ?? createQuotas(clock), tracer, secret: () => '' }
  const scopes = new Scopes(parts.kinds, context, { meter, timer, accounts: {} })
  const watch = { log, meter, timer, tracer }
  const slis = new SliWatch(sources, sweepSeconds, watch)
  const fleet = new Fleet(parts.fleets, new SignalWatch(sources, sweepSeconds, watch))
  const { calendar = null } = parts
  const sights = {
    ...{ ...plainSights(), fleet, calendar: () => calendar },
    ...(parts.tasks && wakeups && { tasks: parts.tasks(wakeups) }),
  }
  const { observeTimeoutSeconds, synthetics = new Map() } = parts
  const sweep = { sweepSeconds, observeTimeoutSeconds }
  const observer = new Observer({ scopes, slis, prober, synthetics, sights, clock, meter, timer, tracer, ...sweep })
  return { observer, scopes, slis, tasks: sights.tasks }
}

type EyesParts = Omit<Parts, 'owner' | 'random' | 'store' | 'inbox' | 'about'>
