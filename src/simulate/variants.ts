import { editsOf } from './edits.ts'

/** A workload of a simulated config. */
export interface Site {
  readonly name: string
  readonly scope: string
  /** It is a name, with a TTL. */
  readonly ttl?: true
  readonly more?: string
}

/** One migration of a simulated config: what its file says beside what all say. */
export interface Chapter {
  readonly name: string
  readonly policy?: string
  readonly fleet?: string
  readonly sites: readonly Site[]
}

/** All files of a config, at one time. */
export type ConfigTexts = readonly [Chapter, ...Chapter[]]

const SITES: readonly Site[] = [
  { name: 'a', scope: 'z1' },
  { name: 'b', scope: 'z1' },
  { name: 'c', scope: 'z2', more: 'after: [a]' },
]

function hook(name: string, at: string, then: string): string {
  return `{ name: ${name}, at: ${at}, http: { url: 'http://hooks.example.com/' }, tries: 1, then: ${then} }`
}

function probe(name: string): string {
  return `probes: [{ url: 'http://${name}.example.com/', address: { old: 203.0.113.8, new: 203.0.113.9 } }]`
}

/** A migration alone. */
function alone(differs: Partial<Chapter>): readonly ConfigTexts[] {
  return [[{ name: 'sim', sites: SITES, ...differs }]]
}

const FIRST: Chapter = { name: 'm1', sites: SITES.slice(0, 2) }

/** A shard each. */
const APART: ConfigTexts = [
  FIRST,
  { name: 'm2', sites: [{ name: 'c', scope: 'z2' }] },
  { name: 'm3', sites: [{ name: 'd', scope: 'z3', ttl: true }] },
  { name: 'm4', policy: 'drift: correct', sites: [{ name: 'e', scope: 'z4' }] },
]

/** Two shards of two migrations: these share a scope. */
const SHARED: ConfigTexts = [
  FIRST,
  { name: 'm2', sites: [{ name: 'c', scope: 'z2' }] },
  { name: 'm3', sites: [{ name: 'd', scope: 'z1' }] },
  { name: 'm4', sites: [{ name: 'e', scope: 'z2' }] },
]

/** So many configs are edited while they run, each otherwise. */
const EDITED = 24

/** By name: a config as it is at the beginning, and what it becomes. Small enough for thousands of seeds. */
export const VARIANTS: Readonly<Record<string, readonly ConfigTexts[]>> = {
  plain: alone({}),
  correcting: alone({ policy: 'drift: correct' }),
  approving: alone({ policy: 'steps: [{ weight: 10%, hold: 20s }, { weight: 100%, hold: 20s, approval: true }]' }),
  trying: alone({
    policy: 'steps: [{ mirror: 10%, hold: 20s }, { weight: 10%, hold: 20s }, { weight: 100%, hold: 20s }]',
  }),
  keepingWarm: alone({ policy: 'safeWeight: 5%' }),
  hooked: alone({
    policy: `hooks: [${hook('before', 'before-step', 'hold')}, ${hook('after', 'after-step', 'revert')}]`,
  }),
  named: alone({
    sites: [
      { name: 'a', scope: 'z1', ttl: true },
      { name: 'b', scope: 'z1', ttl: true },
      { name: 'c', scope: 'z2' },
    ],
  }),
  waves: alone({ fleet: '{ concurrency: 1, breaker: { reverts: 2, within: 10m } }' }),
  probed: alone({
    sites: [
      { name: 'a', scope: 'z1', more: probe('a') },
      { name: 'b', scope: 'z2', more: probe('b') },
      { name: 'c', scope: 'z2' },
    ],
  }),
  apart: [APART],
  shared: [SHARED],
  ...Object.fromEntries(
    Array.from({ length: EDITED }, (_, index) => [
      `edited${index + 1}`,
      editsOf(index + 1, index % 3 === 0 ? SHARED : APART),
    ]),
  ),
}
