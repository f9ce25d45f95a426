import { stringify } from 'yaml'
import type { z } from 'zod'
import type { ProblemCode } from '../core/problem.ts'
import type { Finding } from './finding.ts'
import { suggestion } from './suggest.ts'

type Fault = Omit<Finding, 'path'>

/** A short text in quotes, of a long one the start; a number as it is. */
export function quoteValue(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = String(value)
  return `"${text.length > 60 ? `${text.slice(0, 57)}…` : text}"`
}

/** A value as one writes it in YAML on one line. */
export function yamlText(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
}

/** What a reader calls the type of a value. */
export function typeWord(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    object: 'a map',
  }
  return words[typeof value] ?? 'something else'
}

const EXPECTED: Readonly<Record<string, readonly [word: string, hint: string]>> = {
  string: ['a text', 'put it in quotes'],
  number: ['a number', 'write a number without quotes or unit'],
  int: ['a whole number', 'write a whole number without quotes or unit'],
  boolean: ['true or false', 'write true or false'],
  object: ['a map', 'write `key: value` lines below'],
  record: ['a map', 'write `name: …` lines below'],
  array: ['a list', 'write […], or lines with `- `'],
}

const OWN_TYPES: Readonly<Record<string, ProblemCode>> = {
  duration: 'CONFIG_DURATION',
  latency: 'CONFIG_DURATION',
  percent: 'CONFIG_PERCENT',
}

/** Says that a value has the wrong type, in the words of Headgate's own type where it has one. Never the value itself. */
export function wrongType(expected: string, value: unknown, typeName: string | undefined, example: unknown): Fault {
  const found = typeWord(value)
  const [word, advice] = EXPECTED[expected] ?? [expected, 'see docs/config.md for its type']
  const hint = example === undefined ? advice : `${advice}, for example ${yamlText(example)}`
  if (expected !== 'string' || typeName === undefined)
    return { code: 'CONFIG_WRONG_TYPE', cause: `${found} where ${word} is expected`, hint }
  if (typeName === 'secret')
    return { code: 'CONFIG_SECRET_LITERAL', cause: `${found} where a secret's reference is expected` }
  const code = OWN_TYPES[typeName]
  if (code)
    return {
      code,
      cause: `${found} where a ${typeName === 'percent' ? 'percentage' : typeName} is expected`,
      hint: `write for example ${yamlText(example)}`,
    }
  return { code: 'CONFIG_WRONG_TYPE', cause: `${found} where a text (${typeName}) is expected`, hint }
}

/** Says that a value is none of a fixed set. An example that is a map shows the other form that a place may have. */
export function notAllowed(options: readonly string[], value: unknown, example: unknown): Fault {
  const asMap = typeof example === 'object' ? `, or for example ${yamlText(example)}` : ''
  const only = `write ${options.join(' or ')}${asMap}`
  if (typeof value !== 'string') {
    const cause = `${typeWord(value)} where ${options.join(' or ')} is expected`
    return { code: 'CONFIG_WRONG_TYPE', cause, hint: only }
  }
  const hint = options.length === 1 ? only : suggestion(value, options)
  return { code: 'CONFIG_WRONG_VALUE', cause: `${quoteValue(value)} is not allowed here`, hint }
}

/** Says that a number, text or list is too small or too big. */
export function wrongSize(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, value: unknown): Fault {
  const isSmall = issue.code === 'too_small'
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum
  const fault = (cause: string, hint: string): Fault => ({ code: 'CONFIG_WRONG_VALUE', cause, hint })
  if (issue.origin === 'number' || issue.origin === 'int') {
    const limit = issue.inclusive === false ? (isSmall ? 'above' : 'below') : isSmall ? 'of at least' : 'of at most'
    return fault(`${quoteValue(value)} is out of range`, `write a number ${limit} ${bound}`)
  }
  const [thing, parts] = issue.origin === 'string' ? ['text', 'characters'] : ['list', 'items']
  if (isSmall && bound === 1)
    return fault(`the ${thing} is empty`, thing === 'list' ? 'add an item' : 'write something')
  return fault(
    `the ${thing} has ${isSmall ? 'fewer' : 'more'} than ${bound} ${parts}`,
    isSmall ? 'make it longer' : 'make it shorter',
  )
}
