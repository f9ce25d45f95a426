import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { createFetchJson } from './api/fetch-json.ts'
import { followOidc } from './api/oidc.ts'
import { createApi, listenAt } from './api/server.ts'
import { openTls } from './api/tls.ts'
import { ClusterNotes } from './cluster/notes.ts'
import { openClusters } from './cluster/open.ts'
import { folderOf, loadConfig, printsOf, watchConfig } from './config.ts'
import type { ProblemJson } from './core/problem.ts'
import { createAlertIntake } from './engine/alerts.ts'
import { createControl, ownViews } from './engine/control.ts'
import { createQuotas } from './engine/quotas.ts'
import { createResiduals } from './engine/residuals.ts'
import { ShardKeeper } from './engine/shard-keeper.ts'
import { createTimer } from './engine/timer.ts'
import { Notifier } from './notify/notifier.ts'
import { channelKinds } from './notify/registry.ts'
import type { Reloaded } from './policy/changes.ts'
import { type ApiConfig, plansOf } from './policy/config.ts'
import type { AdapterContext } from './ports/kind.ts'
import { gatherReport } from './report/gather.ts'
import { renderReport } from './report/render.ts'
import { asReloaded, RunningConfig } from './running-config.ts'
import { createRooms } from './shard-rooms.ts'
import { resolveSecret } from './shared/secret.ts'
import { readVersion } from './shared/version.ts'
import { createSilenceApi } from './silence/api.ts'
import { SilenceKeeper } from './silence/keeper.ts'
import { createProber } from './sources/probe/prober.ts'
import { openSources, openSynthetics, sourceKinds } from './sources/registry.ts'
import { openStore } from './store/open.ts'
import { createAudit } from './telemetry/audit.ts'
import { createEventLog } from './telemetry/event-log.ts'
import { createLog, type LogLevel } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createRandom, freshKey, systemClock } from './telemetry/runtime.ts'
import { NO_TRACING, openTracing, type Tracing } from './telemetry/tracing.ts'
import { trafficKinds } from './traffic/registry.ts'
import { openBullWakes } from './wake/bullmq.ts'
import { createTimerWakeups } from './wake/timer.ts'

export interface ServiceOptions {
  /** A file, or a folder of files with a migration each. */
  readonly configPath: string
  readonly env: NodeJS.ProcessEnv
  readonly logLevel: LogLevel
}

/** A running service. */
export interface Service {
  /** Where its API listens. */
  readonly url: string
  /** Reads the config again; a bad one is refused, journaled, and the old one stays. */
  reload(): Promise<Reloaded>
  /** Ends in order; resolves when everything is closed. Calling it again waits for the same end. */
  stop(reason: string): Promise<void>
  /** Settles when the service has stopped; rejects on a fault that it cannot live with. */
  readonly done: Promise<void>
}

/** Between two tries to take a config that the store could not take, ms. */
const RELOAD_AGAIN_MS = 5_000

const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }

/**
 * Starts Headgate, with the embedded store or the one in Redis, and resolves when its API listens. Rejects with the config's
 * problems (a `ConfigError`), or with STORE_….
 */
export async function runService({ configPath, env, logLevel }: ServiceOptions): Promise<Service> {
  const loaded = await loadConfig(configPath, kinds, env)
  if (!loaded.ok) throw new ConfigError(loaded.problems)
  const running = new RunningConfig(loaded, { path: configPath, kinds, env })
  const { config } = running
  // Before anything else reads what is to be watched.
  const prints = await printsOf(configPath, running.named)

  const clock = systemClock
  const random = createRandom(clock)
  const secret = (reference: string) => resolveSecret(reference, env)
  const opened = await openStore(config, await folderOf(configPath), { secret, newId: () => random.id() })
  const { store, inbox, shards, journal, cursors, runId } = opened
  let tracer: Tracing = NO_TRACING
  const log = createLog({
    ...{ level: logLevel, migration: () => running.onlyMigration(), runId },
    traceId: () => tracer.traceId(),
  })
  for (const advice of opened.advice) log.warn({ store: opened.place }, advice)
  const quotas = createQuotas(clock, opened.allowances?.({ clock, log }))
  const timer = createTimer(clock)
  const startedAtMs = clock.nowMs()
  const version = readVersion()
  const about = () => ({ ...running.about(), version, startedAtMs })

  const metrics = createMetrics({ version, clock })
  const { meter } = metrics
  tracer = await openTracing(config.tracing, { clock, log, secret, runId, version, count: metrics.spans })
  const context: AdapterContext = { clock, log, quotas, tracer, secret }
  const { sweepSeconds } = config
  const replica = `${hostname()}:${process.pid}:${random.id()}`
  const sources = openSources(config.sources, context)
  const synthetics = openSynthetics(config.sources, context)
  const prober = createProber(context)
  const clusters = openClusters(() => running.rules(), { clock, random, log })
  const { redis } = config
  const wakes = redis && (await openBullWakes({ redis, sweepSeconds, clock, log, secret }))
  const rooms = createRooms({
    ...{ shards, replica, running, config, context, clusters, sources, synthetics, prober, random, meter, timer },
    ...{ runId, version },
    wakeupsOf: (shard) => wakes?.of(shard) ?? createTimerWakeups(clock, sweepSeconds, { first: 'at once' }),
  })
  const keeper = new ShardKeeper(
    { plans: plansOf(config), hash: config.hash },
    { shards, replica, clock, log, open: rooms.open, see: rooms.see, wake: (shard) => wakes?.urgent(shard) },
  )
  const control = createControl({ desk: keeper, inbox, clock, random, about })
  metrics.observe({
    ...ownViews(keeper, () => running.about().migrations),
    levels: quotas.levels,
    stands: () => keeper.stands(),
  })
  const planOf = (workload: string) => keeper.planOf(workload)
  const migrationOf = (workload: string) => planOf(workload)?.migration ?? null
  keeper.onCommit(createEventLog(log, migrationOf))
  const notes = new ClusterNotes({ clusters: clusters.of, planOf, clock, log })
  keeper.onCommit((rows) => notes.take(rows))
  const silences = new SilenceKeeper({
    api: createSilenceApi({ clock, secret }),
    settings: () => running.config.alertmanager,
    states: () => keeper.decided().map(({ state }) => state),
    isLeading: () => keeper.decided().length > 0,
    decides: (workload) => keeper.decides(workload),
    ...{ runId, clock, log },
  })
  keeper.onCommit(() => silences.wake())
  const notifier = new Notifier({
    ...{ journal, cursors, clock, random, log, context, planOf, kinds: channelKinds },
    migrationOf,
    mayTell: () => keeper.isLeading(),
    count: metrics.notification,
  })
  keeper.onCommit(() => notifier.wake())
  const notify = () => notifier.use(running.config.notify, running.config.api.publicUrl)
  meter.reload(true)
  const fetchJson = createFetchJson()
  const folder = await folderOf(configPath)
  const tls = openTls({ paths: () => running.config.api.tls, folder, log })
  const auditFile = ({ auditPath }: ApiConfig) => (auditPath === null ? null : resolve(folder, auditPath))
  const api = await createApi({
    control,
    journal,
    residuals: createResiduals(sources, clock),
    alerts: createAlertIntake({ inbox, wakeups: keeper }),
    alertmanager: () => running.config.alertmanager,
    metrics: { contentType: metrics.registry.contentType, text: () => metrics.registry.metrics() },
    report: async ({ format, migration, plotPath }) => {
      const { migrations } = running.config
      const made = await gatherReport({ journal, subjects: control.workloads(), migrations }, migration, clock.nowMs())
      return renderReport(made, format, plotPath)
    },
    host: config.api.host,
    trustedProxies: config.api.trustedProxies,
    tls,
    tokens: () => running.config.api.tokens,
    clients: () => running.config.api.clients,
    oidc: followOidc(() => running.config.api.oidc, { fetchJson, clock, log }),
    rates: () => running.config.api.limits,
    session: () => running.config.api.session,
    startKey: freshKey(),
    publicUrl: () => running.config.api.publicUrl,
    teamOf: (workload) => running.teamOf(workload),
    audit: createAudit(() => auditFile(running.config.api), log),
    reload: () => reload(),
    secret,
    clock,
    random,
    log,
  })

  const stopping = new AbortController()
  const closeAll = async () => {
    await api.close()
    await fetchJson.close()
    await Promise.all([...sources.values(), ...synthetics.values()].map((source) => source.close()))
    await prober.close()
    await notes.close()
    await silences.close()
    await notifier.close()
    await clusters.close()
    await tracer.close()
    await wakes?.close()
    await store.close()
  }
  const url = await listenAt(api, config.api, tls)
  log.info({ url, config: configPath, store: opened.place }, 'Headgate listens')

  const reload = async () => {
    const reloaded = await running.reload(keeper).catch(asReloaded)
    const { problems } = reloaded
    meter.reload(problems.length === 0)
    // Also of a config that stays: a certificate must not run out because of a mistake elsewhere.
    tls?.refresh()
    await notify()
    for (const one of problems) log.warn({ problem: one }, 'the new config is refused; the old one stays')
    return reloaded
  }
  const main = async () => {
    const ran = keeper.run()
    await Promise.race([ran, keeper.hasBegun])
    if (!stopping.signal.aborted) await notify()
    await ran
  }
  const ran = main()
  // Where the store is away, a config waits for its turn.
  const reloadInTurn = async () => {
    while ((await reload()).problems.some(({ code }) => code.startsWith('STORE_')) && !stopping.signal.aborted)
      await clock.sleep(RELOAD_AGAIN_MS, stopping.signal)
  }
  const watching = watchConfig(
    configPath,
    () => [...running.named, ...(tls?.files() ?? [])],
    clock,
    reloadInTurn,
    stopping.signal,
    prints,
  )

  let stopped: Promise<void> | null = null
  const stop = (reason: string) => {
    stopped ??= (async () => {
      stopping.abort()
      await keeper.stop(reason)
      await Promise.allSettled([ran, watching])
      await closeAll()
      log.info({ reason }, 'Headgate stopped')
    })()
    return stopped
  }
  return { url, reload, stop, done: ran.then(() => stopped ?? stop('the work ended')) }
}

/** A config that was refused, with all that is wrong with it. */
export class ConfigError extends Error {
  readonly problems: readonly ProblemJson[]

  constructor(problems: readonly ProblemJson[]) {
    super(`the config has ${problems.length} problems`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}
