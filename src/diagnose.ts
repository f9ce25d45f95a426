import { createCluster } from './cluster/cluster.ts'
import { inspectCluster } from './cluster/inspect.ts'
import { clusterPrivileges, needsOf } from './cluster/privileges.ts'
import { type Missing, missing } from './core/observation.ts'
import type { Plan, PlanTarget, Side, SliSpec } from './core/plan.ts'
import { type ProblemJson, problem } from './core/problem.ts'
import { createQuotas } from './engine/quotas.ts'
import { channelKinds } from './notify/registry.ts'
import { adviceOf } from './policy/advice.ts'
import { type Config, type MigrationConfig, plansOf } from './policy/config.ts'
import type { AdapterContext, Privilege } from './ports/kind.ts'
import type { Clock, Log } from './ports/runtime.ts'
import {
  closedMs,
  groupKey,
  type MetricSource,
  type SliVector,
  type SourceKind,
  type SyntheticResult,
} from './ports/source.ts'
import { NO_TRACER } from './ports/tracer.ts'
import type { TrafficFinding, TrafficKind } from './ports/traffic.ts'
import { mapBounded } from './shared/bounded.ts'
import { byDeadline, within } from './shared/deadline.ts'
import { resolveSecret } from './shared/secret.ts'
import { sourceKinds } from './sources/registry.ts'
import { trafficKinds } from './traffic/registry.ts'

/** What one scope, or one source, may take, ms. */
const LOOK_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000
/** So many scopes at once: more would wait for their account's quota rather than for an answer, and seem late. */
const SCOPES_AT_ONCE = 16
/** So many synthetic tests at once: their API has a limit of its own. */
const TESTS_AT_ONCE = 4
/** So many names are listed where many are meant. */
const NAMES_TOLD = 3

/** What came of looking at one thing. */
export interface Check {
  readonly kind: 'target' | 'sli' | 'synthetic' | 'cluster' | 'api'
  /** A target's id, a source and one of its SLIs, a synthetic test of a workload, a cluster's name, or `api`. */
  readonly about: string
  /** `fail`: a rollout would not get on; `warn`: it would, but somebody should look. */
  readonly level: 'ok' | 'warn' | 'fail'
  readonly problems: readonly ProblemJson[]
}

export interface DiagnoseDeps {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly log: Log
  /** Ends it: the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Other kinds than the registries'; for tests. */
  readonly kinds?: DiagnoseKinds
}

interface DiagnoseKinds {
  readonly traffic: readonly TrafficKind[]
  readonly sources: readonly SourceKind[]
}

/** What each look needs. */
interface Look {
  readonly config: Config
  readonly context: AdapterContext
  readonly kinds: DiagnoseKinds
  readonly signal: AbortSignal
}

/**
 * Looks live at all that a config names, and writes nothing: every target, as its kind inspects it, every SLI, by one
 * query, and the API servers of the clusters. The checks come in the order of the config. What has not answered in half a minute fails.
 */
export async function diagnose(config: Config, deps: DiagnoseDeps): Promise<readonly Check[]> {
  const {
    clock,
    env,
    log,
    signal,
    kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds },
  } = deps
  const secret = (reference: string) => resolveSecret(reference, env)
  const context: AdapterContext = { clock, log, quotas: createQuotas(clock), tracer: NO_TRACER, secret }
  const look: Look = { config, context, kinds, signal }
  const targets = plansOf(config).flatMap((plan) => plan.targets)
  const scopes = [...Map.groupBy(targets, ({ scope }) => scope).values()]
  const [found, slis, synthetics, clusters] = await Promise.all([
    mapBounded(scopes, SCOPES_AT_ONCE, (scope) => inspectScope(scope, look)),
    Promise.all(Object.keys(config.sources).map((source) => checkSource(source, look))),
    Promise.all(Object.keys(config.sources).map((source) => checkSynthetics(source, look))),
    Promise.all(
      config.migrations.flatMap((migration) => [
        checkCluster(migration, 'old', look),
        checkCluster(migration, 'new', look),
      ]),
    ),
  ])
  signal.throwIfAborted()
  const findings = Map.groupBy(found.flat(), ({ targetId }) => targetId)
  // A finding about something else than the targets is nothing to keep silent about either.
  const ids = new Set([...targets.map(({ id }) => id), ...findings.keys()])
  return [
    ...[...ids].map((id) => targetCheck(id, findings.get(id) ?? [])),
    ...slis.flat(),
    ...synthetics.flat(),
    ...clusters.flat(),
    ...adviceOf(config).map((one): Check => ({ kind: 'api', about: 'api', level: 'warn', problems: [one] })),
  ]
}

/** The least that Headgate must be allowed to do for this config, by kind of provider and source, and in the clusters. No I/O. */
export function privilegesOf(
  config: Config,
  kinds: readonly TrafficKind[] = trafficKinds,
  sources: readonly SourceKind[] = sourceKinds,
): readonly (Privilege & { readonly kind: string })[] {
  const byKind = Map.groupBy(
    plansOf(config).flatMap(({ targets }) => targets),
    ({ kind }) => kind,
  )
  const ofTargets = [...byKind].flatMap(([name, targets]) => {
    const privileges = kindOf(name, kinds).privilegesFor(targets, config.providers[name])
    return privileges.map((privilege) => ({ kind: name, ...privilege }))
  })
  const ofSources = Object.entries(config.sources).flatMap(([name, settings]) => {
    const privileges = kindOf(name, sources).privilegesFor?.(settings) ?? []
    return privileges.map((privilege) => ({ kind: name, ...privilege }))
  })
  const ofClusters = config.migrations.flatMap(clusterPrivileges)
  return [...ofTargets, ...ofSources, ...ofClusters.map((privilege) => ({ kind: 'kubernetes', ...privilege }))]
}

function kindOf<T extends { readonly kind: string }>(name: string, kinds: readonly T[]): T {
  const kind = kinds.find((one) => one.kind === name)
  // The config check lets no other name pass.
  if (!kind) throw new Error(`no kind ${name}`)
  return kind
}

async function inspectScope(targets: readonly PlanTarget[], look: Look): Promise<readonly TrafficFinding[]> {
  const { config, context, kinds } = look
  const name = targets[0]?.kind ?? ''
  const ids = targets.map(({ id }) => id)
  const all = (why: ProblemJson) => ids.map((targetId): TrafficFinding => ({ targetId, level: 'fail', problem: why }))
  try {
    const adapter = kindOf(name, kinds.traffic).open(targets, config.providers[name], context)
    const late = () =>
      all(problem('TRAFFIC_TIMEOUT', `the provider did not answer within ${LOOK_TIMEOUT_MS / 1000} s`).toJSON())
    return await inTime(look, adapter, (deadline) => byDeadline(adapter.inspect(ids, deadline), deadline, late))
  } catch (error) {
    context.log.error({ kind: name, error }, 'a traffic adapter threw')
    return all(problem('TRAFFIC_BAD_ANSWER', 'the traffic adapter failed: see the log').toJSON())
  }
}

/** Does the work under a deadline, and closes what it was done with whatever comes of it. */
async function inTime<T>(
  { context: { clock, log }, signal }: Look,
  adapter: { close(): Promise<void> },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await within(clock, LOOK_TIMEOUT_MS, (deadline) => work(AbortSignal.any([deadline, signal])))
  } finally {
    await within(clock, CLOSE_TIMEOUT_MS, (deadline) =>
      byDeadline(adapter.close(), deadline, () => log.warn({}, 'an adapter does not close')),
    )
  }
}

function targetCheck(id: string, findings: readonly TrafficFinding[]): Check {
  const isFailing = findings.some(({ level }) => level === 'fail')
  return {
    kind: 'target',
    about: id,
    level: isFailing ? 'fail' : findings.length > 0 ? 'warn' : 'ok',
    problems: findings.map((finding) => finding.problem),
  }
}

/** One cluster's API server; nothing where no access to it is configured. */
async function checkCluster(
  { migration, clusters, kubernetes, plans }: MigrationConfig,
  side: Side,
  look: Look,
): Promise<readonly Check[]> {
  if (kubernetes === null) return []
  const cluster = createCluster(kubernetes[side], look.context)
  const findings = await inTime(look, cluster, (deadline) => inspectCluster(cluster, needsOf(plans, side), deadline))
  const level = findings.some((one) => one.level === 'fail') ? 'fail' : findings.length > 0 ? 'warn' : 'ok'
  const about = `${clusters[side]} (${side} of ${migration})`
  return [{ kind: 'cluster', about, level, problems: findings.map((finding) => finding.problem) }]
}

/** Whether each synthetic test that a config takes from a source is there, runs, and says something of now. */
async function checkSynthetics(name: string, look: Look): Promise<readonly Check[]> {
  const { config, context, kinds } = look
  const { synthetics } = kindOf(name, kinds.sources)
  const tests = plansOf(config).flatMap((plan) =>
    plan.synthetics
      .filter(({ source }) => source === name)
      .flatMap((spec) =>
        (['old', 'new'] as const).flatMap((side) => {
          const test = spec.test[side]
          return test === null ? [] : [{ about: `${plan.workload}/${spec.name} of ${plan.clusters[side]}`, test }]
        }),
      ),
  )
  if (!synthetics || tests.length === 0) return []
  const reader = synthetics.open(config.sources[name], context)
  const late = () => missing('timeout', `no answer within ${LOOK_TIMEOUT_MS / 1000} s`)
  return inTime(look, reader, (deadline) =>
    mapBounded(tests, TESTS_AT_ONCE, async ({ about, test }): Promise<Check> => {
      const said = await byDeadline<SyntheticResult | Missing>(reader.read(test, deadline), deadline, late)
      if (said.kind === 'result') return { kind: 'synthetic', about, level: 'ok', problems: [] }
      const why = problem('SOURCE_NO_ANSWER', `${said.why}: ${said.detail}`).toJSON()
      return { kind: 'synthetic', about, level: 'fail', problems: [why] }
    }),
  )
}

/** One poll answers for all SLIs of a source. */
async function checkSource(name: string, look: Look): Promise<readonly Check[]> {
  const { config } = look
  const plansBySli = new Map<string, { readonly spec: SliSpec; readonly plans: Plan[] }>()
  for (const plan of plansOf(config))
    for (const spec of plan.slis.filter(({ source }) => source === name)) {
      const key = JSON.stringify(spec)
      const entry = plansBySli.get(key) ?? { spec, plans: [] }
      entry.plans.push(plan)
      plansBySli.set(key, entry)
    }
  const entries = [...plansBySli.values()]
  if (entries.length === 0) return []
  const specs = entries.map(({ spec }) => spec)
  const vectors = await pollOnce(name, specs, look)
  return entries.map(({ spec, plans }) => {
    const namesakes = entries.filter((other) => other.spec.name === spec.name)
    // Several migrations may each have an SLI of that name.
    const whose = namesakes.length > 1 ? ` of ${[...new Set(plans.map(({ migration }) => migration))].join(', ')}` : ''
    const about = `${name}/${spec.name}${whose}`
    return sliCheck(about, spec, plans, vectors.get(spec) ?? missing('bad-answer', 'the source said nothing of it'))
  })
}

async function pollOnce(name: string, specs: readonly SliSpec[], look: Look): Promise<ReadonlyMap<SliSpec, SliVector>> {
  const { config, context, kinds } = look
  const all = (why: Missing) => new Map(specs.map((spec): [SliSpec, SliVector] => [spec, why]))
  try {
    const source: MetricSource = kindOf(name, kinds.sources).open(config.sources[name], context)
    const atMs = closedMs(source, context.clock.nowMs(), config.sweepSeconds)
    const tick = { sinceMs: atMs - config.sweepSeconds * 1000, atMs }
    const late = () => all(missing('timeout', `no answer within ${LOOK_TIMEOUT_MS / 1000} s`))
    return await inTime(look, source, (deadline) => byDeadline(source.poll(specs, tick, deadline), deadline, late))
  } catch (error) {
    context.log.error({ source: name, error }, 'a metric source threw')
    return all(missing('bad-answer', 'the metric source failed: see the log'))
  }
}

/** NEW may have no series before it has traffic; OLD, which serves all of it, has some or is not what is counted. */
function sliCheck(about: string, spec: SliSpec, plans: readonly Plan[], vector: SliVector): Check {
  const check = (level: Check['level'], problems: readonly ProblemJson[]): Check => ({
    kind: 'sli',
    about,
    level,
    problems,
  })
  if (vector.kind === 'missing')
    return check('fail', [problem('SOURCE_NO_ANSWER', `${vector.why}: ${vector.detail}`).toJSON()])
  const unseen = plans.filter(({ clusters, workload }) => !vector.groups.has(groupKey(clusters.old, workload)))
  if (unseen.length === 0) return check('ok', [])
  const old = unseen[0]?.clusters.old ?? ''
  const names = unseen.slice(0, NAMES_TOLD).map(({ workload }) => workload)
  const rest = unseen.length > names.length ? ` and ${unseen.length - names.length} more` : ''
  const { cluster, workload } = spec.labels
  const cause = `no series with ${cluster}="${old}" and ${workload} = ${names.join(', ')}${rest}`
  return check('warn', [problem('SOURCE_NO_SERIES', cause).toJSON()])
}
