import type { Finding } from './finding.ts'

type Fault = Omit<Finding, 'path'>

/** A short value in quotes; of a long one the start. */
export function quoteValue(value: unknown): string {
  const text = String(value)
  return `"${text.length > 60 ? `${text.slice(0, 57)}…` : text}"`
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
  string: ['a text', 'write a text; put a number in quotes'],
  number: ['a number', 'write a number without quotes or unit'],
  int: ['a whole number', 'write a whole number without quotes or unit'],
  boolean: ['true or false', 'write true or false'],
  object: ['a map', 'write `key: value` lines, indented below'],
  record: ['a map', 'write `name: …` lines, indented below'],
  array: ['a list', 'write […], or a line with `- ` for each item'],
}

/** Says that a value has the wrong type, in the words of Headgate's own type where it has one. Never the value itself. */
export function wrongType(expected: string, value: unknown, typeName: string | undefined, example: unknown): Fault {
  const isText = expected === 'string'
  if (isText && typeName === 'secret') return { code: 'CONFIG_SECRET_LITERAL', cause: 'not a reference to a secret' }
  if (isText && typeName === 'duration')
    return { code: 'CONFIG_DURATION', cause: `${typeWord(value)} is not a duration` }
  if (isText && typeName === 'percent')
    return { code: 'CONFIG_PERCENT', cause: `${typeWord(value)} is not a percentage` }
  const [word, hint] = EXPECTED[expected] ?? [expected, 'see docs/config.md for its type']
  const isShown = example !== undefined && typeof example !== 'object'
  return {
    code: 'CONFIG_WRONG_TYPE',
    cause: `${typeWord(value)} where ${word} is expected`,
    hint: isShown ? `${hint}, for example ${String(example)}` : hint,
  }
}
