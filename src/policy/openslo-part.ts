import type { ConfigFile, FileFinding } from './files.ts'
import type { Finding, Path } from './finding.ts'

/** A part of a document of an OpenSLO file. */
export interface Part {
  readonly home: ConfigFile
  readonly path: Path
  /** undefined: it is not there. */
  readonly value: unknown
}

/** What is below a part; where nothing is, a finding about it points at the nearest part around. */
export function below(part: Part, ...path: Path): Part {
  const value = path.reduce<unknown>((above, key) => {
    if (typeof above !== 'object' || above === null || !Object.hasOwn(above, key)) return undefined
    return Reflect.get(above, key)
  }, part.value)
  return { home: part.home, path: [...part.path, ...path], value }
}

/** The items of a list; none of anything else. */
export function itemsOf(part: Part): readonly Part[] {
  return Array.isArray(part.value) ? part.value.map((_, index) => below(part, index)) : []
}

export function isThere({ value }: Part): boolean {
  return value !== undefined && value !== null
}

/** The text of a part; null: it is none. */
export function textOf({ value }: Part): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function refused(
  { home, path }: Part,
  code: Finding['code'],
  cause: string,
  hint: string,
  more: Pick<Finding, 'on' | 'within'> = {},
): FileFinding {
  return { finding: { code, cause, hint, path, ...more }, in: home }
}

export function isRefused(result: object): result is FileFinding {
  return 'finding' in result
}
