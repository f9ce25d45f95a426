import { z } from 'zod'
import type { FleetPlan } from '../core/fleet-plan.ts'
import type { Plan } from '../core/plan.ts'
import { plansOf } from '../policy/config.ts'
import { parseConfigs } from '../policy/parse.ts'
import { type Chapter, type ConfigTexts, VARIANTS } from './variants.ts'

export const SWEEP_SECONDS = 10
export const OBSERVE_TIMEOUT_SECONDS = 5
export const CLUSTERS = { old: 'blue', new: 'green' } as const

/** Of places that are names: before anything moves, and while it does. */
export const TTL_SECONDS = { before: 60, moving: 20 } as const

/** What a target's settings say in the simulated provider. */
export const simulatedSettings = z.strictObject({
  scope: z.string(),
  place: z.string(),
  ttl: z.boolean().prefault(false),
})
export type SimulatedSettings = z.output<typeof simulatedSettings>

/** What the kind of simulated provider is to the config. */
export const SIMULATED_TRAFFIC = {
  kind: 'sim',
  settings: simulatedSettings,
  account: null,
  scopeOf: ({ scope }: SimulatedSettings) => scope,
  placeOf: ({ place }: SimulatedSettings) => place,
  timingOf: ({ ttl }: SimulatedSettings) => ({
    propagationSeconds: 0,
    movingTtlSeconds: ttl ? TTL_SECONDS.moving : null,
  }),
  nearestWeights: (weightPercent: number) => [weightPercent],
  trials: ['mirror'],
} as const

const KINDS = {
  traffic: [SIMULATED_TRAFFIC],
  sources: [{ kind: 'sim', settings: z.strictObject({}), measures: ['selector' as const] }],
  channels: [],
}

/** A config as all its files say it at one time. */
export interface Version {
  readonly plans: readonly Plan[]
  readonly fleets: readonly FleetPlan[]
  readonly hash: string
}

/** A config that seeds choose among, with what it becomes while it runs. */
export interface SimulatedConfig {
  readonly first: Version
  /** In the order in which they come; empty: it stays as it is. */
  readonly later: readonly Version[]
  readonly newest: Version
  /** Of every workload that it ever has, as the first version that has it says. */
  readonly plans: readonly Plan[]
  /** The simulated provider's names of what they write to. */
  readonly scopes: readonly string[]
}

/** Those that stay as they are, and those that are edited. */
export const STEADY_NAMES = Object.keys(VARIANTS).filter((name) => VARIANTS[name]?.length === 1)
export const EDITED_NAMES = Object.keys(VARIANTS).filter((name) => VARIANTS[name]?.length !== 1)

const read = new Map<string, SimulatedConfig>()

/** The config of this name; read once, since reading it takes longer than simulating it. */
export function configOf(name: string): SimulatedConfig {
  const known = read.get(name) ?? readConfig(name)
  read.set(name, known)
  return known
}

function readConfig(name: string): SimulatedConfig {
  const [first, ...later] = (VARIANTS[name] ?? []).map(parse)
  if (!first) throw new Error(`there is no config ${name}`)
  const all = [first, ...later].flatMap(({ plans }) => plans)
  const plans = [...new Map(all.toReversed().map((plan) => [plan.workload, plan])).values()].reverse()
  const scopes = new Set(all.flatMap(({ targets }) => targets.map(({ scope }) => scopeNameOf(scope))))
  return { first, later, newest: later.at(-1) ?? first, plans, scopes: [...scopes].sort() }
}

/** What the simulated provider calls the scope of a plan. */
export function scopeNameOf(scope: string): string {
  return scope.split(':').at(-1) ?? ''
}

function parse(chapters: ConfigTexts): Version {
  const texts = chapters.map((chapter, index) => ({ file: `${chapter.name}.yaml`, text: textOf(chapter, index === 0) }))
  const parsed = parseConfigs(texts, KINDS, {})
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { migrations, hash } = parsed.config
  return { plans: plansOf(parsed.config), fleets: migrations.map(({ fleet }) => fleet), hash }
}

/** What is of the service stands in the first file. */
function textOf({ name, policy, fleet, sites }: Chapter, isFirst: boolean): string {
  const workloads = sites.map((site) => {
    const parts = [
      `name: ${site.name}`,
      `traffic: { sim: { scope: ${site.scope}, place: ${site.name}, ttl: ${site.ttl ?? false} } }`,
    ]
    return `  - { ${[...parts, ...(site.more === undefined ? [] : [site.more])].join(', ')} }`
  })
  const service = [`sweep: ${SWEEP_SECONDS}s`, `observeTimeout: ${OBSERVE_TIMEOUT_SECONDS}s`, 'sources: { sim: {} }']
  return [
    'apiVersion: headgate/v1',
    `migration: ${name}`,
    `clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }`,
    ...(isFirst ? service : []),
    'slis: { availability: { objective: 99%, total: requests, bad: failures } }',
    'policy: short',
    'policies:',
    '  short:',
    '    extends: fast',
    ...(policy?.startsWith('steps') ? [] : ['    steps: [{ weight: 10%, hold: 20s }, { weight: 100%, hold: 20s }]']),
    '    bake: 20s',
    '    drain: 20s',
    '    minRequests: 20',
    '    burnRate:',
    '      - { long: 1m, short: 20s, factor: 14.4, then: revert }',
    '      - { long: 2m, short: 30s, factor: 6, then: halt }',
    '    blindAfter: 1m',
    '    share: { tolerance: 5%, stuckAfter: 2m }',
    '    budget: { halt: 50%, revert: 80% }',
    // What OLD failed in bursts must not make proof too dear for a world that ends soon.
    '    evidence: { bursts: { assumed: 1, max: 3 } }',
    ...(policy === undefined ? [] : [`    ${policy}`]),
    ...(fleet === undefined ? [] : [`fleet: ${fleet}`]),
    'workloads:',
    ...workloads,
    '',
  ].join('\n')
}
