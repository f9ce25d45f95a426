import type { z } from 'zod'
import { CATALOGUE, type ProblemCode } from '../core/catalogue.ts'
import type { Finding, Path } from './finding.ts'
import { exampleAt, keysAt, typeNameAt } from './shape.ts'
import { suggestion } from './suggest.ts'
import { chooseBranch } from './union.ts'
import { quoteValue, typeWord, wrongType } from './words.ts'

type Issue = z.core.$ZodIssue
type JsonSchema = z.core.JSONSchema.JSONSchema

/** What issues are told about: the value as read, and the shape that it should have. */
export interface IssueContext {
  readonly value: unknown
  readonly shape: JsonSchema
}

/** zod's issues as findings in the config's words. */
export function issueFindings(issues: readonly Issue[], context: IssueContext): Finding[] {
  const found = issues.flatMap((issue) => findingsOf(issue, [], context))
  return found.filter((finding) => !isEchoOfUnknownKey(finding, found))
}

// `hld: 5m` is one mistake, not two: an unknown key that was meant for a missing one.
function isEchoOfUnknownKey(finding: Finding, all: readonly Finding[]): boolean {
  if (finding.code !== 'CONFIG_MISSING_KEY') return false
  const parent = JSON.stringify(finding.path.slice(0, -1))
  const meant = `did you mean "${String(finding.path.at(-1))}"?`
  return all.some(
    (other) =>
      other.code === 'CONFIG_UNKNOWN_KEY' && other.hint === meant && JSON.stringify(other.path.slice(0, -1)) === parent,
  )
}

function findingsOf(issue: Issue, above: Path, context: IssueContext): Finding[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  const value = valueAt(context.value, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, context))
    case 'invalid_union': {
      const choice = chooseBranch(issue.errors, path, value, context.shape)
      return 'finding' in choice ? [choice.finding] : choice.issues.flatMap((inner) => findingsOf(inner, path, context))
    }
    case 'invalid_key':
      return issue.issues.flatMap((inner) => findingsOf(inner, path, context)).map((one) => ({ ...one, on: 'key' }))
    case 'custom':
      return [custom(issue, path)]
    default:
      return [value === undefined ? missingKey(path, context) : plain(issue, path, value, context)]
  }
}

function unknownKey(key: string, parent: Path, { shape }: IssueContext): Finding {
  const keys = keysAt(shape, parent)
  const path = [...parent, key]
  if (keys.includes(key))
    return {
      code: 'CONFIG_UNKNOWN_KEY',
      cause: `the key "${key}" does not go with the others here`,
      hint: 'keep the keys of one form; docs/config.md shows each',
      path,
      on: 'key',
    }
  return { code: 'CONFIG_UNKNOWN_KEY', cause: `unknown key "${key}"`, hint: suggestion(key, keys), path, on: 'key' }
}

function missingKey(path: Path, { shape }: IssueContext): Finding {
  const key = path.at(-1)
  const example = exampleAt(shape, path)
  const written = typeof example === 'object' ? JSON.stringify(example) : String(example)
  return {
    code: 'CONFIG_MISSING_KEY',
    cause: `${placeWord(path.slice(0, -1))} needs the key "${String(key)}"`,
    ...(example !== undefined && { hint: `add it, for example: ${String(key)}: ${written}` }),
    path,
  }
}

/** What a reader calls the map that a key is missing from. */
function placeWord(path: Path): string {
  const keys = path.filter((part) => typeof part === 'string')
  const last = keys.at(-1)
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

function plain(issue: Issue, path: Path, value: unknown, { shape }: IssueContext): Finding {
  const wrongValue = (cause: string, hint?: string): Finding => {
    return { code: 'CONFIG_WRONG_VALUE', cause, ...(hint && { hint }), path }
  }
  switch (issue.code) {
    case 'invalid_type':
      return { ...wrongType(issue.expected, value, typeNameAt(shape, path), exampleAt(shape, path)), path }
    case 'invalid_value': {
      const options = issue.values.map(String)
      if (typeof value !== 'string')
        return {
          code: 'CONFIG_WRONG_TYPE',
          cause: `${typeWord(value)} where ${options.join(' or ')} is expected`,
          path,
        }
      return wrongValue(
        `${quoteValue(value)} is not allowed here`,
        options.length === 1 ? `write ${options[0]}` : suggestion(value, options),
      )
    }
    case 'too_small':
    case 'too_big':
      return wrongValue(...sizeWords(issue, value))
    case 'not_multiple_of':
      return wrongValue(`${quoteValue(value)} is not a multiple of ${issue.divisor}`)
    case 'invalid_format':
      return wrongValue(issue.format === 'regex' ? issue.message : `this is not a valid ${issue.format}`)
    default:
      return wrongValue(issue.message)
  }
}

type SizeIssue = z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig

function sizeWords(issue: SizeIssue, value: unknown): [cause: string, hint?: string] {
  const isSmall = issue.code === 'too_small'
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum
  if (issue.origin === 'array' || issue.origin === 'set')
    return isSmall
      ? [`the list has fewer than ${bound} ${bound === 1 ? 'item' : 'items'}`, 'add one']
      : [`the list has more than ${bound} items`]
  if (issue.origin === 'string')
    return isSmall && bound === 1
      ? ['the text is empty']
      : [`the text is ${isSmall ? 'shorter' : 'longer'} than ${bound} characters`]
  const limit = issue.inclusive === false ? (isSmall ? 'above' : 'below') : isSmall ? 'at least' : 'at most'
  return [`${quoteValue(value)} is out of range`, `write a number of ${limit} ${bound}`]
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}
