import { formatOrigin } from '../core/format.ts'
import type { SliSpec } from '../core/plan.ts'
import type { Config, MigrationConfig } from '../policy/config.ts'
import { healthGroup } from './health.ts'
import { type RuleGroup, rulesText } from './rule.ts'
import { signalGroup } from './signals.ts'
import { sloGroups } from './slo.ts'

/** Where the project's own pages are. */
export const RUNBOOKS = 'https://github.com/headgate/headgate/blob/main/docs'

export interface RuleOptions {
  /** Address of the pages that alerts link, absolute. */
  readonly runbooks: string
  /** Whether a source, by its kind, is one whose series Prometheus has. */
  readonly isPromql: (source: string) => boolean
}

export interface RuleFile {
  readonly name: string
  readonly groups: readonly RuleGroup[]
  readonly text: string
}

/** SLIs of a config that no rules were written for, and why. */
export interface LeftOut {
  readonly migration: string
  readonly sli: string
  readonly why: string
}

/** The rules for a config: a file on Headgate itself, and one for each migration that has SLIs or signals. */
export function ruleFiles(
  { migrations }: Config,
  options: RuleOptions,
): { readonly files: readonly RuleFile[]; readonly leftOut: readonly LeftOut[] } {
  const made = migrations.map((migration) => migrationRules(migration, options))
  const files = made.flatMap(({ migration, groups }) =>
    groups.length === 0 ? [] : [fileOf(`headgate-${migration}.yaml`, groups, `The rules of ${migration}.`)],
  )
  return { files: [healthFile(options.runbooks), ...files], leftOut: made.flatMap(({ leftOut }) => leftOut) }
}

/** Alerts on Headgate itself: the same for every config. */
export function healthFile(runbooks: string): RuleFile {
  return fileOf(
    'headgate.yaml',
    [healthGroup(runbooks)],
    'Alerts on Headgate itself. One job a service: the metrics of two services under one job would hide that one is silent.',
  )
}

function fileOf(name: string, groups: readonly RuleGroup[], about: string): RuleFile {
  const head = `${about}\nWritten by \`headgate rules\`, for \`rule_files\` of Prometheus; docs/rules.md says what each is for.`
  return { name, groups, text: rulesText(groups, head) }
}

function migrationRules({ migration, clusters, plans, fleet }: MigrationConfig, options: RuleOptions) {
  const { runbooks, isPromql } = options
  const leftOut: LeftOut[] = []
  const groups: RuleGroup[] = []
  const specs = plans.flatMap(({ workload, slis }) => slis.map((sli) => ({ sli, workload })))
  for (const [name, members] of Map.groupBy(specs, ({ sli }) => sli.name)) {
    const [first] = members
    if (first === undefined) continue
    const { sli } = first
    const why = whyNone(sli, isPromql)
    const { objectivePercent } = sli
    if (why !== null || objectivePercent === null) {
      leftOut.push({ migration, sli: name, why: why ?? NO_OBJECTIVE })
      continue
    }
    const workloads = members.map(({ workload }) => workload)
    const made = sloGroups({ migration, clusters, sli: { ...sli, objectivePercent }, workloads }, runbooks)
    if (made) groups.push(...made)
    else leftOut.push({ migration, sli: name, why: NO_OBJECTIVE })
  }
  const signals = isPromql(fleet.signalSource) ? signalGroup(fleet, runbooks) : null
  return { migration, groups: signals ? [...groups, signals] : groups, leftOut }
}

const NO_OBJECTIVE = 'a value has no objective'

/** null: rules can be written for it. */
function whyNone({ objectivePercent, source, origin }: SliSpec, isPromql: RuleOptions['isPromql']): string | null {
  if (objectivePercent === null) return NO_OBJECTIVE
  // Those have the other windows, too, and the alerts: ours would say the same under a second name.
  if (origin !== undefined && origin.tool !== 'openslo') return `it is recorded already, as ${formatOrigin(origin)}`
  return isPromql(source) ? null : `Prometheus has no series of the source ${source}`
}
