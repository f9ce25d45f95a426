import type { ProblemJson } from '../core/problem.ts'
import type { Config, MigrationConfig } from './config.ts'

/** What came of reading a config again. */
export interface Reloaded {
  /** With any, the old config stays. */
  readonly problems: readonly ProblemJson[]
  readonly changes: readonly ConfigChange[]
}

/** What one config has otherwise than the one before it. */
export interface ConfigChange {
  readonly change: 'added' | 'removed' | 'changed'
  readonly what: 'migration' | 'workload' | 'setting'
  /** Of the migration or the workload; of a setting, its key. */
  readonly name: string
  /** null: it is of the service, or a migration itself. */
  readonly migration: string | null
}

/** What is new, gone or other in `next`: settings of the service first, then migration by migration. Values are not told. */
export function changesOf(before: Config, next: Config): readonly ConfigChange[] {
  const settings = changedKeys(settingsOf(before), settingsOf(next)).map((name) => setting(name, null))
  const migrations = keyed(next.migrations, ({ migration }) => migration)
  const former = keyed(before.migrations, ({ migration }) => migration)
  const names = [...new Set([...migrations.keys(), ...former.keys()])]
  return [
    ...settings,
    ...names.flatMap((name) => migrationChanges(name, former.get(name) ?? null, migrations.get(name) ?? null)),
  ]
}

function migrationChanges(
  migration: string,
  before: MigrationConfig | null,
  next: MigrationConfig | null,
): readonly ConfigChange[] {
  const own: readonly ConfigChange[] =
    before && next
      ? changedKeys(partsOf(before, next), partsOf(next, before)).map((name) => setting(name, migration))
      : [{ change: next ? 'added' : 'removed', what: 'migration', name: migration, migration: null }]
  const [was, is] = [before, next].map((one) => keyed(one?.plans ?? [], ({ workload }) => workload))
  const names = [...new Set([...(is?.keys() ?? []), ...(was?.keys() ?? [])])]
  const workloads = names.flatMap((name): readonly ConfigChange[] => {
    const [old, now] = [was?.get(name), is?.get(name)]
    if (isSame(old, now)) return []
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    return [{ change, what: 'workload', name, migration }]
  })
  return [...own, ...workloads]
}

/** Of the service: the API's one by one, as who may do what is worth a line of its own. */
function settingsOf({
  hash: _hash,
  migrations: _migrations,
  api,
  ...settings
}: Config): Readonly<Record<string, unknown>> {
  return { ...settings, ...Object.fromEntries(Object.entries(api).map(([key, value]) => [`api.${key}`, value])) }
}

/** Without its workloads, which are told one by one; in a wave, those that the other one has as well. */
function partsOf(
  { migration: _migration, plans: _plans, fleet, ...parts }: MigrationConfig,
  other: MigrationConfig,
): Readonly<Record<string, unknown>> {
  const stays = new Set(other.plans.map(({ workload }) => workload))
  const waves = fleet.waves.map((wave) => ({
    ...wave,
    members: wave.members.filter(({ workload }) => stays.has(workload)),
  }))
  return { ...parts, fleet: { ...fleet, waves } }
}

function setting(name: string, migration: string | null): ConfigChange {
  return { change: 'changed', what: 'setting', name, migration }
}

function changedKeys(before: Readonly<Record<string, unknown>>, next: Readonly<Record<string, unknown>>): string[] {
  const keys = [...new Set([...Object.keys(next), ...Object.keys(before)])]
  return keys.filter((key) => !isSame(before[key], next[key]))
}

function keyed<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [keyOf(item), item]))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
