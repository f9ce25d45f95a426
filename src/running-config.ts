import { type LoadedConfig, loadConfig } from './config.ts'
import { Problem, type ProblemJson, problem } from './core/problem.ts'
import type { ShardKeeper } from './engine/shard-keeper.ts'
import { changesOf, type Reloaded } from './policy/changes.ts'
import { type Config, type MigrationConfig, plansOf } from './policy/config.ts'
import type { Kinds } from './policy/kinds.ts'
import type { ServiceStatus } from './ports/control.ts'
import type { Calendar } from './ports/sight.ts'
import { createCalendar } from './shared/calendar/calendar.ts'

/** Where a config comes from. */
export interface ConfigOrigin {
  /** A file, or a folder of files. */
  readonly path: string
  readonly kinds: Kinds
  readonly env: NodeJS.ProcessEnv
}

type Reloading = Pick<ShardKeeper, 'configure' | 'rejectConfig'>

/** The config in force, and what a reload may change of it: migrations, workloads, policies, SLIs and tokens. */
export class RunningConfig {
  config: Config
  /** Files that the config names, as it was read last, taken or not. */
  named: readonly string[]
  /** Migrations whose file went while this runs. */
  private gone: readonly MigrationConfig[] = []
  private calendars: ReadonlyMap<string, Calendar>
  private readonly origin: ConfigOrigin
  private reloading: Promise<void> = Promise.resolve()

  constructor({ config, named }: LoadedConfig & { readonly ok: true }, origin: ConfigOrigin) {
    this.config = config
    this.named = named
    this.calendars = calendarsOf(config.migrations)
    this.origin = origin
  }

  about(): Pick<ServiceStatus, 'migrations' | 'configHash' | 'sweepSeconds'> {
    const { migrations, hash, sweepSeconds } = this.config
    return {
      migrations: migrations.map(({ migration, clusters }) => ({ migration, clusters })),
      configHash: hash,
      sweepSeconds,
    }
  }

  /** The migration that everything here belongs to; null: there are several. */
  onlyMigration(): string | null {
    const [first, ...others] = this.config.migrations
    return others.length === 0 ? first.migration : null
  }

  /** Reads the config again. With any problem the old one stays, whole; the engine journals why. */
  reload(engine: Reloading): Promise<Reloaded> {
    // One after the other: of two that overlap, the one that read later must be the one that stays.
    const done = this.reloading.then(() => this.readAgain(engine))
    this.reloading = done.then(
      () => {},
      () => {},
    )
    return done
  }

  private async readAgain(engine: Reloading): Promise<Reloaded> {
    const { path, kinds, env } = this.origin
    const loaded = await loadConfig(path, kinds, env)
    this.named = loaded.named
    const problems = loaded.ok ? this.fixedParts(loaded.config) : loaded.problems
    if (!loaded.ok || problems.length > 0) {
      await engine.rejectConfig(problems)
      return { problems, changes: [] }
    }
    if (loaded.config.hash === this.config.hash) return { problems: [], changes: [] }
    const changes = changesOf(this.config, loaded.config)
    await engine.configure(plansOf(loaded.config), loaded.config.hash)
    this.take(loaded.config)
    return { problems: [], changes }
  }

  private take(config: Config): void {
    const before = this.rules()
    this.config = config
    this.gone = before.filter(({ migration }) => !config.migrations.some((one) => one.migration === migration))
    this.calendars = calendarsOf(this.rules())
  }

  /**
   * The migrations whose calendars, fleet rules and access to clusters hold: those of the config, and those whose file
   * went while this runs. A ConfigMap that loses a file must not end a freeze for what is under way.
   */
  rules(): readonly MigrationConfig[] {
    return [...this.config.migrations, ...this.gone]
  }

  /** When traffic of this migration may be raised; null: always. */
  calendarOf(migration: string): Calendar | null {
    return this.calendars.get(migration) ?? null
  }

  /** The workload's team; null: it has none, or its file is gone. */
  teamOf(workload: string): string | null {
    const all = this.config.migrations.map(({ teams }) => teams)
    return all.find((teams) => Object.hasOwn(teams, workload))?.[workload] ?? null
  }

  /** What only a restart may change. */
  private fixedParts(next: Config): readonly ProblemJson[] {
    const parts: readonly [string, (config: Config) => unknown][] = [
      ['sweep', (config) => [config.sweepSeconds, config.observeTimeoutSeconds]],
      ['sources', (config) => config.sources],
      ['providers', (config) => config.providers],
      ['api.host and api.port', (config) => [config.api.host, config.api.port]],
      [
        'whether there is api.tls, or its clientCa,',
        (config) => [config.api.tls !== null, config.api.tls?.clientCa != null],
      ],
      ['api.trustedProxies', (config) => config.api.trustedProxies],
      ['telemetry', (config) => config.tracing],
      ['store', (config) => config.store],
      ['redis', (config) => config.redis],
    ]
    const changed = parts.filter(([, part]) => !isSame(part(next), part(this.config))).map(([name]) => name)
    return [...this.changedMigrations(next), ...changed].map((name) =>
      problem('CONFIG_NEEDS_RESTART', `${this.origin.path}: ${name} was changed`).toJSON(),
    )
  }

  /** A migration may come or go; one that stays keeps its clusters and its access, and a service of one its name. */
  private changedMigrations({ migrations }: Config): readonly string[] {
    const before = this.config.migrations
    if (before.length === 1 && migrations.length === 1 && before[0].migration !== migrations[0].migration)
      return ['migration']
    return before.flatMap((was) => {
      const is = migrations.find(({ migration }) => migration === was.migration)
      const parts = ['clusters', 'kubernetes'] as const
      return parts.filter((part) => is && !isSame(is[part], was[part])).map((part) => `${part} of ${was.migration}`)
    })
  }
}

/** A store that is away refuses a config too. */
export function asReloaded(error: unknown): Reloaded {
  if (error instanceof Problem) return { problems: [error.toJSON()], changes: [] }
  throw error
}

function calendarsOf(migrations: readonly MigrationConfig[]): ReadonlyMap<string, Calendar> {
  return new Map(
    migrations.flatMap(({ migration, calendar }) => (calendar ? [[migration, createCalendar(calendar)] as const] : [])),
  )
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
