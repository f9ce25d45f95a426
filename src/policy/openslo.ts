import { dirname, join } from 'node:path'
import type { SliSpec } from '../core/plan.ts'
import type { ReadBeside } from './check-calendar.ts'
import type { FileFinding, MigrationFile } from './files.ts'
import type { Finding } from './finding.ts'
import { measureOf } from './openslo-measure.ts'
import { below, isRefused, isThere, itemsOf, type Part, refused, textOf } from './openslo-part.ts'
import type { WrittenConfig } from './schema.ts'
import type { SliSettings } from './schema-sli.ts'
import type { OpenSloSettings } from './schema-slo.ts'
import { suggestion } from './suggest.ts'
import { readYamlDocuments } from './yaml.ts'

export interface ResolvedSlis {
  /** null: there are findings. */
  readonly slis: Readonly<Record<string, SliSettings>> | null
  readonly findings: readonly FileFinding[]
  /** The files that were read, by their names. */
  readonly files: ReadonlyMap<string, { readonly text: string }>
}

/** The SLIs of a config with the definitions that OpenSLO files have, or what is wrong with those. */
export function resolveSlis(written: WrittenConfig['slis'], config: MigrationFile, read: ReadBeside): ResolvedSlis {
  const files = new Map<string, { readonly text: string }>()
  const findings: FileFinding[] = []
  const slis = Object.entries(written).flatMap(([name, settings]): [string, SliSettings][] => {
    if (!('openslo' in settings)) return [[name, settings]]
    const { file } = settings.openslo
    const content = files.get(file) ?? read(file)
    if ('why' in content) {
      const finding = { code: 'CONFIG_FILE_UNREADABLE', cause: `${file}: ${content.why}` } as const
      findings.push(inConfig(config, name, { ...finding, path: ['openslo', 'file'] }))
      return []
    }
    files.set(file, content)
    const found = definitionOf(settings, content.text, { config, name })
    if (!Array.isArray(found)) return [[name, found]]
    findings.push(...found)
    return []
  })
  return { slis: findings.length > 0 ? null : Object.fromEntries(slis), findings, files }
}

/** The SLI of a config that asks for a definition. */
interface Asking {
  readonly config: MigrationFile
  readonly name: string
}

function inConfig(config: MigrationFile, name: string, finding: Finding): FileFinding {
  const path = ['slis', name, ...finding.path]
  return { finding: { ...finding, path }, in: config.homeOf(path) }
}

function definitionOf(settings: OpenSloSettings, text: string, asking: Asking): SliSettings | FileFinding[] {
  const { source, labels, openslo } = settings
  const file = join(dirname(asking.config.file), openslo.file)
  const documents = readYamlDocuments(text)
  const syntax = documents.flatMap((yaml) =>
    yaml.syntax.map(({ offset, ...finding }): FileFinding => {
      // The deepest part is not known yet where the text cannot be read.
      return { finding: { ...finding, path: [] }, in: { file, yaml: { ...yaml, locate: () => yaml.lineOf(offset) } } }
    }),
  )
  if (syntax.length > 0) return syntax
  const parts = documents.map((yaml): Part => ({ home: { file, yaml }, path: [], value: yaml.value }))
  const slo = chooseSlo(parts, openslo, asking)
  if (isRefused(slo)) return [slo]
  const objectivePercent = objectiveOf(slo, settings, asking)
  const spec = indicatorOf(slo, parts)
  const measure = isRefused(spec) ? spec : measureOf(spec, parts)
  const findings = [refusalOfSlo(slo), objectivePercent, measure].filter(
    (one): one is FileFinding => typeof one === 'object' && one !== null && isRefused(one),
  )
  if (findings.length > 0 || isRefused(measure) || typeof objectivePercent !== 'number') return findings
  const origin: SliSpec['origin'] = { tool: 'openslo', of: `${nameOf(slo)} in ${openslo.file}` }
  const worst = settings.worst ?? (measure.kind === 'histogram' ? 'halt' : 'revert')
  return { source, labels, worst, objectivePercent, measure, bound: null, origin }
}

function nameOf(document: Part): string {
  return textOf(below(document, 'metadata', 'name')) ?? ''
}

function chooseSlo(parts: readonly Part[], openslo: OpenSloSettings['openslo'], asking: Asking): Part | FileFinding {
  const all = parts.filter((part) => below(part, 'kind').value === 'SLO')
  const names = all.map(nameOf)
  const fitting = openslo.slo === null ? all : all.filter((part) => nameOf(part) === openslo.slo)
  const [first, second] = fitting
  const { config, name } = asking
  if (first === undefined)
    return inConfig(config, name, {
      code: 'CONFIG_NOT_FOUND',
      cause: openslo.slo === null ? `${openslo.file} has no SLO` : `${openslo.file} has no SLO "${openslo.slo}"`,
      hint: openslo.slo === null ? 'name a file with a document of `kind: SLO`' : suggestion(openslo.slo, names),
      path: ['openslo', openslo.slo === null ? 'file' : 'slo'],
    })
  if (second === undefined) return first
  if (openslo.slo === null)
    return inConfig(config, name, {
      code: 'CONFIG_MISSING_KEY',
      cause: `${openslo.file} has ${fitting.length} SLOs`,
      hint: `add \`slo:\` with one of: ${names.join(', ')}`,
      path: ['openslo', 'file'],
    })
  const path = ['metadata', 'name']
  const taken = refused(
    below(second, ...path),
    'CONFIG_DUPLICATE',
    `the SLO "${openslo.slo}" is there already`,
    'keep one',
  )
  return { ...taken, finding: { ...taken.finding, other: { path } }, otherIn: first.home }
}

function refusalOfSlo(slo: Part): FileFinding | null {
  const version = below(slo, 'apiVersion')
  if (version.value !== 'openslo/v1')
    return refused(
      version,
      'CONFIG_WRONG_VALUE',
      'this is no document of OpenSLO v1',
      'convert it to `apiVersion: openslo/v1`',
    )
  const method = below(slo, 'spec', 'budgetingMethod')
  if (!isThere(method) || method.value === 'Occurrences') return null
  return refused(
    method,
    'CONFIG_WRONG_VALUE',
    'Headgate counts events, not slices of time',
    'only `budgetingMethod: Occurrences` can be used',
  )
}

function indicatorOf(slo: Part, parts: readonly Part[]): Part | FileFinding {
  const inline = below(slo, 'spec', 'indicator')
  if (isThere(inline)) return below(inline, 'spec')
  const reference = below(slo, 'spec', 'indicatorRef')
  const name = textOf(reference)
  if (name === null)
    return refused(reference, 'CONFIG_MISSING_KEY', 'the SLO has no indicator', 'add `indicator:` or `indicatorRef:`')
  const all = parts.filter((part) => below(part, 'kind').value === 'SLI')
  const found = all.find((part) => nameOf(part) === name)
  if (found) return below(found, 'spec')
  const hint = all.length === 0 ? 'put the SLI into the same file' : suggestion(name, all.map(nameOf))
  return refused(reference, 'CONFIG_NOT_FOUND', `no SLI of this file is called "${name}"`, hint)
}

/** In percent. */
function objectiveOf(slo: Part, { objectivePercent, openslo }: OpenSloSettings, asking: Asking): number | FileFinding {
  const objectives = itemsOf(below(slo, 'spec', 'objectives'))
  const read = objectives.map(targetOf)
  const [only] = read
  if (only === undefined)
    return refused(
      below(slo, 'spec', 'objectives'),
      'CONFIG_MISSING_KEY',
      'the SLO has no objectives',
      'add one with `target:`',
    )
  const wrong = read.find((one) => typeof one !== 'number')
  if (wrong !== undefined) return wrong
  if (objectivePercent === null && read.length === 1) return only
  if (objectivePercent !== null && read.includes(objectivePercent)) return objectivePercent
  const targets = `one of: ${read.map((one) => `${one}%`).join(', ')}`
  const { config, name } = asking
  return objectivePercent === null
    ? inConfig(config, name, {
        code: 'CONFIG_MISSING_KEY',
        cause: `${nameOf(slo)} in ${openslo.file} has ${read.length} objectives`,
        hint: `add \`objective:\` with ${targets}`,
        path: ['openslo'],
        on: 'key',
      })
    : inConfig(config, name, {
        code: 'CONFIG_WRONG_VALUE',
        cause: `${nameOf(slo)} in ${openslo.file} has no objective of ${objectivePercent}%`,
        hint: read.length === 1 ? `leave it out, or write ${only}%` : `write ${targets}`,
        path: ['objective'],
      })
}

function targetOf(objective: Part): number | FileFinding {
  const composite = ['indicator', 'indicatorRef'].map((key) => below(objective, key)).find(isThere)
  if (composite)
    return refused(
      composite,
      'CONFIG_WRONG_VALUE',
      'an objective with an indicator of its own makes the SLO a composite',
      'make an SLO of it, and an SLI of the config for each',
      { on: 'key' },
    )
  const [share, percent] = [below(objective, 'target'), below(objective, 'targetPercent')]
  const at = isThere(percent) ? percent : share
  if (!isThere(at))
    return refused(objective, 'CONFIG_MISSING_KEY', 'the objective has no target', 'add `target: 0.999`')
  const factor = at === percent ? 1 : 100
  const value = typeof at.value === 'number' ? Number((at.value * factor).toPrecision(12)) : Number.NaN
  if (value >= 50 && value <= 99.999 && Number(value.toFixed(3)) === value) return value
  return refused(
    at,
    'CONFIG_WRONG_VALUE',
    `not a share of good events that Headgate can judge`,
    factor === 1
      ? 'write a number from 50 to 99.999, with at most 3 digits behind the point'
      : 'write a number from 0.5 to 0.99999, with at most 5 digits behind the point',
  )
}
