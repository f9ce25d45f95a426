import { z } from 'zod'
import type { FleetPlan } from '../core/fleet-plan.ts'
import type { Plan } from '../core/plan.ts'
import { parseConfig } from '../policy/parse.ts'

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
} as const

const KINDS = {
  traffic: [SIMULATED_TRAFFIC],
  sources: [{ kind: 'sim', settings: z.strictObject({}), measures: ['selector' as const] }],
  channels: [],
}

/** A migration that seeds choose among: small enough for thousands, and with what the engine can do with traffic. */
export interface Migration {
  readonly name: string
  readonly plans: readonly Plan[]
  readonly fleet: FleetPlan
  readonly hash: string
}

/** By name: what differs from the migration below. */
const VARIANTS: Readonly<Record<string, { policy?: string; fleet?: string; sites?: readonly Site[] }>> = {
  plain: {},
  correcting: { policy: 'drift: correct' },
  approving: { policy: 'steps: [{ weight: 10%, hold: 20s }, { weight: 100%, hold: 20s, approval: true }]' },
  keepingWarm: { policy: 'safeWeight: 5%' },
  hooked: {
    policy: `hooks: [${HOOK('before', 'before-step', 'hold')}, ${HOOK('after', 'after-step', 'revert')}]`,
  },
  named: {
    sites: [
      { name: 'a', scope: 'z1', ttl: true },
      { name: 'b', scope: 'z1', ttl: true },
      { name: 'c', scope: 'z2' },
    ],
  },
  waves: { fleet: '{ concurrency: 1, breaker: { reverts: 2, within: 10m } }' },
  probed: {
    sites: [
      { name: 'a', scope: 'z1', more: PROBE('a') },
      { name: 'b', scope: 'z2', more: PROBE('b') },
      { name: 'c', scope: 'z2' },
    ],
  },
}

interface Site {
  readonly name: string
  readonly scope: string
  /** It is a name, with a TTL. */
  readonly ttl?: true
  readonly more?: string
}

const SITES: readonly Site[] = [
  { name: 'a', scope: 'z1' },
  { name: 'b', scope: 'z1' },
  { name: 'c', scope: 'z2', more: 'after: [a]' },
]

export const VARIANT_NAMES: readonly string[] = Object.keys(VARIANTS)

const read = new Map<string, Migration>()

/** The migration of this name; read once, since reading a config takes longer than simulating it. */
export function migrationOf(name: string): Migration {
  const known = read.get(name) ?? parse(name)
  read.set(name, known)
  return known
}

function HOOK(name: string, at: string, then: string): string {
  return `{ name: ${name}, at: ${at}, http: { url: 'http://hooks.example.com/' }, tries: 1, then: ${then} }`
}

function PROBE(name: string): string {
  return `probes: [{ url: 'http://${name}.example.com/', address: { old: 203.0.113.8, new: 203.0.113.9 } }]`
}

function parse(name: string): Migration {
  const parsed = parseConfig(textOf(name), 'sim.yaml', KINDS, {})
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const [{ plans, fleet }] = parsed.config.migrations
  return { name, plans, fleet, hash: parsed.config.hash }
}

function textOf(name: string): string {
  const { policy, fleet, sites = SITES } = VARIANTS[name] ?? {}
  const workloads = sites.map((site) => {
    const parts = [
      `name: ${site.name}`,
      `traffic: { sim: { scope: ${site.scope}, place: ${site.name}, ttl: ${site.ttl ?? false} } }`,
    ]
    return `  - { ${[...parts, ...(site.more === undefined ? [] : [site.more])].join(', ')} }`
  })
  return [
    'apiVersion: headgate/v1',
    'migration: sim',
    `clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }`,
    `sweep: ${SWEEP_SECONDS}s`,
    `observeTimeout: ${OBSERVE_TIMEOUT_SECONDS}s`,
    'sources: { sim: {} }',
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
