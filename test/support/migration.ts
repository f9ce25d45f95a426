import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventType, HeadgateEvent, JournalRow } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { API_CONFIG, type RunningHeadgate, startHeadgate } from './headgate.ts'
import { until } from './until.ts'
import { CLUSTERS, type World } from './world.ts'

/** The weights that the policy of these migrations goes through, percent. */
export const WEIGHTS_PERCENT = [10, 25, 50, 100] as const
/** The pair of the policy that asks for a revert. */
export const PAIR = { longSeconds: 8, shortSeconds: 4, factor: 14.4 } as const
/** The share of requests that may fail. */
export const BUDGET = 0.01
export const SWEEP_SECONDS = 1

export type EventOf<T extends EventType> = Extract<HeadgateEvent, { type: T }>

/** One migration of services of a world, run by a Headgate with a folder of its own. */
export interface Migration {
  /** The SQLite file. */
  readonly storePath: string
  /** Starts Headgate, again after a `kill` with the same config and store. */
  start(): Promise<RunningHeadgate>
  /** kill -9 of Headgate. */
  kill(): Promise<void>
  /** The journal as it is on disk, whether Headgate runs or not; one workload's rows, or all. */
  journal(workload?: string): Promise<readonly JournalRow[]>
  /** Resolves with the workload's first event of this type that fits, once it is in the journal. */
  event<T extends EventType>(workload: string, type: T, fits?: (event: EventOf<T>) => boolean): Promise<EventOf<T>>
  /** Ends Headgate, and removes the folder. */
  stop(): Promise<void>
}

/** Where a migration writes its weights, as parts of a config. */
export interface MigrationTraffic {
  /** The `traffic` of a workload, in one line of YAML. */
  readonly of: (workload: string) => string
  /** The `providers`, in one line of YAML. */
  readonly providers?: string
  /** The `fleet`, in one line of YAML. */
  readonly fleet?: string
}

/** The backends of HAProxy, named after their workloads, by way of this socket. */
export function haproxyTraffic(socket: string): MigrationTraffic {
  return { of: (name) => `{ haproxy: { socket: "${socket}", backend: ${name}, old: old, new: new } }` }
}

/** What a migration has beside the usual. */
export interface MigrationParts {
  /** The same after a restart; by default any free one. */
  readonly apiPort?: number
  /** The statuses that count as bad, a pattern. */
  readonly badCodes?: string
  /** What stands below `alertmanager:`. */
  readonly alertmanager?: string
  readonly steps?: readonly Step[]
}

/** A step of the policy. */
export interface Step {
  readonly weightPercent: number
  readonly holdSeconds: number
}

/** Lays out a migration of these services; nothing runs yet. */
export function createMigration(
  world: Pick<World, 'prometheus'>,
  workloads: readonly string[],
  traffic: MigrationTraffic,
  env: Readonly<Record<string, string>> = {},
  parts: MigrationParts = {},
): Migration {
  return layOut(configText(world.prometheus.url, workloads, traffic, parts), env)
}

/** Lays out the migration of this config, in a folder of its own or in that one; nothing runs yet. */
export function layOut(
  config: string,
  env: Readonly<Record<string, string>> = {},
  folder: string = mkdtempSync(join(tmpdir(), 'headgate-e2e-')),
): Migration {
  const [configPath, storePath] = [join(folder, 'headgate.yaml'), join(folder, 'headgate.db')]
  writeFileSync(configPath, config)
  let running: RunningHeadgate | null = null

  const journal = async (workload?: string) => {
    if (!existsSync(storePath)) return []
    const { journal, store } = openSqlite(storePath, { readOnly: true })
    const rows = await journal.read({ afterSeq: 0, limit: 10_000, ...(workload !== undefined && { workload }) })
    await store.close()
    return rows
  }
  const story = async () => {
    const told = (await journal()).map(({ seq, event }) => `${seq} ${event.workload ?? ''}: ${explain(event)}`)
    return `The journal:\n${told.join('\n')}\nHeadgate's log:\n${running?.log() ?? ''}`
  }
  return {
    storePath,
    start: async () => {
      running = await startHeadgate(configPath, { env })
      return running
    },
    kill: async () => {
      await running?.kill()
    },
    journal,
    event: async (workload, type, fits = () => true) =>
      until(`${workload}: ${type}`, async () => eventsOf(await journal(workload), type).find(fits), story),
    stop: async () => {
      await running?.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a workload went through, a line for each event that must come once and in its place. */
export function storyOf(rows: readonly JournalRow[]): readonly string[] {
  return rows.flatMap(({ event }) => storyLine(event) ?? [])
}

function storyLine(event: HeadgateEvent): string | null {
  switch (event.type) {
    case 'phase-entered':
      return event.stepIndex === null ? event.to : `${event.to} ${event.stepIndex + 1}`
    case 'weight-intended':
      return `intended ${event.toPercent}`
    case 'weight-confirmed':
    case 'weight-in-force':
    case 'revert-confirmed':
      return `${event.type} ${event.weightPercent}`
    case 'weight-adopted':
      return `adopted ${event.weightPercent}`
    case 'rollout-created':
    case 'plan-pinned':
    case 'revert-started':
      return event.type
    default:
      return null
  }
}

/** The events of one type, in order. */
export function eventsOf<T extends EventType>(rows: readonly JournalRow[], type: T): readonly EventOf<T>[] {
  return rows.map(({ event }) => event).filter((event): event is EventOf<T> => event.type === type)
}

/** Tests meddle while 25 % is in force: a hold that outlasts a late scrape leaves them the time. */
const USUAL_STEPS: readonly Step[] = WEIGHTS_PERCENT.map((weightPercent) => ({
  weightPercent,
  holdSeconds: weightPercent === 25 ? 6 : 2,
}))

/** The config of such a migration. */
export function configText(
  prometheusUrl: string,
  workloads: readonly string[],
  traffic: MigrationTraffic,
  { apiPort = 0, badCodes = '5..', alertmanager, steps = USUAL_STEPS }: MigrationParts = {},
): string {
  const written = steps.map((step) => `{ weight: ${step.weightPercent}%, hold: ${step.holdSeconds}s }`)
  const { longSeconds, shortSeconds, factor } = PAIR
  return `apiVersion: headgate/v1
migration: e2e
clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }
sweep: ${SWEEP_SECONDS}s
${API_CONFIG.replace('port: 0', `port: ${apiPort}`)}
${alertmanager === undefined ? '' : `alertmanager:${alertmanager}\n`}providers: ${traffic.providers ?? '{}'}
fleet: ${traffic.fleet ?? '{}'}
sources:
  prometheus: { url: "${prometheusUrl}" }
slis:
  availability: { objective: ${100 * (1 - BUDGET)}%, total: http_requests_total, bad: 'http_requests_total{code=~"${badCodes}"}' }
  latency: { objective: 95%, histogram: http_request_duration_seconds, slowerThan: 500ms }
policies:
  quick:
    steps: [${written.join(', ')}]
    minRequests: 10
    bake: 2s
    drain: 1s
    blindAfter: 5s
    burnRate: [{ long: ${longSeconds}s, short: ${shortSeconds}s, factor: ${factor}, then: revert }]
    share: { tolerance: 15% }
    # Holds of seconds leave little to prove with, and the machine's own slowness is no fault of NEW. Bursts are assumed
    # as by the preset: so an outage meets the pair, which these tests follow, before the tests of NEW against OLD.
    proof: { need: 4, plusBudgets: 10 }
    evidence: { latency: { plus: 10% } }
policy: quick
workloads:
${workloads.map((name) => `  - { name: ${name}, traffic: ${traffic.of(name)} }`).join('\n')}
`
}
