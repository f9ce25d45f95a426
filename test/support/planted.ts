import { isSecretReference } from '../../src/shared/schema.ts'

/** Something as JSON has it: a config, or its JSON Schema. */
type Node = Readonly<Record<string, unknown>>

/** Where a config may have secrets, as its schema says: `api.tokens[].token`, `policies.*.hooks[].http.signingKey`. */
export function secretPlaces(schema: unknown): readonly string[] {
  return [...new Set(placesIn(schema, ''))].sort()
}

function placesIn(shape: unknown, path: string): readonly string[] {
  if (!isNode(shape)) return []
  if ('$ref' in shape) throw new Error(`${path}: a reference, which nobody follows here`)
  const own = shape['x-type'] === 'secret' ? [path] : []
  const properties = Object.entries(isNode(shape['properties']) ? shape['properties'] : {})
  const variants = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => listOf(shape[key]))
  return [
    ...own,
    ...properties.flatMap(([key, child]) => placesIn(child, joined(path, key))),
    ...listOf(shape['prefixItems']).flatMap((child) => placesIn(child, `${path}[]`)),
    ...placesIn(shape['items'], `${path}[]`),
    ...placesIn(shape['additionalProperties'], joined(path, '*')),
    ...variants.flatMap((variant) => placesIn(variant, path)),
  ]
}

/** Where a config has references to secrets, in the words of `secretPlaces`; maps with free keys are named. */
export function plantedPlaces(config: unknown, maps: readonly string[], path = ''): readonly string[] {
  if (typeof config === 'string') return isSecretReference(config) ? [path] : []
  if (Array.isArray(config)) return config.flatMap((item) => plantedPlaces(item, maps, `${path}[]`))
  if (!isNode(config)) return []
  return Object.entries(config).flatMap(([key, child]) =>
    plantedPlaces(child, maps, joined(path, maps.includes(path) ? '*' : key)),
  )
}

function joined(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
