import type { HeadgateEvent } from '../../src/core/event.ts'
import type { FleetPlan } from '../../src/core/fleet-plan.ts'
import type { CommandName } from '../../src/core/observation.ts'
import type { Plan, PlanTarget } from '../../src/core/plan.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { AlertIntake } from '../../src/ports/alerts.ts'
import type { Control } from '../../src/ports/control.ts'
import type { Wakeups } from '../../src/ports/runtime.ts'
import type { TaskRunner } from '../../src/ports/sight.ts'
import {
  groupKey,
  type Measure,
  type MetricSource,
  type Prober,
  type SliVector,
  type SyntheticReader,
} from '../../src/ports/source.ts'
import type { Inbox, Store } from '../../src/ports/store.ts'
import { NO_TRACER, type Tracer } from '../../src/ports/tracer.ts'
import { assemble } from '../../src/simulate/assemble.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { Life, sourceOf, storeOf, trafficOf } from '../../src/simulate/life.ts'
import { createFakeLog, createFakeMeter, createFakeRandom, type FakeLog, settled } from '../../src/simulate/runtime.ts'
import { createMemoryStore, type MemoryStore } from '../../src/simulate/store.ts'
import { createFakeTraffic, type FakeTraffic } from '../fakes/traffic.ts'
import { planOf } from '../scenarios/world.ts'

export const START_MS = Date.UTC(2026, 0, 5, 9)
export const SWEEP_SECONDS = 10
const CLUSTERS = { old: 'blue', new: 'green' }
const REQUESTS_A_SECOND = 100

/** What a plan's target in the fake provider is called there. */
const placeOf = (workload: string) => `zone/${workload}`

/** A plan of `planOf` for a workload of its own, with its place in one scope of the fake provider. */
export function planFor(workload: string, settings: Readonly<Record<string, string>> = {}, scope = 'zone'): Plan {
  const plan = planOf({ share: 'off', ...settings })
  const place = { scope: 'zone', place: workload, settleSeconds: 0 }
  const target: PlanTarget = {
    id: workload,
    role: 'split',
    kind: 'fake',
    scope: `fake ${scope}`,
    settings: place,
    propagationSeconds: 0,
    movingTtlSeconds: null,
  }
  return { ...plan, workload, hash: `${workload} ${JSON.stringify(settings)}`, targets: [target] }
}

/** What is there whether an engine runs or not: time, the store, the provider, the traffic. */
export class World {
  readonly clock: FakeClock = createFakeClock(START_MS)
  readonly memory: MemoryStore = createMemoryStore()
  readonly traffic: FakeTraffic
  readonly prober: Prober
  readonly synthetics = new Map<string, SyntheticReader>()
  /** Which share of NEW's requests fails, by workload, percent. */
  readonly newBadPercent = new Map<string, number>()
  /** The value of every signal of NEW; null: nothing is there. */
  newSignal: number | null = null
  /** What the source does instead of its work. */
  sourceFault: 'hangs' | 'throws' | null = null
  readonly source: MetricSource
  readonly workloads: readonly string[]
  /** Who wrote when, each call once. */
  readonly writes: { readonly owner: string; readonly atMs: number }[] = []

  constructor(workloads: readonly string[]) {
    this.workloads = workloads
    this.traffic = createFakeTraffic(Object.fromEntries(workloads.map((name) => [placeOf(name), 0])))
    this.prober = { probe: async () => ({ kind: 'passed', seconds: 0.01 }), close: async () => {} }
    this.source = {
      poll: async (slis, { sinceMs, atMs }) => {
        if (this.sourceFault === 'hangs') await new Promise(() => {})
        if (this.sourceFault === 'throws') throw new Error('a bug in the source')
        const vector: SliVector = { kind: 'vector', sinceMs, atMs, groups: this.groups((atMs - sinceMs) / 1000) }
        return new Map(slis.map((sli) => [sli, vector]))
      },
      history: async () => [],
      close: async () => {},
    }
  }

  weightOf(workload: string): number | undefined {
    return this.traffic.weights.get(placeOf(workload))
  }

  setWeight(workload: string, weightPercent: number): void {
    this.traffic.weights.set(placeOf(workload), weightPercent)
  }

  async events(): Promise<readonly HeadgateEvent[]> {
    const rows = await this.memory.journal.read({ afterSeq: 0, limit: 100_000 })
    return rows.map(({ event }) => event)
  }

  async eventsOf<Type extends HeadgateEvent['type']>(type: Type) {
    const events = await this.events()
    return events.filter((event): event is Extract<HeadgateEvent, { type: Type }> => event.type === type)
  }

  /** Steady traffic, split by the weights that the provider really has. */
  private groups(seconds: number): ReadonlyMap<string, Measure> {
    const signal = this.newSignal
    return new Map<string, Measure>([
      ...(signal === null ? [] : [[groupKey(CLUSTERS.new, ''), { kind: 'value', value: signal }] as const]),
      ...this.workloads.flatMap((workload) => {
        const share = (this.weightOf(workload) ?? 0) / 100
        const requests = REQUESTS_A_SECOND * seconds
        const bad = (requests * share * (this.newBadPercent.get(workload) ?? 0)) / 100
        return [
          [
            groupKey(CLUSTERS.old, workload),
            { kind: 'counts' as const, total: requests * (1 - share), bad: 0, latencies: null },
          ],
          [
            groupKey(CLUSTERS.new, workload),
            { kind: 'counts' as const, total: requests * share, bad, latencies: null },
          ],
        ] as const
      }),
    ])
  }
}

export interface RigOptions {
  readonly owner?: string
  /** By default `SWEEP_SECONDS`. */
  readonly sweepSeconds?: number
  /** Instead of the world's store: one that another test made, or one that breaks. */
  readonly ports?: { readonly store: Store; readonly inbox: Inbox }
  /** By default none. */
  readonly tracer?: Tracer
  /** Until when it lives; without: until it is killed. */
  readonly life?: Life
  /** Instead of nobody: who does tasks. */
  readonly tasks?: (wakeups: Wakeups) => TaskRunner
  /** Waves, limits and signals, asked each time; left out: there are none. */
  readonly fleets?: () => readonly FleetPlan[]
}

/** A whole engine, as the service makes it, over a world of fakes. */
export interface Rig {
  readonly engine: Engine
  readonly control: Control
  readonly alerts: AlertIntake
  readonly log: FakeLog
  readonly sweeps: readonly string[]
  /** Settles when the engine has begun; a lease or a store that is away keeps it from that. */
  start(plans: readonly Plan[]): Promise<void>
  /** Begins to wait for the lease, and works once it has it. */
  begin(plans: readonly Plan[]): void
  phaseOf(workload: string): string | undefined
  stop(): Promise<void>
  /** As `kill -9` does. */
  kill(): void
}

export function createRig(world: World, options: RigOptions = {}): Rig {
  const { clock } = world
  const { owner = 'one', life = new Life(), tracer = NO_TRACER, sweepSeconds = SWEEP_SECONDS } = options
  const { store, inbox } = storeOf(life, options.ports ?? world.memory)
  const [log, meter] = [createFakeLog(), createFakeMeter()]
  const onWrite = () => void world.writes.push({ owner, atMs: clock.nowMs() })
  const about = {
    version: 'test',
    migrations: [{ migration: 'm', clusters: CLUSTERS }],
    configHash: 'hash',
    startedAtMs: START_MS,
    sweepSeconds,
  }
  const { engine, control, alerts } = assemble({
    ...{ owner, clock, random: createFakeRandom(), log, meter, tracer, store, inbox, about },
    kinds: [trafficOf(life, world.traffic.kind, onWrite)],
    sources: new Map([['fake', sourceOf(life, world.source)]]),
    prober: world.prober,
    synthetics: world.synthetics,
    fleets: options.fleets ?? (() => []),
    ...(options.tasks && { tasks: options.tasks }),
    sweepSeconds,
    // Tests count the sweeps that they let go by.
    firstSweep: 'aligned',
    observeTimeoutSeconds: sweepSeconds / 2,
  })
  const stopping = new AbortController()
  let ran: Promise<void> = Promise.resolve()
  return {
    engine,
    control,
    alerts,
    log,
    sweeps: meter.sweeps,
    async start(plans) {
      await engine.start(plans, 'hash', stopping.signal)
      ran = engine.run()
    },
    begin(plans) {
      ran = engine.start(plans, 'hash', stopping.signal).then(() => engine.run())
    },
    kill: () => life.end(),
    phaseOf: (workload) => engine.book.subject(workload)?.state.phase.name,
    async stop() {
      stopping.abort()
      await engine.stop('the test is over')
      await ran
    },
  }
}

/** Says a command, and lets the engine answer it. */
export async function say(rig: Rig, command: CommandName, workload: string) {
  const request = { workload, command, reason: 'a test', actor: 'ann', force: false, roles: [], factId: null }
  const submitted = await rig.control.submit(request)
  await settled()
  return submitted
}

/** Lets sweeps go by. */
export async function sweep(world: World, count = 1): Promise<void> {
  for (let n = 0; n < count; n++) await world.clock.advance(SWEEP_SECONDS * 1000)
}
