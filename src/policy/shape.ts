import { z } from 'zod'
import type { Path } from './finding.ts'
import type { Kinds } from './kinds.ts'
import { readPreset } from './presets.ts'
import { configSchema } from './schema.ts'

type JsonSchema = z.core.JSONSchema.JSONSchema

/** The config's JSON Schema (draft 2020-12) of what people write: for editors, the reference, and the messages. */
export function configShape(kinds: Kinds): JsonSchema {
  const shape = z.toJSONSchema(configSchema(kinds), {
    io: 'input',
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // zod drops examples and defaults where text is transformed: there they are of the text, as wanted here.
      const meta = z.globalRegistry.get(zodSchema)
      if (Array.isArray(meta?.examples)) jsonSchema.examples = [...meta.examples]
      if (meta?.default !== undefined) jsonSchema.default = meta.default
      // An empty default says nothing: the keys inside have theirs.
      if (isEmpty(jsonSchema.default)) delete jsonSchema.default
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  showPresetDefaults(shape, ['policies', ''], readPreset('standard').raw)
  return { title: 'Headgate config', ...shape }
}

// What an own policy does not say comes from the preset: editors show that as the default.
function showPresetDefaults(shape: JsonSchema, path: Path, values: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(values)) {
    const [property] = shapesAt(shape, [...path, key])
    if (property) property.default = value
    if (isRecord(value)) showPresetDefaults(shape, [...path, key], value)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function isShape(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every shape that the config may have at a path: several below a union, none below an unknown key. */
export function shapesAt(root: JsonSchema, path: Path): readonly JsonSchema[] {
  let shapes = alternatives(root)
  for (const part of path) {
    shapes = shapes.flatMap((shape) => {
      const child = childShape(shape, part)
      return isShape(child) ? alternatives(child) : []
    })
  }
  return shapes
}

/** A shape, and those of its union. */
function alternatives(shape: JsonSchema): readonly JsonSchema[] {
  return [shape, ...(shape.anyOf ?? []).filter(isShape).flatMap(alternatives)]
}

function childShape(shape: JsonSchema, part: string | number): unknown {
  if (typeof part === 'number') return shape.items
  return shape.properties && Object.hasOwn(shape.properties, part) ? shape.properties[part] : shape.additionalProperties
}

/** Keys that a map may have there. */
export function keysAt(root: JsonSchema, path: Path): readonly string[] {
  return [...new Set(shapesAt(root, path).flatMap((shape) => Object.keys(shape.properties ?? {})))]
}

/** The name of the type of Headgate's own, such as `duration`. */
export function typeNameAt(root: JsonSchema, path: Path): string | undefined {
  return shapesAt(root, path)
    .map((shape) => shape['x-type'])
    .find((type) => typeof type === 'string')
}

/** An example of what to write there. */
export function exampleAt(root: JsonSchema, path: Path): unknown {
  return shapesAt(root, path).flatMap((shape) => [...(Array.isArray(shape.examples) ? shape.examples : [])])[0]
}
