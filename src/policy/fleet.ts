import type { FleetPlan, Signal, Wave } from '../core/fleet-plan.ts'
import type { Path } from './finding.ts'
import type { Kinds } from './kinds.ts'
import type { ParsedConfig } from './schema.ts'
import { CRITICALITIES, SIGNAL_IDS, type SignalSettings } from './schema-fleet.ts'
import { clusterLabelOf, type StandardSignal, standardSignals } from './signals.ts'

/** The wave of the workloads that are in no other. */
export const REST = 'rest'

/** What holds for the migration as a whole, of a config that passed every check. */
export function fleetPlanOf(config: ParsedConfig, kinds: Kinds): FleetPlan {
  const { migration, clusters, fleet } = config
  const signals = wantedSignals(config).map(({ signal: { query, ...signal } }): Signal => {
    if (query === null) throw new Error(`no query for ${signal.id}: the checks let a config pass that they should not`)
    return { ...signal, query }
  })
  return {
    migration,
    clusters,
    waves: wavesOf(config),
    concurrency: fleet.concurrency ?? null,
    spacingSeconds: fleet.spacing,
    canaryFirst: fleet.canaryFirst,
    breaker: fleet.breaker ? { reverts: fleet.breaker.reverts, withinSeconds: fleet.breaker.within } : null,
    signals,
    signalSource: signals.length === 0 ? '' : (signalSourceOf(config, kinds) ?? ''),
  }
}

/** The waves of the config, and that of the rest, if there is a rest. */
export function wavesOf({ fleet, workloads }: ParsedConfig): readonly Wave[] {
  const criticality = new Map(workloads.map((workload) => [workload.name, CRITICALITIES[workload.criticality]]))
  const listed = new Set(fleet.waves.flatMap((wave) => wave.workloads))
  const rest = workloads.map(({ name }) => name).filter((name) => !listed.has(name))
  const waves =
    rest.length > 0 ? [...fleet.waves, { name: REST, workloads: rest, concurrency: undefined }] : fleet.waves
  return waves.map(({ name, workloads: names, concurrency }) => ({
    name,
    members: names.map((workload) => ({ workload, criticality: criticality.get(workload) ?? CRITICALITIES.normal })),
    concurrency: concurrency ?? null,
  }))
}

/** The source that can read signals; null: none that is configured can. */
export function signalSourceOf({ sources }: ParsedConfig, kinds: Kinds): string | null {
  const able = kinds.sources.find(({ kind, measures }) => sources[kind] !== undefined && measures.includes('value'))
  return able?.kind ?? null
}

/** A signal that the config wants, which may lack its query, and where the config says so. */
export interface WantedSignal {
  readonly signal: Omit<Signal, 'query'> & { readonly query: string | null }
  readonly path: Path
}

export function wantedSignals(config: ParsedConfig): readonly WantedSignal[] {
  const { signals } = config.fleet
  if (signals === undefined) return []
  const clusterLabel = clusterLabelOf(config)
  const standard = standardSignals(config)
  const path = ['fleet', 'signals']
  if (signals === 'standard') return SIGNAL_IDS.map((id) => ({ signal: { id, clusterLabel, ...standard[id] }, path }))
  const known = SIGNAL_IDS.flatMap((id): WantedSignal[] => {
    const settings = signals[id]
    return settings === undefined
      ? []
      : [{ signal: { id, clusterLabel, ...merged(settings, standard[id]) }, path: [...path, id] }]
  })
  const own = Object.entries(signals.own).map(([id, settings]): WantedSignal => {
    const none = { title: id, query: null, bound: { max: 0 }, unit: '', forSeconds: 0, ofTraffic: false }
    return { signal: { id, clusterLabel, ...merged(settings, none) }, path: [...path, 'own', id] }
  })
  return [...known, ...own]
}

function merged(settings: SignalSettings, standard: StandardSignal): StandardSignal {
  return {
    title: settings.title ?? standard.title,
    query: settings.query ?? standard.query,
    bound: boundOf(settings.bound, standard.bound),
    unit: settings.unit ?? standard.unit,
    forSeconds: settings.forSeconds ?? standard.forSeconds,
    ofTraffic: settings.ofTraffic ?? standard.ofTraffic,
  }
}

/** What a relative bound does not say comes from the standard's, or adds nothing. */
function boundOf(written: SignalSettings['bound'], standard: Signal['bound']): Signal['bound'] {
  if (written === null) return standard
  if (!('timesOld' in written)) return written
  const usual = 'timesOld' in standard ? standard : { timesOld: 1, plus: 0 }
  return { timesOld: written.timesOld ?? usual.timesOld, plus: written.plus ?? usual.plus }
}
