import { openClusters } from './cluster/open.ts'
import type { CheckReading, PlanCheck } from './core/check.ts'
import type { TargetReading } from './core/observation.ts'
import type { Plan } from './core/plan.ts'
import { createQuotas } from './engine/quotas.ts'
import { Scopes } from './engine/scopes.ts'
import { SliWatch } from './engine/sli-watch.ts'
import { createTimer } from './engine/timer.ts'
import { type Config, plansOf } from './policy/config.ts'
import type { AdapterContext } from './ports/kind.ts'
import type { Clock, Log, Meter, Random } from './ports/runtime.ts'
import { NO_TRACER } from './ports/tracer.ts'
import { createBudgetMemory } from './preflight/budget-memory.ts'
import { createChecker } from './preflight/checker.ts'
import { mapBounded } from './shared/bounded.ts'
import { byDeadline, within } from './shared/deadline.ts'
import { resolveSecret } from './shared/secret.ts'
import { createCertificateReader } from './sources/probe/certificate.ts'
import { createProber } from './sources/probe/prober.ts'
import { openSources, promqlKindOf } from './sources/registry.ts'
import { trafficKinds } from './traffic/registry.ts'

/** What the targets and SLIs may take, and then again what the checks may take, ms. */
const LOOK_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000
const SCOPES_AT_ONCE = 16
/** Between the two looks at a source that counts from its first one on, ms. */
const BETWEEN_MS = 2_000

export interface LookAheadDeps {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly log: Log
  /** Ends it: the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal
  readonly random: Random
}

/** What was found of one workload, in the order of its plan's checks. */
export interface LookedAhead {
  readonly plan: Plan
  readonly checks: readonly (PlanCheck & { readonly reading: CheckReading })[]
}

/** Looks live, and without writing, at all checks of these workloads, as a service would before it starts them. */
export async function lookAhead(
  config: Config,
  isWanted: (plan: Plan) => boolean,
  deps: LookAheadDeps,
): Promise<readonly LookedAhead[]> {
  const { clock, env, log, random, signal } = deps
  const secret = (reference: string) => resolveSecret(reference, env)
  const context: AdapterContext = { clock, log, quotas: createQuotas(clock), tracer: NO_TRACER, secret }
  const plans = plansOf(config).filter(isWanted)
  const sources = openSources(config.sources, context)
  const slis = new SliWatch(sources, config.sweepSeconds, {
    ...{ log, meter: NO_METER, timer: createTimer(clock), tracer: NO_TRACER },
  })
  const prober = createProber(context)
  const clusters = openClusters(() => config.migrations, { clock, random, log })
  const bounded = <T>(work: (signal: AbortSignal) => Promise<T>) =>
    within(clock, LOOK_TIMEOUT_MS, (deadline) => work(AbortSignal.any([deadline, signal])))
  try {
    slis.watch(plans)
    const [targets] = await bounded((deadline) =>
      Promise.all([readTargets(plans, config, context, deadline), pollTwice(slis, plans, clock, deadline)]),
    )
    const checker = createChecker({
      clustersOf: clusters.of,
      sources,
      promql: promqlKindOf([...sources.keys()]),
      prober,
      certificates: createCertificateReader(clock),
      sli: (plan, spec) => slis.reading(plan, spec, 0),
      target: (id) => targets.get(id),
      budget: createBudgetMemory(sources, clock),
      clock,
      log,
    })
    const watched = plans.map((plan) => ({ plan, phase: 'preflight' }) as const)
    await bounded((deadline) => checker.look(watched, deadline))
    signal.throwIfAborted()
    return plans.map((plan) => withReadings(plan, checker.readings(plan)))
  } finally {
    await within(clock, CLOSE_TIMEOUT_MS, (deadline) => {
      const closing = Promise.allSettled([
        prober.close(),
        clusters.close(),
        ...[...sources.values()].map((source) => source.close()),
      ])
      return byDeadline<unknown>(closing, deadline, () => log.warn({}, 'a source does not close'))
    })
  }
}

/** What counts from its first look on tells something at the second. */
async function pollTwice(slis: SliWatch, plans: readonly Plan[], clock: Clock, signal: AbortSignal): Promise<void> {
  await slis.poll(clock.nowMs(), signal)
  const isYoung = (plan: Plan) =>
    plan.slis.some((spec) => {
      const reading = slis.reading(plan, spec, 0)
      const fresh = reading.kind === 'counts' ? reading.tick.new : reading
      return 'kind' in fresh && fresh.kind === 'missing' && fresh.why === 'no-baseline'
    })
  if (!plans.some(isYoung)) return
  await clock.sleep(BETWEEN_MS, signal)
  await slis.poll(clock.nowMs(), signal)
}

async function readTargets(
  plans: readonly Plan[],
  config: Config,
  context: AdapterContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TargetReading>> {
  const { clock } = context
  const deps = { meter: NO_METER, timer: createTimer(clock), accounts: config.providers }
  const scopes = new Scopes(trafficKinds, context, deps)
  scopes.use(plans)
  const read = await mapBounded(scopes.namesOf(plans), SCOPES_AT_ONCE, (name) =>
    scopes.read(name, clock.nowMs(), 'forward', signal),
  )
  await scopes.close()
  return new Map(read.flatMap(({ readings }) => [...readings]))
}

function withReadings(plan: Plan, readings: Readonly<Record<string, CheckReading>>): LookedAhead {
  const checks = plan.checks.map((check) => {
    const reading = readings[check.id]
    if (reading === undefined) throw new Error(`the check ${check.id} was not looked at`)
    return { ...check, reading }
  })
  return { plan, checks }
}

/** A look by hand is measured by nobody. */
const NO_METER: Meter = { sweep: () => {}, call: () => {}, events: () => {}, reload: () => {} }
