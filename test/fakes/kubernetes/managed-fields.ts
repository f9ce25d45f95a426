import { isDeepStrictEqual } from 'node:util'
import { isMap, type Json } from './json-patch.ts'

/** Who wrote which field last. A list counts as one field, as it does in CRDs without list types. */
export class ManagedFields {
  readonly #owners = new Map<string, Set<string>>()

  /** Notes that a manager changed an object from one form to the other. */
  note(manager: string, subresource: string, before: Json, after: Json): void {
    const changed = changedPaths(before, after, [])
    if (changed.length === 0) return
    for (const paths of this.#owners.values()) for (const path of changed) paths.delete(path)
    const key = JSON.stringify([manager, subresource])
    const own = this.#owners.get(key) ?? new Set()
    for (const path of changed) own.add(path)
    this.#owners.set(key, own)
  }

  toJson(): Json[] {
    return [...this.#owners]
      .filter(([, paths]) => paths.size > 0)
      .map(([key, paths]) => {
        const [manager = '', subresource = ''] = JSON.parse(key)
        const fieldsV1: { [key: string]: Json } = {}
        for (const path of paths) insert(fieldsV1, JSON.parse(path))
        return {
          manager,
          operation: 'Update',
          fieldsType: 'FieldsV1',
          fieldsV1,
          ...(subresource !== '' && { subresource }),
        }
      })
  }
}

/** The leaves that differ, but for what the server itself writes. */
function changedPaths(before: Json | undefined, after: Json | undefined, path: readonly string[]): readonly string[] {
  if (isDeepStrictEqual(before, after)) return []
  const isPart = path[0] === 'metadata' && path.length === 2 && path[1] !== 'labels' && path[1] !== 'annotations'
  if (isPart || path[0] === 'apiVersion' || path[0] === 'kind') return []
  if (!isMap(after) && !isMap(before)) return after === undefined ? [] : [JSON.stringify(path)]
  const [old, fresh] = [isMap(before) ? before : {}, isMap(after) ? after : {}]
  const keys = new Set([...Object.keys(old), ...Object.keys(fresh)])
  return [...keys].flatMap((key) => changedPaths(old[key], fresh[key], [...path, key]))
}

function insert(fields: { [key: string]: Json }, path: readonly string[]): void {
  let node = fields
  for (const part of path) {
    const next = node[`f:${part}`]
    const child = isMap(next) ? next : {}
    node[`f:${part}`] = child
    node = child
  }
}
