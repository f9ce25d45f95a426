import type { z } from 'zod'
import type { Finding, Path } from './finding.ts'
import { shapesAt } from './shape.ts'

type Issue = z.core.$ZodIssue
type JsonSchema = z.core.JSONSchema.JSONSchema

/** The issues of one branch, with the keys that a map of it may have; or a finding of its own. */
type Choice =
  | { readonly issues: readonly Issue[]; readonly keys: readonly string[] | null }
  | { readonly finding: Finding }

/**
 * Of a union whose every branch failed, the branch that was probably meant: the one whose own required keys are there,
 * else the one with the least wrong. A map with no branch's own keys gets a finding that names them all.
 */
export function chooseBranch(
  branches: readonly (readonly Issue[])[],
  path: Path,
  value: unknown,
  shape: JsonSchema,
): Choice {
  const shapes = unionAt(shape, path, branches.length)
  const own = uniqueKeys(shapes)
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const present = own.map((keys) => (isMap ? keys.filter((key) => Object.hasOwn(value, key)).length : 0))
  const isFormMap = isMap && shapes.length > 0 && own.every((keys) => keys.length > 0)
  if (isFormMap && present.every((count) => count === 0)) return { finding: noForm(own, path) }
  const ranked = branches
    .map((issues, index) => ({
      issues,
      keys: Object.keys(shapes[index]?.properties ?? {}),
      present: present[index] ?? 0,
      cost: costOf(issues),
    }))
    .sort((a, b) => b.present - a.present || a.cost - b.cost)
  const best = ranked[0]
  return { issues: best?.issues ?? [], keys: best && best.keys.length > 0 ? best.keys : null }
}

function unionAt(shape: JsonSchema, path: Path, length: number): readonly JsonSchema[] {
  const union = shapesAt(shape, path).find((candidate) => candidate.anyOf?.length === length)
  return (union?.anyOf ?? []).filter((branch) => typeof branch === 'object')
}

/** By form: the keys that it alone requires. */
export function uniqueKeys(shapes: readonly JsonSchema[]): readonly (readonly string[])[] {
  const required = shapes.map((shape) => shape.required ?? [])
  return required.map((keys, index) =>
    keys.filter((key) => !required.some((other, at) => at !== index && other.includes(key))),
  )
}

function noForm(own: readonly (readonly string[])[], path: Path): Finding {
  const forms = own.map((keys) => keys.map((key) => `\`${key}\``).join(' and '))
  return {
    code: 'CONFIG_MISSING_KEY',
    cause: 'the keys that say what this is are missing',
    hint: `add one of: ${forms.join('; ')}`,
    path,
  }
}

function costOf(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length === 0 && issue.code === 'invalid_type') return sum + 1000
    if (issue.path.length === 0 && issue.code === 'invalid_value') return sum + 500
    return sum + (issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : 1)
  }, 0)
}
