import type { Json, PlanTarget, ProbeSpec, Sides } from '../core/plan.ts'
import type { SyntheticSpec } from '../core/synthetic.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ParsedConfig } from './schema.ts'
import type { ProbeSettings } from './schema-workload.ts'

export type Workload = ParsedConfig['workloads'][number]

/** SLIs that judge a workload: its own list, else the defaults', else all. */
export function sliNamesOf(workload: Workload, { defaults, slis }: ParsedConfig): readonly string[] {
  return workload.slis ?? defaults.slis ?? Object.keys(slis)
}

/** Where each side of a probe is asked: the defaults' addresses, each replaced by the probe's own. */
export function addressOf(probe: ProbeSettings, { defaults }: ParsedConfig): Sides<string | null> {
  const address = { ...defaults.probe.address, ...probe.address }
  return { old: address.old ?? null, new: address.new ?? null }
}

/** A probe's name: its own, or `probe-1`, `probe-2`, … by its place in the list. */
export function probeName(probe: ProbeSettings, index: number): string {
  return probe.name ?? `probe-${index + 1}`
}

/** A probe with all defaults. */
export function probeSpec(probe: ProbeSettings, index: number, config: ParsedConfig): ProbeSpec {
  return {
    name: probeName(probe, index),
    url: probe.url,
    method: probe.method,
    address: addressOf(probe, config),
    expectStatus: probe.expect.status,
    expectBody: probe.expect.body ?? null,
    slowerThanSeconds: probe.slowerThan,
    certificateDays: probe.certificateDays ?? null,
    allowAddresses: probe.allowAddresses,
  }
}

/** A workload's synthetics, with all defaults. */
export function syntheticsOf({ synthetics }: Workload): SyntheticSpec[] {
  const testOf = (test: Workload['synthetics'][number]['new']) =>
    test === undefined ? null : { id: test.test, location: test.location ?? null }
  return synthetics.map(({ name, source, old, new: fresh }) => ({
    name,
    source,
    test: { old: testOf(old), new: testOf(fresh) },
  }))
}

/** Names of the probes and synthetics that say something of NEW, in the order of the file. */
export function probedOf(workload: Workload, config: ParsedConfig): readonly string[] {
  const probes = workload.probes.map((probe, index) => probeSpec(probe, index, config))
  return [
    ...probes.filter(({ address }) => address.new !== null),
    ...syntheticsOf(workload).filter(({ test }) => test.new !== null),
  ].map(({ name }) => name)
}

export interface ResolvedTarget {
  readonly role: PlanTarget['role']
  readonly kind: string
  /** Unique over kinds. */
  readonly scope: string
  readonly place: string
  readonly settings: Json
  readonly timing: Pick<PlanTarget, 'propagationSeconds' | 'movingTtlSeconds'>
  /** Where the settings stand in the workload. */
  readonly path: readonly (string | number)[]
}

/** By workload: several rules, and its plan, ask for the same targets. */
const known = new WeakMap<Workload, { readonly kinds: unknown; readonly targets: readonly ResolvedTarget[] }>()

/** A workload's targets, in the order of the file. */
export function targetsOf(workload: Workload, kinds: readonly TrafficKindConfig[]): readonly ResolvedTarget[] {
  const before = known.get(workload)
  if (before?.kinds === kinds) return before.targets
  const targets = [
    ...targetsUnder('traffic', workload.traffic, kinds),
    ...targetsUnder('boomerang', workload.boomerang ?? {}, kinds),
  ]
  known.set(workload, { kinds, targets })
  return targets
}

function targetsUnder(
  key: 'traffic' | 'boomerang',
  byKind: Workload['traffic'],
  kinds: readonly TrafficKindConfig[],
): ResolvedTarget[] {
  return Object.entries(byKind).flatMap(([name, targets]) => {
    const kind = kinds.find((candidate) => candidate.kind === name)
    if (!kind) throw new Error(`no traffic kind ${name}: the schema knows more kinds than the plan`)
    return (targets ?? []).map(({ settings, path }) => ({
      role: key === 'traffic' ? 'split' : 'boomerang',
      kind: name,
      scope: `${name}:${kind.scopeOf(settings)}`,
      place: kind.placeOf(settings),
      settings,
      timing: kind.timingOf(settings),
      path: [key, name, ...path],
    }))
  })
}
