import type { BurnPair, Plan, PlanStep } from '../core/plan.ts'
import type { Hook } from '../core/task.ts'
import { type ResolvedDrain, resolveDrain } from './drain.ts'
import { evidenceFindings, type PickSetting, type ResolvedEvidence, resolveEvidence } from './evidence.ts'
import type { Finding } from './finding.ts'
import { planHook } from './hooks.ts'
import { type ResolvedCapacity, resolveCapacity } from './kubernetes.ts'
import { type ResolvedPreflight, resolvePreflight } from './preflight.ts'
import { isPresetName, PRESETS, readPreset } from './presets.ts'
import type { PolicySettings } from './schema-policy.ts'
import { planSteps } from './steps.ts'
import { suggestion } from './suggest.ts'

/** A policy with everything said. */
export interface ResolvedPolicy
  extends Pick<
    Plan,
    | 'safeWeightPercent'
    | 'bakeSeconds'
    | 'drainSeconds'
    | 'minRequests'
    | 'blindAfterSeconds'
    | 'drift'
    | 'shareTolerancePercent'
    | 'stuckAfterSeconds'
  > {
  readonly evidence: ResolvedEvidence
  readonly drain: ResolvedDrain['drain']
  readonly capacity: ResolvedCapacity
  /** A warm-up has no probes yet: they are the workload's. */
  readonly steps: readonly PlanStep[]
  readonly hooks: readonly Hook[]
  readonly burnRate: readonly BurnPair[]
  readonly preflight: ResolvedPreflight
  readonly probes: { readonly failures: number; readonly passes: number; readonly then: 'halt' | 'revert' }
}

export interface ResolvedPolicies {
  readonly byName: ReadonlyMap<string, ResolvedPolicy>
  readonly findings: readonly Finding[]
}

type Own = Readonly<Record<string, PolicySettings>>

/** Lays each own policy over what it extends; in the end all rest on a preset. */
export function resolvePolicies(own: Own): ResolvedPolicies {
  const byName = new Map(PRESETS.map((name) => [name as string, resolve([readPreset(name).settings])]))
  const findings: Finding[] = []
  for (const name of Object.keys(own)) {
    const layers = layersOf(name, own)
    if (Array.isArray(layers)) {
      const policy = resolve(layers)
      byName.set(name, policy)
      findings.push(
        ...safeWeightFindings(name, policy, own[name]),
        ...evidenceFindings(name, policy.evidence, own[name]),
      )
    } else findings.push(layers)
  }
  return { byName, findings }
}

/** The policy and what it extends, the nearest first; or why that does not end at a preset. */
function layersOf(name: string, own: Own): PolicySettings[] | Finding {
  if (isPresetName(name))
    return {
      code: 'CONFIG_DUPLICATE',
      cause: `"${name}" is the name of a preset`,
      hint: `choose another name; \`extends: ${name}\` takes the rest from the preset`,
      path: ['policies', name],
      on: 'key',
    }
  const chain: string[] = []
  const layers: PolicySettings[] = []
  let current = name
  for (;;) {
    if (isPresetName(current)) return [...layers, readPreset(current).settings]
    const settings = own[current]
    if (!settings) return unknownParent(chain.at(-1) ?? name, current, own)
    if (chain.includes(current)) return cycle([...chain.slice(chain.indexOf(current)), current])
    chain.push(current)
    layers.push(settings)
    current = settings.extends ?? 'standard'
  }
}

function unknownParent(child: string, parent: string, own: Own): Finding {
  return {
    code: 'CONFIG_NOT_FOUND',
    cause: `no policy is called "${parent}"`,
    hint: suggestion(parent, [...PRESETS, ...Object.keys(own).filter((name) => name !== child)]),
    path: ['policies', child, 'extends'],
  }
}

// Told once, at the first of the cycle by name, wherever the walk began.
function cycle(chain: readonly string[]): Finding {
  const names = chain.slice(1)
  const first = [...names].sort()[0] ?? ''
  const at = names.indexOf(first)
  const ordered = [...names.slice(at), ...names.slice(0, at), first]
  return {
    code: 'CONFIG_CYCLE',
    cause: `these policies extend each other: ${ordered.join(' → ')}`,
    hint: 'remove one `extends` of the cycle',
    path: ['policies', first, 'extends'],
  }
}

function resolve(layers: readonly PolicySettings[]): ResolvedPolicy {
  const pick: PickSetting = (read) => {
    for (const layer of layers) {
      const value = read(layer)
      if (value !== undefined) return value
    }
    throw new Error('a preset leaves something out')
  }
  return {
    steps: planSteps(pick((layer) => layer.steps)),
    hooks: (layers.find(({ hooks }) => hooks !== undefined)?.hooks ?? []).map(planHook),
    safeWeightPercent: pick((layer) => layer.safeWeight),
    bakeSeconds: pick((layer) => layer.bake),
    ...resolveDrain(layers),
    minRequests: pick((layer) => layer.minRequests),
    burnRate: pick((layer) => layer.burnRate).map(({ long, short, factor, then }) => {
      return { longSeconds: long, shortSeconds: short, factor, then }
    }),
    evidence: resolveEvidence(pick),
    probes: {
      failures: pick((layer) => layer.probes?.failures),
      passes: pick((layer) => layer.probes?.passes),
      then: pick((layer) => layer.probes?.then),
    },
    preflight: resolvePreflight(layers),
    capacity: resolveCapacity(pick),
    blindAfterSeconds: pick((layer) => layer.blindAfter),
    drift: pick((layer) => layer.drift),
    shareTolerancePercent: pick((layer) => (layer.share === 'off' ? null : layer.share?.tolerance)),
    stuckAfterSeconds: pick((layer) => (layer.share === 'off' ? undefined : layer.share?.stuckAfter)),
  }
}

function safeWeightFindings(name: string, policy: ResolvedPolicy, own: PolicySettings | undefined): Finding[] {
  const first = policy.steps[0]?.weightPercent
  // A trial is at 0 %: a revert from it must raise nothing, and may well stay there.
  if (first === undefined || policy.safeWeightPercent < first || policy.safeWeightPercent === 0) return []
  // Where neither is its own, the parent has the same finding.
  if (own?.safeWeight === undefined && own?.steps === undefined) return []
  return [
    {
      code: 'CONFIG_STEPS',
      cause: `the safe weight, ${policy.safeWeightPercent}%, is not below the first step, ${first}%`,
      hint: 'lower `safeWeight`, or start with a greater step',
      path: ['policies', name, own.safeWeight === undefined ? 'steps' : 'safeWeight'],
    },
  ]
}
