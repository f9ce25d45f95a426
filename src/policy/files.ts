import type { Finding, Path, Place } from './finding.ts'
import type { YamlText } from './yaml.ts'

/** One file of a config, read as YAML. */
export interface ConfigFile {
  /** Names it in problems. */
  readonly file: string
  readonly yaml: YamlText
}

/** A finding, and the files that its places are in. */
export interface FileFinding {
  readonly finding: Finding
  readonly in: ConfigFile
  /** Where `finding.other` is; by default in the same file. */
  readonly otherIn?: ConfigFile
}

/** What of a config each file has. */
export interface Layout {
  readonly migrations: readonly MigrationFile[]
  /** Files that have no migration, but parts of the service. */
  readonly services: readonly ConfigFile[]
  readonly findings: readonly FileFinding[]
}

/** A file with a migration. */
export interface MigrationFile extends ConfigFile {
  /** The file's value, with those parts of the service that other files have. */
  readonly value: unknown
  /** The file that a part of the value is in. */
  homeOf(path: Path): ConfigFile
}

export interface LayoutKeys {
  /** Top-level keys that belong to the whole service: one file alone may have each. */
  readonly service: readonly string[]
  /** Those that belong to a migration. */
  readonly migration: readonly string[]
}

/** Tells which file has a migration and which has the service's parts, each part in one file alone. */
export function layOut(files: readonly ConfigFile[], keys: LayoutKeys): Layout {
  const holders = new Map<string, ConfigFile>()
  const findings: FileFinding[] = []
  for (const file of files)
    for (const key of keys.service.filter((one) => Object.hasOwn(partsOf(file), one))) {
      const first = holders.get(key)
      if (first) findings.push(toldTwice(key, file, first))
      else holders.set(key, file)
    }
  const services = files.filter((file) => files.length > 1 && isService(file, keys))
  const migrations = files.filter((file) => !services.includes(file)).map((file) => migrationFile(file, holders, keys))
  const [first] = services
  if (migrations.length === 0 && first) findings.push({ finding: noMigration, in: first })
  return { migrations, services, findings }
}

const noMigration: Finding = {
  code: 'CONFIG_MISSING_KEY',
  cause: 'no file of this folder has a migration',
  hint: 'add a file with `migration`, `clusters` and `workloads`',
  path: [],
}

function toldTwice(key: string, file: ConfigFile, first: ConfigFile): FileFinding {
  const place: Place = { path: [key], on: 'key' }
  return {
    finding: {
      code: 'CONFIG_DUPLICATE',
      cause: `\`${key}\` belongs to the whole service, and is there already`,
      hint: 'keep it in one file',
      ...place,
      other: place,
    },
    in: file,
    otherIn: first,
  }
}

// A misspelt key alone makes no migration of a file: it would be told that all the rest is missing.
function isService(file: ConfigFile, { migration }: LayoutKeys): boolean {
  return isMap(file.yaml.value) && !migration.some((key) => Object.hasOwn(partsOf(file), key))
}

function migrationFile(file: ConfigFile, holders: ReadonlyMap<string, ConfigFile>, keys: LayoutKeys): MigrationFile {
  const homeOf = ([key]: Path) => holders.get(String(key)) ?? file
  const { value } = file.yaml
  if (!isMap(value)) return { ...file, value, homeOf }
  const own = Object.entries(value).filter(([key]) => !keys.service.includes(key))
  const shared = [...holders].map(([key, holder]): [string, unknown] => [key, partsOf(holder)[key]])
  return { ...file, value: Object.fromEntries([...own, ...shared]), homeOf }
}

function partsOf({ yaml: { value } }: ConfigFile): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {}
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
