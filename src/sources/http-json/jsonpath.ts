import { createRequire } from 'node:module'
import type { JSONPathQuery, JSONValue } from 'json-p3'
import { z } from 'zod'
import { about } from '../../shared/schema.ts'

export type { JSONValue } from 'json-p3'

const require = createRequire(import.meta.url)
const compiled = new Map<string, JSONPathQuery>()

/** Compiles a JSONPath, once; throws for a text that is none. The library is loaded with the first one: few configs have any. */
function compile(path: string): JSONPathQuery {
  const known = compiled.get(path)
  if (known) return known
  const library: typeof import('json-p3') = require('json-p3')
  const query = library.compile(path)
  compiled.set(path, query)
  return query
}

/** All values that a path finds; null: the value nests deeper than it can be looked through. */
export function find(path: string, value: JSONValue): readonly JSONValue[] | null {
  try {
    return compile(path).query(value).values()
  } catch {
    // A path of the config is checked there, so that it is the value that is too much.
    return null
  }
}

/** A field that holds a JSONPath as RFC 9535 has it. */
export function jsonPath(description: string, example: string) {
  return z
    .string()
    .meta({ 'x-type': 'JSONPath', ...about(description, example) })
    .superRefine((text, ctx) => {
      try {
        compile(text)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        const hint = `write it as RFC 9535 has it: ${example}`
        ctx.addIssue({
          code: 'custom',
          message: `no JSONPath: ${message}`,
          params: { code: 'CONFIG_WRONG_VALUE', hint },
        })
      }
    })
}
