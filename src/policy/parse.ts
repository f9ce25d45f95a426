import { CATALOGUE } from '../core/catalogue.ts'
import type { Position, ProblemJson } from '../core/problem.ts'
import { createShare } from '../shared/share.ts'
import { apiOf } from './access.ts'
import { checkConfig } from './check.ts'
import { checkRoutes } from './check-alertmanager.ts'
import { type ReadBeside, type ResolvedCalendar, resolveCalendar } from './check-calendar.ts'
import { checkFiles, tellOtherFiles } from './check-files.ts'
import { checkNotify } from './check-notify.ts'
import { checkTls } from './check-tls.ts'
import type { Config, MigrationConfig } from './config.ts'
import { type ConfigFile, type FileFinding, layOut, type MigrationFile } from './files.ts'
import type { Finding, Place } from './finding.ts'
import { fleetPlanOf } from './fleet.ts'
import { createHasher, hashText } from './hash.ts'
import { issueFindings } from './issues.ts'
import type { Kinds } from './kinds.ts'
import { resolveSlis } from './openslo.ts'
import { buildPlan } from './plan.ts'
import { type ResolvedPolicies, resolvePolicies } from './policies.ts'
import { providersOf } from './providers.ts'
import { configSchema, type ParsedConfig, SERVICE_KEYS, serviceSchema } from './schema.ts'
import { notifyOf } from './schema-notify.ts'
import { tracingOf } from './schema-telemetry.ts'
import { secretFindings } from './secrets.ts'
import { configShape } from './shape.ts'
import { readYaml, type YamlText } from './yaml.ts'

/** A config, or everything that is wrong with its text, in the order of the text. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ProblemJson[] }

/** The text of one file; `file` names it in problems. */
export interface ConfigText {
  readonly file: string
  readonly text: string
}

/** Where texts are read: the registries, and what they name beside themselves. */
interface Surroundings {
  readonly kinds: Kinds
  /** Where `${env:NAME}` looks. */
  readonly env: NodeJS.ProcessEnv
  readonly readBeside: ReadBeside
}

const readsNothing: ReadBeside = () => ({ why: 'no file can be read here' })

/** Reads a config of one file: see `parseConfigs`. */
export function parseConfig(
  text: string,
  file: string,
  kinds: Kinds,
  env: NodeJS.ProcessEnv,
  readBeside: ReadBeside = readsNothing,
): ConfigResult {
  return parseConfigs([{ file, text }], kinds, env, readBeside)
}

/**
 * Reads a config: one file, or several, each with a migration of its own; what belongs to the service stands in one of
 * them. `env` is where `${env:NAME}` looks; `readBeside` reads what they name, by default nothing. Problems are of the codes CONFIG_…, each at its file, line and column; syntax
 * first, then the schema and the secrets, then the rules across keys and files. No problem repeats a secret.
 */
export function parseConfigs(
  texts: readonly ConfigText[],
  kinds: Kinds,
  env: NodeJS.ProcessEnv,
  readBeside: ReadBeside = readsNothing,
): ConfigResult {
  const around: Surroundings = { kinds, env, readBeside }
  const files = texts.map(({ file, text }): ConfigFile => ({ file, yaml: readYaml(text) }))
  // A file that is no YAML may have what the others need: nothing else is told before.
  const syntax = files.flatMap(({ file, yaml }) =>
    yaml.syntax.map(({ offset, ...finding }) => problemAt(finding, { file, ...yaml.lineOf(offset) })),
  )
  if (syntax.length > 0) return refused(syntax, files)

  const schemas = schemasOf(kinds)
  const migrationKeys = Object.keys(schemas.config.shape).filter((key) => !(key in schemas.service.shape))
  const layout = layOut(files, { service: SERVICE_KEYS, migration: migrationKeys })
  const read = layout.migrations.map((file) => readMigration(file, schemas, around))
  const fitting = read.flatMap(({ file, resolved }) => (resolved ? [{ file, config: resolved.config }] : []))
  const findings = [
    ...layout.findings,
    ...layout.services.flatMap((file) => serviceFindings(file, schemas, env)),
    ...tellOtherFiles(
      read.flatMap((one) => one.findings),
      fitting,
    ),
    ...checkFiles(fitting, kinds.traffic),
    ...routeFindings(read),
    // What a file that does not fit would define is not known.
    ...(fitting.length === read.length ? checkNotify(fitting) : []),
  ]
  const fine = read.flatMap(({ resolved }) => resolved ?? [])
  const [first, ...others] = fine
  if (findings.length > 0 || !first) return refused(located(findings), files)
  return {
    ok: true,
    config: {
      ...serviceOf(first.config, kinds),
      providers: Object.assign({}, ...fine.map(({ config }) => providersOf(config, kinds.traffic))),
      hash: hashOfTexts([...texts, ...fine.flatMap(textsBeside)]),
      migrations: [migrationOf(first, kinds), ...others.map((one) => migrationOf(one, kinds))],
    },
  }
}

interface Schemas {
  readonly config: ReturnType<typeof configSchema>
  readonly service: ReturnType<typeof serviceSchema>
  readonly shape: ReturnType<typeof configShape>
}

/** By the registries, of which a process has one: making them takes far longer than reading most configs. */
const made = new WeakMap<Kinds, Schemas>()

function schemasOf(kinds: Kinds): Schemas {
  const known = made.get(kinds)
  if (known) return known
  const schemas = { config: configSchema(kinds), service: serviceSchema(kinds), shape: configShape(kinds) }
  made.set(kinds, schemas)
  return schemas
}

/** What a file came to; no config where it does not fit the schema. */
interface ReadMigration {
  readonly file: MigrationFile
  readonly findings: readonly FileFinding[]
  readonly resolved?: ResolvedMigration
}

interface ResolvedMigration {
  readonly config: ParsedConfig
  readonly policies: ResolvedPolicies
  readonly calendar: ResolvedCalendar
  /** Texts of OpenSLO files. */
  readonly definitions: readonly { readonly text: string }[]
}

function readMigration(file: MigrationFile, schemas: Schemas, { kinds, env, readBeside }: Surroundings): ReadMigration {
  const { value } = file
  const inFile = (findings: readonly Finding[]) =>
    findings.map((finding) => ({ finding, in: file.homeOf(finding.path) }))
  const secrets = secretFindings(value, schemas.shape, env)
  const parsed = schemas.config.safeParse(value)
  if (!parsed.success) {
    const issues = issueFindings(parsed.error.issues, { value, shape: schemas.shape })
    return { file, findings: inFile([...secrets, ...without(issues, secrets)]) }
  }
  const { slis, findings, files } = resolveSlis(parsed.data.slis, file, readBeside)
  const calendar = resolveCalendar(parsed.data.calendar, readBeside)
  if (slis === null) return { file, findings: [...inFile([...secrets, ...calendar.findings]), ...findings] }
  const config = { ...parsed.data, slis }
  const policies = resolvePolicies(config.policies)
  const rules = [...checkConfig(config, policies, kinds), ...checkTls(config, readBeside), ...calendar.findings]
  const resolved = { config, policies, calendar, definitions: [...files.values()] }
  return { file, findings: inFile([...secrets, ...without(rules, secrets)]), resolved }
}

/** A file that does not fit may have what a route names: then nothing is told of the routes. */
function routeFindings(read: readonly ReadMigration[]): FileFinding[] {
  const [first] = read
  const configs = read.flatMap(({ resolved }) => resolved?.config ?? [])
  if (!first || configs.length < read.length) return []
  return checkRoutes(configs).map((finding) => ({ finding, in: first.file.homeOf(finding.path) }))
}

function serviceFindings(file: ConfigFile, { service, shape }: Schemas, env: NodeJS.ProcessEnv): FileFinding[] {
  const { value } = file.yaml
  const secrets = secretFindings(value, shape, env)
  const parsed = service.safeParse(value)
  const issues = parsed.success ? [] : issueFindings(parsed.error.issues, { value, shape })
  return [...secrets, ...without(issues, secrets)].map((finding) => ({ finding, in: file }))
}

function migrationOf({ config, policies, calendar }: ResolvedMigration, kinds: Kinds): MigrationConfig {
  const { migration, clusters, workloads, kubernetes = null, costs = null } = config
  const made = { share: createShare(), hashOf: createHasher(), judged: new Map() }
  const plans = workloads.map((workload) => buildPlan(workload, config, policies, kinds, made))
  const teams = Object.fromEntries(workloads.flatMap(({ name, team }) => (team === undefined ? [] : [[name, team]])))
  const fleet = fleetPlanOf(config, kinds)
  return { migration, clusters, plans, fleet, kubernetes, calendar: calendar.spec, teams, costs }
}

/** What belongs to the service; each file was read with all of it. */
function serviceOf(parsed: ParsedConfig, kinds: Kinds): Omit<Config, 'hash' | 'migrations' | 'providers'> {
  const { sweep, observeTimeout, sources, alertmanager = null, api, notify, telemetry, store, redis } = parsed
  return {
    sweepSeconds: sweep,
    observeTimeoutSeconds: observeTimeout ?? Math.min(5, sweep / 2),
    sources: Object.fromEntries(
      Object.entries(sources).flatMap(([kind, settings]) => (settings === undefined ? [] : [[kind, settings]])),
    ),
    alertmanager,
    api: apiOf(api),
    notify: notifyOf(notify, kinds.channels),
    tracing: tracingOf(telemetry),
    store,
    ...(redis && { redis }),
  }
}

/** Of the files that a config names. */
function textsBeside({ calendar, definitions }: ResolvedMigration): readonly { readonly text: string }[] {
  const freezes = calendar.spec?.freezes ?? []
  return [...freezes.flatMap((freeze) => ('ics' in freeze ? [{ text: freeze.ics }] : [])), ...definitions]
}

function hashOfTexts(texts: readonly { readonly text: string }[]): string {
  const hashes = texts.map(({ text }) => hashText(text))
  return hashes.length === 1 ? hashes.join() : hashText(hashes.join('\n'))
}

// Another finding about the same part would only repeat it, and might show its text.
function without(findings: readonly Finding[], secrets: readonly Finding[]): Finding[] {
  const taken = new Set(secrets.map(({ path }) => JSON.stringify(path)))
  return findings.filter(({ path }) => !taken.has(JSON.stringify(path)))
}

/** Findings as problems; what an anchor repeats, or several files find in the service's parts, is told once. */
function located(findings: readonly FileFinding[]): ProblemJson[] {
  const problems = findings.map(({ finding, in: { file, yaml }, otherIn }) => {
    const cause = finding.other ? `${finding.cause}, at ${otherPlace(finding.other, yaml, otherIn)}` : finding.cause
    return problemAt({ ...finding, cause }, { file, ...yaml.locate(finding) })
  })
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

function otherPlace(place: Place, here: YamlText, otherIn: ConfigFile | undefined): string {
  const { line, column } = (otherIn?.yaml ?? here).locate(place)
  return `${otherIn ? `${otherIn.file}:` : ''}${line}:${column}`
}

function problemAt({ code, cause, hint }: Pick<Finding, 'code' | 'cause' | 'hint'>, at: Position): ProblemJson {
  return { code, cause, hint: hint ?? CATALOGUE[code].hint, at }
}

function refused(problems: readonly ProblemJson[], files: readonly ConfigFile[]): ConfigResult {
  const place = ({ at }: ProblemJson) => {
    const index = files.findIndex(({ file }) => file === at?.file)
    // Those in files that the config names come last.
    return [index < 0 ? files.length : index, at?.line ?? 0, at?.column ?? 0]
  }
  const order = (a: ProblemJson, b: ProblemJson) => {
    const there = place(b)
    return (
      place(a)
        .map((part, index) => part - (there[index] ?? 0))
        .find((difference) => difference !== 0) ?? 0
    )
  }
  return { ok: false, problems: problems.toSorted(order) }
}
