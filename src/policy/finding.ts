import type { ProblemCode } from '../core/problem.ts'

/** Keys and indices from the root of the config. */
export type Path = readonly (string | number)[]

/** A part of the config text. */
export interface Place {
  readonly path: Path
  /** Point at the key instead of its value. A part that is not there is told at the nearest one around it. */
  readonly on?: 'key'
  /** Characters into a text value, from 0. */
  readonly within?: number
}

/** Something wrong with the config, before it has a line and a column. */
export interface Finding extends Place {
  readonly code: ProblemCode
  /** One sentence without a full stop; never the value of a secret. */
  readonly cause: string
  readonly hint?: string
  /** Another place that the cause ends with: its line and column are added. */
  readonly other?: Place
}
