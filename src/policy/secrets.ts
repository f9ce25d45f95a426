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
  const fieldAt = fieldsOf(shape)
  for (const { path, text } of textsOf(value, [])) {
    const field = fieldAt(path)
    if (field === 'unknown') continue
    const finding = field === 'secret' ? inSecretField(text, env) : inPlainField(text)
    if (finding) found.push({ ...finding, path })
  }
  return found
}

type Field = 'unknown' | 'secret' | 'plain'

/** What stands at a path. Items of a list have one shape: for ten thousand workloads it is looked for once. */
function fieldsOf(shape: z.core.JSONSchema.JSONSchema): (path: Path) => Field {
  const known = new Map<string, Field>()
  return (path) => {
    const key = JSON.stringify(path.map((part) => (typeof part === 'number' ? 0 : part)))
    let field = known.get(key)
    if (field === undefined) {
      const isSecret = typeNameAt(shape, path) === 'secret'
      field = shapesAt(shape, path).length === 0 ? 'unknown' : isSecret ? 'secret' : 'plain'
      known.set(key, field)
    }
    return field
  }
}

type Fault = Omit<Finding, 'path'>

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

function* textsOf(value: unknown, path: Path): Generator<{ path: Path; text: string }> {
  if (typeof value === 'string') yield { path, text: value }
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* textsOf(item, [...path, index])
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* textsOf(item, [...path, key])
}
