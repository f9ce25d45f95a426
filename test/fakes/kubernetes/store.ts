import { isDeepStrictEqual } from 'node:util'
import { isMap, type Json } from './json-patch.ts'
import { ManagedFields } from './managed-fields.ts'
import { type About, ApiError, alreadyExists, expired, invalid, modified, notFound } from './status.ts'

export type ApiObject = { metadata: { [key: string]: Json }; [key: string]: Json }

/** A kind of object that the server knows. */
export interface ResourceType {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  /** A custom resource: generations are counted, no strategic merge patches. */
  readonly isCustom: boolean
  /** Generations are counted although it is no custom resource. */
  readonly hasGeneration?: boolean
  /** `status` can only be written through the subresource. */
  readonly hasStatus: boolean
  /** What is wrong with an object, as `[field, message]`, or as an error of its own; null: nothing. */
  readonly validate?: (object: ApiObject) => readonly [string, string] | ApiError | null
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly version: number
  readonly key: string
  readonly object: ApiObject
}

export interface WriteOptions {
  readonly manager: string
  readonly isDryRun: boolean
}

/** The objects of one API server, with their versions, generations, owners of fields and events. */
export class ObjectStore {
  readonly #objects = new Map<string, { object: ApiObject; readonly fields: ManagedFields }>()
  readonly #watchers = new Set<(event: WatchEvent) => void>()
  #events: WatchEvent[] = []
  #version = 100
  #oldest = 100

  get version(): number {
    return this.#version
  }

  get(type: ResourceType, namespace: string, name: string): ApiObject {
    const held = this.#objects.get(keyOf(type, namespace, name))
    if (held === undefined) throw notFound({ ...type, name })
    return this.#shown(held)
  }

  list(type: ResourceType, namespace: string): readonly ApiObject[] {
    const prefix = keyOf(type, namespace, '')
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, held]) => this.#shown(held))
  }

  create(type: ResourceType, namespace: string, given: ApiObject, options: WriteOptions): ApiObject {
    const name = String(given.metadata.name)
    const key = keyOf(type, namespace, name)
    if (this.#objects.has(key)) throw alreadyExists({ ...type, name })
    const object: ApiObject = {
      ...structuredClone(given),
      apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
      kind: type.kind,
      metadata: { ...given.metadata, namespace, uid: uidOf(key), ...(countsGenerations(type) && { generation: 1 }) },
    }
    if (type.hasStatus) delete object.status
    check(type, name, object)
    const held = { object, fields: new ManagedFields() }
    if (options.isDryRun) return this.#shown(held)
    held.fields.note(options.manager, '', {}, object)
    this.#objects.set(key, held)
    return this.#changed('ADDED', key, held)
  }

  /** `change` gets the object as it is; a resourceVersion that it changes to another one is a conflict. */
  update(
    type: ResourceType,
    place: { readonly namespace: string; readonly name: string; readonly subresource: '' | 'status' },
    change: (object: ApiObject) => Json,
    options: WriteOptions,
  ): ApiObject {
    const { namespace, name, subresource } = place
    const key = keyOf(type, namespace, name)
    const held = this.#objects.get(key)
    if (held === undefined) throw notFound({ ...type, name })
    const before = held.object
    const wanted = change(this.#shown(held))
    const next = merged(type, subresource, before, wanted, { ...type, name })
    check(type, name, next)
    if (isDeepStrictEqual(next, before)) return this.#shown(held)
    const isNewGeneration =
      countsGenerations(type) && subresource === '' && !isDeepStrictEqual(specOf(next), specOf(before))
    if (isNewGeneration) next.metadata.generation = Number(before.metadata.generation) + 1
    if (options.isDryRun) return this.#shown({ ...held, object: next })
    held.fields.note(options.manager, subresource, before, next)
    held.object = next
    return this.#changed('MODIFIED', key, held)
  }

  delete(type: ResourceType, namespace: string, name: string): void {
    const key = keyOf(type, namespace, name)
    const held = this.#objects.get(key)
    if (held === undefined) throw notFound({ ...type, name })
    this.#objects.delete(key)
    this.#changed('DELETED', key, held)
  }

  /** Hands on what happened since that version, then whatever happens. Returns how to stop. Throws 410. */
  watch(type: ResourceType, namespace: string, since: number, onEvent: (event: WatchEvent) => void): () => void {
    if (since < this.#oldest) throw expired(since, this.#oldest)
    const prefix = keyOf(type, namespace, '')
    const own = (event: WatchEvent) => {
      if (event.key.startsWith(prefix)) onEvent(event)
    }
    for (const event of this.#events) if (event.version > since) own(event)
    this.#watchers.add(own)
    return () => this.#watchers.delete(own)
  }

  /** Forgets all events so far. */
  compact(): void {
    this.#events = []
    this.#oldest = this.#version
  }

  #changed(type: WatchEvent['type'], key: string, held: { object: ApiObject; readonly fields: ManagedFields }) {
    this.#version += 1
    held.object = { ...held.object, metadata: { ...held.object.metadata, resourceVersion: String(this.#version) } }
    const object = this.#shown(held)
    const event = { type, version: this.#version, key, object }
    this.#events.push(event)
    for (const watcher of [...this.#watchers]) watcher(event)
    return object
  }

  #shown({ object, fields }: { readonly object: ApiObject; readonly fields: ManagedFields }): ApiObject {
    const shown = structuredClone(object)
    return { ...shown, metadata: { ...shown.metadata, managedFields: fields.toJson() } }
  }
}

function countsGenerations({ isCustom, hasGeneration = false }: ResourceType): boolean {
  return isCustom || hasGeneration
}

/** An object made again under the same name is another one. */
let made = 0
function uidOf(key: string): string {
  made += 1
  return `${key}#${made}`
}

function keyOf({ group, plural }: ResourceType, namespace: string, name: string): string {
  return `${group}/${plural}/${namespace}/${name}`
}

/** What an update leaves: nobody but the server writes its own fields, and status and spec have a door each. */
function merged(
  type: ResourceType,
  subresource: '' | 'status',
  before: ApiObject,
  wanted: Json,
  about: About,
): ApiObject {
  const { resourceVersion, generation, uid, name, namespace } = before.metadata
  if (!isMap(wanted) || !isMap(wanted.metadata)) throw invalid(about, 'metadata', 'must be an object')
  const asked = wanted.metadata.resourceVersion
  if (asked !== undefined && asked !== resourceVersion) throw modified(about)
  if (asked === undefined && type.isCustom)
    throw invalid(about, 'metadata.resourceVersion', 'must be specified for an update')
  if (type.hasStatus && subresource === 'status')
    return {
      ...before,
      metadata: { ...before.metadata },
      ...(wanted.status !== undefined && { status: wanted.status }),
    }
  const { managedFields: _, ...metadata } = wanted.metadata
  const { status, ...rest } = wanted
  const kept = type.hasStatus ? before.status : status
  return {
    ...rest,
    metadata: {
      ...metadata,
      name: name ?? null,
      namespace: namespace ?? null,
      uid: uid ?? null,
      resourceVersion: resourceVersion ?? null,
      ...(generation !== undefined && { generation }),
    },
    ...(kept !== undefined && { status: kept }),
  }
}

function check(type: ResourceType, name: string, object: ApiObject): void {
  const wrong = type.validate?.(object) ?? null
  if (wrong === null) return
  throw wrong instanceof ApiError ? wrong : invalid({ ...type, name }, wrong[0], wrong[1])
}

function specOf({ metadata: _, status: __, ...rest }: ApiObject): unknown {
  return rest
}
