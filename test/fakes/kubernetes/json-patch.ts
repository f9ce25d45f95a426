import { isDeepStrictEqual } from 'node:util'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A patch that cannot be applied as a whole: then nothing of it is. */
export class PatchError extends Error {}

/** RFC 6902, as API servers apply it: `add` to a member that is there replaces it, all else wants its path to exist. */
export function applyJsonPatch(document: Json, patch: readonly Record<string, Json>[]): Json {
  let result = structuredClone(document)
  for (const { op, path, from, value } of patch) {
    if (typeof op !== 'string' || typeof path !== 'string') throw new PatchError('an operation needs `op` and `path`')
    const at = pointer(path)
    if (op === 'test') {
      if (!isDeepStrictEqual(get(result, at), value)) throw new PatchError(`testing value ${path} failed`)
    } else if (op === 'remove') result = removed(result, at)
    else if (op === 'add') result = added(result, at, required(value))
    else if (op === 'replace') result = added(removed(result, at), at, required(value))
    else if ((op === 'move' || op === 'copy') && typeof from === 'string') {
      const moved = structuredClone(get(result, pointer(from)))
      if (op === 'move') result = removed(result, pointer(from))
      result = added(result, at, moved)
    } else throw new PatchError(`unexpected kind: ${op}`)
  }
  return result
}

/** RFC 7386. */
export function applyMergePatch(document: Json, patch: Json): Json {
  if (!isMap(patch)) return patch
  const result: { [key: string]: Json } = isMap(document) ? { ...document } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = applyMergePatch(result[key] ?? null, value)
  }
  return result
}

export function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function required(value: Json | undefined): Json {
  if (value === undefined) throw new PatchError('the operation needs a value')
  return structuredClone(value)
}

function pointer(path: string): readonly string[] {
  if (path !== '' && !path.startsWith('/')) throw new PatchError(`${path} is no pointer`)
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function get(document: Json, path: readonly string[]): Json {
  return path.reduce<Json>((node, key) => {
    const next = Array.isArray(node) ? node[indexOf(key, node.length - 1)] : isMap(node) ? node[key] : undefined
    if (next === undefined) throw new PatchError(`missing path /${path.join('/')}`)
    return next
  }, document)
}

function removed(document: Json, path: readonly string[]): Json {
  const [parent, key] = parentOf(document, path)
  get(document, path)
  if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length - 1), 1)
  else delete parent[key]
  return document
}

function added(document: Json, path: readonly string[], value: Json): Json {
  const [parent, key] = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : indexOf(key, parent.length), 0, value)
  else parent[key] = value
  return document
}

function parentOf(document: Json, path: readonly string[]): [Json[] | { [key: string]: Json }, string] {
  const parent = get(document, path.slice(0, -1))
  const key = path.at(-1)
  if (key === undefined || (!Array.isArray(parent) && !isMap(parent)))
    throw new PatchError(`missing path /${path.join('/')}`)
  return [parent, key]
}

function indexOf(key: string, max: number): number {
  const index = /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN
  if (!(index <= max)) throw new PatchError(`invalid index ${key}`)
  return index
}
