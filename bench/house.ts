import type { EventType } from '../src/core/event.ts'
import type { Plan } from '../src/core/plan.ts'
import { createControl, deskOf } from '../src/engine/control.ts'
import { Engine } from '../src/engine/engine.ts'
import { LeaseKeeper } from '../src/engine/lease.ts'
import { Observer } from '../src/engine/observe.ts'
import { createQuotas } from '../src/engine/quotas.ts'
import { Scopes } from '../src/engine/scopes.ts'
import { SliWatch } from '../src/engine/sli-watch.ts'
import { createTimer } from '../src/engine/timer.ts'
import { channelKinds } from '../src/notify/registry.ts'
import { type Config, plansOf } from '../src/policy/config.ts'
import { parseConfig } from '../src/policy/parse.ts'
import type { Control } from '../src/ports/control.ts'
import { groupKey, type MetricSource, type SliVector } from '../src/ports/source.ts'
import { NO_TRACER } from '../src/ports/tracer.ts'
import type { TrafficKind, WeightChange, WriteResult } from '../src/ports/traffic.ts'
import { resolveSecret } from '../src/shared/secret.ts'
import { plainSights } from '../src/simulate/sights.ts'
import { createProber } from '../src/sources/probe/prober.ts'
import { sourceKinds } from '../src/sources/registry.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { createLog } from '../src/telemetry/log.ts'
import { createMetrics } from '../src/telemetry/metrics.ts'
import { createRandom, systemClock } from '../src/telemetry/runtime.ts'
import { trafficKinds } from '../src/traffic/registry.ts'
import { createTimerWakeups } from '../src/wake/timer.ts'

const VERSION = 'bench'
const CLUSTERS = { old: 'blue', new: 'green' } as const

/** A write as the provider acknowledged it; times are `performance.now()`. */
export interface Acknowledged {
  readonly changes: readonly WeightChange[]
  readonly begunMs: number
  readonly endedMs: number
}

export interface HouseOptions {
  readonly storePath: string
  readonly workloads: readonly HouseWorkload[]
  /** What the config has under `providers`. */
  readonly providers?: object
  /** The first step's weight. */
  readonly firstWeight?: string
  /** The environment, where secrets are. */
  readonly env: Readonly<Record<string, string>>
}

export interface HouseWorkload {
  readonly name: string
  /** As the config has it. */
  readonly traffic: object
}

/** The engine as the service runs it, without its API. */
export interface House {
  readonly control: Control
  /** The target's id, by workload. */
  readonly targetIds: ReadonlyMap<string, string>
  /** Calls the listener as each write is acknowledged, with those changes that the provider took. */
  onAcknowledged(listener: (write: Acknowledged) => void): void
  /** Goes on with these workloads too, as after an edit of the config. */
  add(workloads: readonly HouseWorkload[]): Promise<void>
  /** Observes, and has all workloads think: what a sweep does, without waiting for its time. */
  sweepNow(): Promise<void>
  /**
   * Resolves when each of these workloads has had an event of this type since the call, with the times, by
   * `performance.now()`, at which they were durable. Rejects when a command of theirs is refused, or on the signal.
   */
  events(workloads: readonly string[], type: EventType, signal: AbortSignal): Promise<ReadonlyMap<string, number>>
  stop(): Promise<void>
}

/** Starts the engine over a store on disk, with all its parts but the metric source, which answers at once. */
export async function startHouse(options: HouseOptions): Promise<House> {
  const { storePath, env } = options
  const config = parsed(options, options.workloads)
  const { sweepSeconds, observeTimeoutSeconds, hash, providers } = config
  const plans = plansOf(config)

  const all = [...options.workloads]
  const [clock, random, timer] = [systemClock, createRandom(systemClock), createTimer(systemClock)]
  const log = createLog({ level: 'warn' })
  const { meter } = createMetrics({ version: VERSION, clock })
  const { store, inbox } = openSqlite(storePath)
  const lease = new LeaseKeeper(store, random.id(), { clock, log })
  const wakeups = createTimerWakeups(clock, sweepSeconds)
  const context = {
    clock,
    log,
    quotas: createQuotas(clock),
    tracer: NO_TRACER,
    secret: (reference: string) => resolveSecret(reference, env),
  }
  const prober = createProber(context)
  const listeners = new Set<(write: Acknowledged) => void>()
  const tell = (write: Acknowledged) => {
    for (const listener of listeners) listener(write)
  }
  const timedKinds = trafficKinds.map((kind) => timed(kind, tell))
  const scopes = new Scopes(timedKinds, context, { meter, timer, accounts: providers })
  const slis = new SliWatch(new Map([['prometheus', healthySource(() => all)]]), sweepSeconds, {
    ...{ log, meter, timer, tracer: NO_TRACER },
  })
  const sights = plainSights()
  const observer = new Observer({
    scopes,
    slis,
    prober,
    synthetics: new Map(),
    sights,
    clock,
    meter,
    timer,
    tracer: NO_TRACER,
    sweepSeconds,
    observeTimeoutSeconds,
  })
  const { tasks } = sights
  const parts = { store, inbox, lease, wakeups, observer, scopes, slis, tasks, clock, random, log, meter, timer }
  const engine = new Engine({ ...parts, tracer: NO_TRACER, sweepSeconds, runId: random.id(), version: VERSION })
  const startedAtMs = clock.nowMs()
  const about = () => ({
    version: VERSION,
    migrations: [{ migration: 'bench', clusters: CLUSTERS }],
    configHash: hash,
    startedAtMs,
    sweepSeconds,
  })
  const control = createControl({ desk: deskOf({ engine, observer, wakeups }), inbox, clock, random, about })

  await engine.start(plans, hash, new AbortController().signal)
  const ran = engine.run()
  const targetIds = new Map<string, string>()
  const note = (added: readonly Plan[]) => {
    for (const { workload, targets } of added) targetIds.set(workload, targets[0]?.id ?? '')
  }
  note(plans)
  return {
    control,
    targetIds,
    async add(workloads) {
      all.push(...workloads)
      const next = parsed(options, all)
      note(plansOf(next))
      await engine.configure(plansOf(next), next.hash)
    },
    onAcknowledged: (listener) => void listeners.add(listener),
    async sweepNow() {
      await observer.observe(engine.book.active(), engine.book.subjects())
      wakeups.urgent([...targetIds.keys()])
    },
    events: (names, type, signal) => awaitEvents(control, names, type, signal),
    async stop() {
      await engine.stop('the benchmark is over')
      await ran
      await prober.close()
      await store.close()
    },
  }
}

function awaitEvents(
  control: Control,
  workloads: readonly string[],
  type: EventType,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>()
  const wanted = new Set(workloads)
  const seen = new Map<string, number>()
  const stopListening = control.onCommit((rows) => {
    const nowMs = performance.now()
    for (const { event } of rows) {
      if (event.workload === null || !wanted.has(event.workload)) continue
      if (event.type === 'command-refused') reject(new Error(`${event.workload}: ${event.problem.cause}`))
      if (event.type === type) seen.set(event.workload, nowMs)
    }
    if (seen.size === wanted.size) resolve(seen)
  })
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  return promise.finally(() => {
    stopListening()
    signal.removeEventListener('abort', abort)
  })
}

/** The kind, and a note of each write that the provider took. */
function timed(kind: TrafficKind, onAcknowledged: (write: Acknowledged) => void): TrafficKind {
  return {
    ...kind,
    open(targets, account, context) {
      const scope = kind.open(targets, account, context)
      return {
        ...scope,
        read: (targetIds, signal) => scope.read(targetIds, signal),
        async write(changes, signal) {
          const begunMs = performance.now()
          const results = await scope.write(changes, signal)
          onAcknowledged({ changes: changes.filter(applied(results)), begunMs, endedMs: performance.now() })
          return results
        },
        close: () => scope.close(),
      }
    },
  }
}

function applied(results: ReadonlyMap<string, WriteResult>) {
  return ({ targetId }: WeightChange) => results.get(targetId)?.kind === 'applied'
}

/** Every workload serves well in both clusters. It answers from memory: reaction is not the source's time. */
function healthySource(workloads: () => readonly HouseWorkload[]): MetricSource {
  const counts = { kind: 'counts', total: 1000, bad: 0, latencies: null } as const
  const groups = () =>
    new Map(
      workloads().flatMap(({ name }) => Object.values(CLUSTERS).map((cluster) => [groupKey(cluster, name), counts])),
    )
  return {
    poll: async (slis, tick) =>
      new Map(slis.map((sli): [typeof sli, SliVector] => [sli, { kind: 'vector', ...tick, groups: groups() }])),
    history: async () => [],
    close: async () => {},
  }
}

function parsed(options: HouseOptions, workloads: readonly HouseWorkload[]): Config {
  const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }
  const result = parseConfig(configText(options, workloads), 'bench.yaml', kinds, options.env)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

/** JSON is YAML. Steps hold for longer than any benchmark runs: whatever moves a weight is the benchmark's command. */
function configText(
  { providers = {}, firstWeight = '10%' }: HouseOptions,
  workloads: readonly HouseWorkload[],
): string {
  return JSON.stringify({
    apiVersion: 'headgate/v1',
    migration: 'bench',
    clusters: CLUSTERS,
    // Never asked: the source that answers from memory stands in for it.
    sources: { prometheus: { url: 'http://127.0.0.1:9' } },
    slis: {
      availability: { objective: '99.9%', total: 'http_requests_total', bad: 'http_requests_total{code=~"5.."}' },
    },
    policies: {
      bench: {
        steps: [
          { weight: firstWeight, hold: '24h' },
          { weight: '100%', hold: '24h' },
        ],
      },
    },
    policy: 'bench',
    providers,
    workloads,
  })
}
