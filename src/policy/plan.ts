import type { Plan, PlanTarget, SliSpec } from '../core/plan.ts'
import type { Share } from '../shared/share.ts'
import { drainOf } from './drain.ts'
import { gatesOf } from './gates.ts'
import type { Hasher } from './hash.ts'
import type { Kinds } from './kinds.ts'
import { capacityOf, objectsOf } from './kubernetes.ts'
import type { ResolvedPolicies, ResolvedPolicy } from './policies.ts'
import { checksOf } from './preflight.ts'
import {
  probedOf,
  probeSpec,
  type ResolvedTarget,
  sliNamesOf,
  syntheticsOf,
  targetsOf,
  type Workload,
} from './resolve.ts'
import type { ParsedConfig } from './schema.ts'
import type { SliSettings } from './schema-sli.ts'

/** What the plans of a config have in common: parts that are equal are kept, and hashed, once. */
export interface Made {
  readonly share: Share
  readonly hashOf: Hasher
  /** By policy, SLIs and probes: what judges the workloads that have the same. */
  readonly judged: Map<string, Judged>
}

/** `specs` of the SLIs, without what a drain adds. */
interface Judged {
  readonly specs: readonly SliSpec[]
  readonly gates: Plan['gates']
}

/** The plan of a workload, of a config that passed every check. */
export function buildPlan(
  workload: Workload,
  config: ParsedConfig,
  policies: ResolvedPolicies,
  kinds: Kinds,
  made: Made,
): Plan {
  const { share } = made
  const name = workload.policy ?? config.policy
  const policy = policies.byName.get(name)
  if (!policy) throw new Error(`no policy ${name}: the checks let a config pass that they should not`)
  const {
    steps,
    burnRate: _pairs,
    probes: _probeRule,
    evidence: _numbers,
    capacity,
    hooks,
    preflight,
    drain,
    ...limits
  } = policy
  const { specs, gates } = judgedBy(workload, { config, policy, name, kinds, made })
  const { rule, connections } = drainOf(drain, specs, {
    workload: workload.name,
    cluster: config.clusters.old,
    drainSeconds: policy.drainSeconds,
  })
  const probes = workload.probes.map((probe, index) => probeSpec(probe, index, config))
  const { checks, checkRules } = checksOf(preflight, workload)
  const rest: Omit<Plan, 'hash'> = {
    migration: config.migration,
    workload: workload.name,
    clusters: config.clusters,
    policy: name,
    after: share(workload.after),
    steps: share(stepsOf(steps, probes)),
    ...limits,
    gates,
    targets: planTargets(workload.name, targetsOf(workload, kinds.traffic)),
    slis: connections.length === 0 ? specs : share([...specs, ...connections]),
    probes: share(probes),
    synthetics: share(syntheticsOf(workload)),
    objects: objectsOf(workload),
    checks: share(checks),
    checkRules: share(checkRules),
    hooks,
    capacity: capacityOf(workload, capacity),
    drain: share(rule),
  }
  return { hash: made.hashOf(rest), ...rest }
}

/** Those of the policy, which many workloads share, unless one asks the workload's own probes. */
function stepsOf(steps: ResolvedPolicy['steps'], probes: Plan['probes']): Plan['steps'] {
  const isOwn = steps.some(({ warm }) => warm !== null)
  return isOwn ? steps.map((step) => ({ ...step, warm: step.warm && { ...step.warm, probes } })) : steps
}

interface Judging {
  readonly config: ParsedConfig
  readonly policy: ResolvedPolicy
  /** The policy's. */
  readonly name: string
  readonly kinds: Kinds
  readonly made: Made
}

function judgedBy(workload: Workload, { config, policy, name, kinds, made }: Judging): Judged {
  const probed = probedOf(workload, config)
  const names = sliNamesOf(workload, config)
  const key = JSON.stringify([name, names, probed])
  let judged = made.judged.get(key)
  if (judged === undefined) {
    const slis = Object.entries(config.slis).filter(([sli]) => names.includes(sli))
    const sources = Object.keys(config.sources)
    const specs = slis.map(([sli, settings]) => sliSpec(sli, settings, sources, kinds))
    judged = { specs: made.share(specs), gates: made.share(gatesOf({ slis, probed, policy })) }
    made.judged.set(key, judged)
  }
  return judged
}

function sliSpec(name: string, settings: SliSettings, sources: readonly string[], kinds: Kinds): SliSpec {
  const source = settings.source ?? sources[0]
  if (source === undefined) throw new Error(`no source for ${name}: the checks let a config pass that they should not`)
  const { objectivePercent, labels, measure, origin } = settings
  const spec = { name, source, objectivePercent, labels, measure, ...(origin && { origin }) }
  if (measure.kind !== 'ask') return spec
  const usual = kinds.sources.find(({ kind }) => kind === source)?.usualWindowSeconds ?? null
  const windowSeconds = measure.windowSeconds ?? usual
  return { ...spec, measure: { ...measure, windowSeconds } }
}

/** Ids are workload, kind and place; the scope joins in where a workload has one place in several (a pair of proxies). */
function planTargets(workload: string, targets: readonly ResolvedTarget[]): PlanTarget[] {
  return targets.map(({ role, kind, scope, place, settings, timing }) => {
    const twins = targets.filter((other) => other.kind === kind && other.place === place)
    const id = `${workload}/${kind}/${place}${twins.length > 1 ? `@${scope.slice(kind.length + 1)}` : ''}`
    return { id, role, kind, scope, settings, ...timing }
  })
}
