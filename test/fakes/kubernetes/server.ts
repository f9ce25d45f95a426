import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { discoveryOf } from './discovery.ts'
import { applyJsonPatch, applyMergePatch, isMap, type Json, PatchError } from './json-patch.ts'
import { RESOURCES } from './resources.ts'
import { isForbidden, reviewOf } from './reviews.ts'
import { allReady, readScale, writtenScale } from './scale.ts'
import { ApiError, badRequest, forbidden, notFound, unappliable, unauthorized, wrongMediaType } from './status.ts'
import { type ApiObject, ObjectStore, type ResourceType, type WriteOptions } from './store.ts'

/** A request as it came in. */
export interface SeenCall {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly type: string
  readonly body: string
}

/** Where the objects of one request are. */
interface Place {
  readonly type: ResourceType
  readonly namespace: string
  /** null: the whole list. */
  readonly name: string | null
  readonly subresource: '' | 'status' | 'scale'
}

interface WritePlace extends Place {
  readonly name: string
  readonly subresource: '' | 'status'
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'

/** A Kubernetes API server in this process, as far as Headgate uses one. It starts empty, and knows RESOURCES. */
export class FakeApiServer {
  readonly store = new ObjectStore()
  readonly calls: SeenCall[] = []
  readonly token: string
  /** What the token's user may not do: verbs, or verbs of a resource, e.g. `patch`, `patch deployments/scale`. */
  readonly forbiddenVerbs = new Set<string>()
  /** Answers instead, when it returns true. */
  intercept: ((call: SeenCall, response: ServerResponse) => boolean) | null = null
  /** Writes a status after each change of an object's spec, as a controller does; null: none runs. */
  controller: ((object: ApiObject) => Json) | null = null
  /** The same for what runs pods. */
  podController: ((object: ApiObject) => Json) | null = allReady
  /** How far its clock is ahead of this machine's, ms. */
  clockAheadMs = 0
  readonly #watches = new Set<() => void>()
  readonly #server = createServer((incoming, response) => this.#serve(incoming, response))

  constructor(token: string) {
    this.token = token
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Takes requests, and never answers. */
  hang(): void {
    this.intercept = () => true
  }

  /** Ends every connection at once, in whatever it was. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  /** Ends every watch in order, as when its time is over. */
  endWatches(): void {
    for (const end of [...this.#watches]) end()
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** The status that the controller has for an object, written as it would. */
  reconcile(type: ResourceType, namespace: string, name: string): void {
    const controllers = { apps: this.podController, batch: null, policy: null, autoscaling: null } as const
    const controller = type.group in controllers ? controllers[type.group as keyof typeof controllers] : this.controller
    if (controller === null || !type.hasStatus) return
    this.store.update(
      type,
      { namespace, name, subresource: 'status' },
      (object) => ({ ...object, status: controller(object) }),
      { manager: 'controller', isDryRun: false },
    )
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const call = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      type: incoming.headers['content-type'] ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
    }
    this.calls.push(call)
    response.setHeader('date', new Date(Date.now() + this.clockAheadMs).toUTCString())
    if (this.intercept?.(call, response)) return
    try {
      if (incoming.headers.authorization !== `Bearer ${this.token}`) throw unauthorized()
      const agent = incoming.headers['user-agent']?.split('/')[0] ?? 'unknown'
      const url = new URL(call.url, this.url)
      const discovered = call.method === 'GET' ? discoveryOf(url.pathname) : null
      if (discovered !== null) return reply(response, 200, discovered)
      if (call.method === 'POST' && url.pathname === REVIEWS)
        return reply(response, 201, reviewOf(parse(call.body), this.forbiddenVerbs))
      const place = placeOf(url.pathname)
      if (place === null) {
        // A path that nothing serves gets no Status.
        response.writeHead(404).end('404 page not found\n')
        return
      }
      const verb = verbOf(call.method, place, url.searchParams)
      if (isForbidden(this.forbiddenVerbs, verb, place.type.plural, place.subresource))
        throw forbidden('headgate', verb, { ...place.type, name: place.name ?? '' }, place.namespace)
      if (verb === 'watch') this.#watch(place, url.searchParams, response)
      else
        reply(
          response,
          verb === 'create' ? 201 : 200,
          this.#answer(verb, place, call, {
            manager: url.searchParams.get('fieldManager') ?? agent,
            isDryRun: url.searchParams.get('dryRun') === 'All',
          }),
        )
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      reply(response, error.code, error.toStatus())
    }
  }

  #answer(verb: string, place: Place, call: SeenCall, options: WriteOptions): Json {
    const { type, namespace, name, subresource } = place
    if (name === null) {
      if (verb === 'list') return this.#list(place, new URL(call.url, this.url).searchParams)
      const given = parse(call.body)
      if (!isMap(given) || !isMap(given.metadata)) throw badRequest('metadata is required')
      const object = this.store.create(type, namespace, { ...given, metadata: given.metadata }, options)
      if (!options.isDryRun) this.reconcile(type, namespace, String(object.metadata.name))
      return object
    }
    if (subresource === 'scale') {
      const before = this.store.get(type, namespace, name)
      if (verb === 'get') return readScale(before)
      if (call.type !== MERGE_PATCH) throw wrongMediaType([MERGE_PATCH])
      const scaled = writtenScale(before, applyMergePatch(readScale(before), parse(call.body)))
      const at = { namespace, name, subresource: '' as const }
      const object = this.store.update(type, at, () => scaled, { ...options, manager: options.manager })
      if (!options.isDryRun) this.reconcile(type, namespace, name)
      return readScale(object)
    }
    if (verb === 'get') return this.store.get(type, namespace, name)
    if (verb === 'delete') {
      this.store.delete(type, namespace, name)
      return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
    }
    const before = this.store.get(type, namespace, name)
    const object = this.#write(verb, { ...place, name, subresource }, call, options)
    if (subresource === '' && object.metadata.generation !== before.metadata.generation && !options.isDryRun)
      this.reconcile(type, namespace, name)
    return object
  }

  #list({ type, namespace }: Place, query: URLSearchParams): Json {
    const page = pageOf(this.store.list(type, namespace), query)
    return {
      kind: `${type.kind}List`,
      apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
      metadata: { resourceVersion: String(this.store.version), ...(page.next !== '' && { continue: page.next }) },
      items: [...page.items],
    }
  }

  #write(verb: string, place: WritePlace, call: SeenCall, options: WriteOptions): ApiObject {
    const { type } = place
    const body = parse(call.body)
    if (verb === 'update') return this.store.update(type, place, () => body, options)
    const isStrategic = call.type === 'application/strategic-merge-patch+json'
    if (call.type === MERGE_PATCH || (isStrategic && !type.isCustom))
      return this.store.update(type, place, (object) => applyMergePatch(object, body), options)
    if (call.type !== JSON_PATCH)
      throw wrongMediaType([
        JSON_PATCH,
        MERGE_PATCH,
        ...(type.isCustom ? [] : ['application/strategic-merge-patch+json']),
      ])
    if (!Array.isArray(body) || !body.every(isMap)) throw badRequest('a JSON patch is a list of operations')
    try {
      return this.store.update(type, place, (object) => applyJsonPatch(object, body), options)
    } catch (error) {
      throw error instanceof PatchError ? unappliable() : error
    }
  }

  #watch({ type, namespace }: Place, query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const line = (kind: string, object: Json) => response.write(`${JSON.stringify({ type: kind, object })}\n`)
    const asked = query.get('resourceVersion') ?? ''
    const since = asked === '' || asked === '0' ? this.store.version : Number(asked)
    if (since === this.store.version && asked !== String(since))
      for (const object of this.store.list(type, namespace)) line('ADDED', object)
    let stop = () => {}
    try {
      stop = this.store.watch(type, namespace, since, ({ type: kind, object }) => line(kind, object))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // As the real one: the watch itself succeeds, and ends with an error.
      line('ERROR', error.toStatus())
      response.end()
      return
    }
    const end = () => {
      stop()
      this.#watches.delete(end)
      const metadata = { resourceVersion: String(this.store.version) }
      if (query.get('allowWatchBookmarks') === 'true') line('BOOKMARK', { kind: type.kind, metadata })
      response.end()
    }
    const timer = setTimeout(end, Number(query.get('timeoutSeconds') ?? 1800) * 1000)
    this.#watches.add(end)
    response.on('close', () => {
      this.#watches.delete(end)
      stop()
      clearTimeout(timer)
    })
  }
}

/** Sends JSON. */
export function reply(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function typeOf(plural: string): ResourceType {
  const found = RESOURCES.find((type) => type.plural === plural)
  if (found === undefined) throw notFound({ group: '', plural, name: '' })
  return found
}

function placeOf(path: string): Place | null {
  const match =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?(?:\/(status|scale))?$/.exec(path)
  const [, group = '', version, namespace = '', plural, name = null, subresource] = match ?? []
  const type = RESOURCES.find((one) => one.group === group && one.version === version && one.plural === plural)
  if (!type || (subresource === 'scale' && type.group !== 'apps')) return null
  return { type, namespace, name, subresource: subresource === 'status' || subresource === 'scale' ? subresource : '' }
}

function verbOf(method: string, { name }: Place, query: URLSearchParams): string {
  if (method === 'GET' && name === null) return ['1', 'true'].includes(query.get('watch') ?? '') ? 'watch' : 'list'
  return { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method] ?? method.toLowerCase()
}

function parse(body: string): Json {
  try {
    return JSON.parse(body)
  } catch {
    throw badRequest('the body is no JSON')
  }
}

/** A page of a list; the token for the next is how many were given before. */
function pageOf<T>(
  items: readonly T[],
  query: URLSearchParams,
): { readonly items: readonly T[]; readonly next: string } {
  const limit = Number(query.get('limit') ?? 0)
  const from = Number(query.get('continue') ?? 0)
  const isCut = limit > 0 && from + limit < items.length
  return { items: limit > 0 ? items.slice(from, from + limit) : items, next: isCut ? String(from + limit) : '' }
}
