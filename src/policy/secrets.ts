import type { z } from 'zod'
import { Problem } from '../core/problem.ts'
import { isSecretReference } from '../shared/schema.ts'
import { resolveSecret } from '../shared/secret.ts'
import type { Finding, Path } from './finding.ts'
import { shapesAt, typeNameAt } from './shape.ts'

/** A user with or without a password before a URL's host. */
const CREDENTIALS_IN_URL = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#]*@/i
const REFERENCE_LIKE = /\$\{(env|file):/

/**
 * Looks at every text of the config: secrets stand only in secret fields, there only as references, and each can be
 * resolved now. Parts below unknown keys are left to the message about the key. No finding repeats a text.
 */
export function secretFindings(value: unknown, shape: z.core.JSONSchema.JSONSchema, env: NodeJS.ProcessEnv): Finding[] {
  const found: Finding[] = []
  const path: (string | number)[] = []
  const look = (part: unknown, place: Place): void => {
    if (typeof part === 'string') {
      place.field ??= fieldAt(shape, path)
      const finding = faultOf(part, place.field, env)
      if (finding) found.push({ ...finding, path: [...path] })
    } else if (Array.isArray(part)) for (const [index, item] of part.entries()) below(index, item, placeIn(place, 0))
    else if (typeof part === 'object' && part !== null)
      for (const [key, item] of Object.entries(part)) below(key, item, placeIn(place, key))
  }
  const below = (key: string | number, part: unknown, place: Place) => {
    path.push(key)
    look(part, place)
    path.pop()
  }
  look(value, newPlace())
  return found
}

type Field = 'unknown' | 'secret' | 'plain'

/** A place of the config. Items of a list have one shape, and one place: for ten thousand workloads it is looked for once. */
interface Place {
  /** What stands there; null: nobody has asked. */
  field: Field | null
  readonly parts: Map<string | number, Place>
}

function newPlace(): Place {
  return { field: null, parts: new Map() }
}

function placeIn({ parts }: Place, key: string | number): Place {
  const place = parts.get(key) ?? newPlace()
  parts.set(key, place)
  return place
}

function fieldAt(shape: z.core.JSONSchema.JSONSchema, path: Path): Field {
  if (shapesAt(shape, path).length === 0) return 'unknown'
  return typeNameAt(shape, path) === 'secret' ? 'secret' : 'plain'
}

type Fault = Omit<Finding, 'path'>

function faultOf(text: string, field: Field, env: NodeJS.ProcessEnv): Fault | null {
  if (field === 'unknown') return null
  return field === 'secret' ? inSecretField(text, env) : inPlainField(text)
}

function inSecretField(text: string, env: NodeJS.ProcessEnv): Fault | null {
  if (REFERENCE_LIKE.test(text) && !isSecretReference(text))
    return {
      code: 'CONFIG_SECRET_LITERAL',
      cause: 'not a plain reference to a secret',
      hint: 'write exactly ${env:NAME}, or ${file:/PATH} with an absolute path, and nothing around it',
    }
  if (!isSecretReference(text)) return { code: 'CONFIG_SECRET_LITERAL', cause: 'a secret is written into the config' }
  try {
    resolveSecret(text, env)
    return null
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, cause: error.message, hint: error.hint }
    throw error
  }
}

function inPlainField(text: string): Fault | null {
  if (CREDENTIALS_IN_URL.test(text))
    return {
      code: 'CONFIG_SECRET_LITERAL',
      cause: 'a URL with credentials in it',
      hint: 'remove what stands between `//` and `@`, and use a secret field with ${env:NAME}',
    }
  if (REFERENCE_LIKE.test(text))
    return { code: 'CONFIG_SECRET_MISPLACED', cause: 'a reference to a secret in a field that is shown' }
  return null
}
