import { CATALOGUE } from '../core/catalogue.ts'
import type { Position, ProblemJson } from '../core/problem.ts'
import { checkConfig } from './check.ts'
import { type ReadBeside, resolveCalendar } from './check-calendar.ts'
import type { Config } from './config.ts'
import type { Finding } from './finding.ts'
import { hashText } from './hash.ts'
import { issueFindings } from './issues.ts'
import type { Kinds } from './kinds.ts'
import { buildPlan } from './plan.ts'
import { resolvePolicies } from './policies.ts'
import { providersOf } from './providers.ts'
import { configSchema, type ParsedConfig } from './schema.ts'
import { secretFindings } from './secrets.ts'
import { configShape } from './shape.ts'
import { readYaml, type YamlText } from './yaml.ts'

/** A config, or everything that is wrong with its text, in the order of the text. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ProblemJson[] }

/**
 * Reads a config. `file` names it in problems; `env` is where `${env:NAME}` looks, `read` reads what the config names
 * beside it (by default nothing can be read). Problems are of the codes CONFIG_…,
 * each at its line and column; syntax first, then the schema and the secrets, then the rules across keys. No problem
 * repeats a secret.
 */
export function parseConfig(
  text: string,
  file: string,
  kinds: Kinds,
  env: NodeJS.ProcessEnv,
  read: ReadBeside = () => ({ why: 'no files can be read here' }),
): ConfigResult {
  const yaml = readYaml(text)
  if (yaml.syntax.length > 0)
    return refused(yaml.syntax.map(({ offset, ...finding }) => problemAt(finding, { file, ...yaml.lineOf(offset) })))

  const shape = configShape(kinds)
  const secrets = secretFindings(yaml.value, shape, env)
  const parsed = configSchema(kinds).safeParse(yaml.value)
  if (!parsed.success) {
    const issues = issueFindings(parsed.error.issues, { value: yaml.value, shape })
    return refused(located([...secrets, ...without(issues, secrets)], yaml, file))
  }
  const policies = resolvePolicies(parsed.data.policies)
  const calendar = resolveCalendar(parsed.data.calendar, read)
  const checked = [...checkConfig(parsed.data, policies, kinds), ...calendar.findings]
  const findings = [...secrets, ...without(checked, secrets)]
  if (findings.length > 0) return refused(located(findings, yaml, file))
  const plans = parsed.data.workloads.map((workload) => buildPlan(workload, parsed.data, policies, kinds))
  const providers = providersOf(parsed.data, kinds.traffic)
  const files = calendar.spec?.freezes.flatMap((freeze) => ('ics' in freeze ? [freeze.ics] : [])) ?? []
  const hash = hashText([text, ...files].join('\0'))
  return { ok: true, config: { ...configOf(parsed.data), calendar: calendar.spec, providers, hash, plans } }
}

function configOf(parsed: ParsedConfig): Omit<Config, 'hash' | 'plans' | 'providers' | 'calendar'> {
  const { migration, clusters, sweep, observeTimeout, sources, api, store } = parsed
  return {
    migration,
    clusters,
    sweepSeconds: sweep,
    observeTimeoutSeconds: observeTimeout ?? Math.min(5, sweep / 2),
    sources: Object.fromEntries(
      Object.entries(sources).flatMap(([kind, settings]) => (settings === undefined ? [] : [[kind, settings]])),
    ),
    api,
    store,
  }
}

// Another finding about the same part would only repeat it, and might show its text.
function without(findings: readonly Finding[], secrets: readonly Finding[]): Finding[] {
  const taken = new Set(secrets.map(({ path }) => JSON.stringify(path)))
  return findings.filter(({ path }) => !taken.has(JSON.stringify(path)))
}

/** Findings as problems in the order of the text; what an anchor repeats is told once. */
function located(findings: readonly Finding[], yaml: YamlText, file: string): ProblemJson[] {
  const problems = findings.map((finding) => {
    const other = finding.other && yaml.locate(finding.other)
    const cause = other ? `${finding.cause}, at ${other.line}:${other.column}` : finding.cause
    return problemAt({ ...finding, cause }, { file, ...yaml.locate(finding) })
  })
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

function problemAt({ code, cause, hint }: Pick<Finding, 'code' | 'cause' | 'hint'>, at: Position): ProblemJson {
  return { code, cause, hint: hint ?? CATALOGUE[code].hint, at }
}

function refused(problems: readonly ProblemJson[]): ConfigResult {
  const place = ({ at }: ProblemJson) => [at?.line ?? 0, at?.column ?? 0] as const
  const inOrder = problems.toSorted((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1])
  return { ok: false, problems: inOrder }
}
