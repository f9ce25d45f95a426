import type { z } from 'zod'
import { CATALOGUE, type ProblemCode } from '../core/catalogue.ts'
import type { Finding, Path } from './finding.ts'
import { exampleAt, keysAt, typeNameAt } from './shape.ts'
import { suggestion } from './suggest.ts'
import { chooseBranch } from './union.ts'
import { notAllowed, quoteValue, wrongSize, wrongType, yamlText } from './words.ts'

type Issue = z.core.$ZodIssue
type Keys = readonly string[]

/** What issues are told about: the value as read, and the shape that it should have. */
export interface IssueContext {
  readonly value: unknown
  readonly shape: z.core.JSONSchema.JSONSchema
}

/** zod's issues as findings in the config's words. */
export function issueFindings(issues: readonly Issue[], context: IssueContext): Finding[] {
  const found = issues.flatMap((issue) => findingsOf(issue, [], context, null))
  return found.filter((finding) => !isEchoOfUnknownKey(finding, found))
}

// `hld: 5m` is one mistake, not two: an unknown key that was meant for what is missing.
function isEchoOfUnknownKey(finding: Finding, all: readonly Finding[]): boolean {
  if (finding.code !== 'CONFIG_MISSING_KEY') return false
  const here = JSON.stringify(finding.path)
  const parent = JSON.stringify(finding.path.slice(0, -1))
  const meant = `did you mean "${String(finding.path.at(-1))}"?`
  return all.some((other) => {
    if (other.code !== 'CONFIG_UNKNOWN_KEY') return false
    const around = JSON.stringify(other.path.slice(0, -1))
    return around === here || (around === parent && other.hint === meant)
  })
}

/** `formKeys`: the keys of the form that was probably meant, where the issue's place has several. */
function findingsOf(issue: Issue, above: Path, context: IssueContext, formKeys: Keys | null): Finding[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  const value = valueAt(context.value, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, context, issue.path.length === 0 ? formKeys : null))
    case 'invalid_union': {
      const choice = chooseBranch(issue.errors, path, value, context.shape)
      if ('finding' in choice) return [choice.finding]
      return choice.issues.flatMap((inner) => findingsOf(inner, path, context, choice.keys))
    }
    case 'invalid_key':
      return issue.issues
        .flatMap((inner) => findingsOf(inner, path, context, null))
        .map((finding) => ({ ...finding, on: 'key' }))
    case 'custom':
      return [custom(issue, path)]
    default:
      return [value === undefined ? missingKey(path, context) : wrongValue(issue, path, value, context)]
  }
}

function unknownKey(key: string, parent: Path, { shape }: IssueContext, formKeys: Keys | null): Finding {
  const keys = keysAt(shape, parent)
  const finding = (cause: string, hint: string): Finding => {
    return { code: 'CONFIG_UNKNOWN_KEY', cause, hint, path: [...parent, key], on: 'key' }
  }
  if (/[(){}[\]"]/.test(key))
    return finding(`${quoteValue(key)} was read as a key`, 'inside of {…}, quote a text that has a comma or a bracket')
  if (keys.includes(key))
    return finding(`the key "${key}" does not go with the others here`, 'keep the keys of one form; see docs/config.md')
  return finding(`unknown key ${quoteValue(key)}`, suggestion(key, formKeys ?? keys))
}

function missingKey(path: Path, { shape }: IssueContext): Finding {
  const key = String(path.at(-1))
  const example = exampleAt(shape, path)
  return {
    code: 'CONFIG_MISSING_KEY',
    cause: `${placeWord(path.slice(0, -1))} needs the key "${key}"`,
    ...(example !== undefined && { hint: `add it, for example ${key}: ${yamlText(example)}` }),
    path,
  }
}

/** What a reader calls the map that a key is missing from. */
function placeWord(path: Path): string {
  const last = path.findLast((part) => typeof part === 'string')
  if (last === undefined) return 'the config'
  return typeof path.at(-1) === 'number' ? `this item of \`${last}\`` : `\`${last}\``
}

function custom(issue: z.core.$ZodIssueCustom, path: Path): Finding {
  const { code, hint, within } = issue.params ?? {}
  return {
    code: isProblemCode(code) ? code : 'CONFIG_WRONG_VALUE',
    cause: issue.message,
    ...(typeof hint === 'string' && { hint }),
    ...(typeof within === 'number' && { within }),
    path,
  }
}

function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(CATALOGUE, code)
}

function wrongValue(issue: Issue, path: Path, value: unknown, { shape }: IssueContext): Finding {
  const example = exampleAt(shape, path)
  switch (issue.code) {
    case 'invalid_type':
      return { ...wrongType(issue.expected, value, typeNameAt(shape, path), example), path }
    case 'invalid_value':
      return { ...notAllowed(issue.values.map(String), value, example), path }
    case 'too_small':
    case 'too_big':
      return { ...wrongSize(issue, value), path }
    default: {
      const cause =
        issue.code === 'invalid_format' && issue.format !== 'regex' ? `not a valid ${issue.format}` : issue.message
      const hint = example === undefined ? undefined : `write for example ${yamlText(example)}`
      return { code: 'CONFIG_WRONG_VALUE', cause, ...(hint && { hint }), path }
    }
  }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}
