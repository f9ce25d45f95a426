import { CATALOGUE, type ProblemCode } from './catalogue.ts'

export type { ProblemCode } from './catalogue.ts'

/** A place in a text that somebody wrote. Line and column count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A problem as JSON: what the API, the journal and `--json` carry. */
export interface ProblemJson {
  readonly code: ProblemCode
  /** What is wrong here, with its values, one sentence without a full stop. */
  readonly cause: string
  /** What to do about it. */
  readonly hint: string
  readonly at?: Position
}

/**
 * A refusal or failure that a person can act on. The catalogue holds every code with its usual hint; a code once
 * retired is never used again.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly hint: string
  readonly at: Position | undefined

  constructor(json: ProblemJson, options?: ErrorOptions) {
    super(json.cause, options)
    this.name = 'Problem'
    this.code = json.code
    this.hint = json.hint
    this.at = json.at
  }

  toJSON(): ProblemJson {
    const { code, message, hint, at } = this
    return { code, cause: message, hint, ...(at && { at }) }
  }

  /** `file:line:column: CODE: cause (hint)`, the form that terminals and logs print. */
  override toString(): string {
    return formatProblem(this.toJSON())
  }
}

export interface ProblemOptions {
  /** Instead of the catalogue's hint, where the place knows better. */
  readonly hint?: string
  readonly at?: Position
  /** The error that led here, kept for logs at debug level. */
  readonly from?: unknown
}

/** Makes a problem of the catalogue. `cause` names the values at fault, never a secret. */
export function problem(code: ProblemCode, cause: string, options: ProblemOptions = {}): Problem {
  const json = { code, cause, hint: options.hint ?? CATALOGUE[code].hint, ...(options.at && { at: options.at }) }
  return new Problem(json, options.from === undefined ? undefined : { cause: options.from })
}

export function formatProblem({ code, cause, hint, at }: ProblemJson): string {
  const place = at ? `${at.file}:${at.line}:${at.column}: ` : ''
  return `${place}${code}: ${cause} (${hint})`
}
