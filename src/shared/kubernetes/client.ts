import type { KubeConfig } from '@kubernetes/client-node'
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import { type Connection, connectionOf, type KubernetesPlace, loadConfig } from './config.ts'
import { connectionFailure, KubernetesFailure, parseJson, refusalOf } from './failure.ts'

/** Far above any object: a server keeps at most 1.5 MiB of one. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

export interface KubernetesRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root, e.g. `/api/v1/namespaces/shop/configmaps/a`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: { readonly type: string; readonly value: unknown }
}

export const JSON_PATCH = 'application/json-patch+json'

/**
 * Talks to one API server, over connections that are kept. The official library reads the kubeconfig and finds the
 * credentials; the requests are made here, because it opens new connections for each, and no signal ends its search for
 * credentials.
 */
export class KubernetesClient {
  readonly #place: KubernetesPlace
  #config: Promise<KubeConfig> | null = null
  #dispatcher: { readonly madeFor: string; readonly one: Dispatcher } | null = null

  constructor(place: KubernetesPlace) {
    this.#place = place
  }

  /** The JSON of a 2xx answer, or why there is none. Never rejects. */
  async ask(call: KubernetesRequest, signal: AbortSignal): Promise<unknown> {
    const answer = await this.exchange(call, signal)
    if (answer instanceof KubernetesFailure) return answer
    const json = parseJson(answer)
    return json === undefined ? new KubernetesFailure('bad-answer', 'the answer is no JSON') : json
  }

  /** The body of a 2xx answer, or why there is none. Never rejects. */
  async exchange(call: KubernetesRequest, signal: AbortSignal): Promise<string | KubernetesFailure> {
    try {
      const connection = await unlessAborted(signal, () => this.#connection())
      return await this.#send(connection, call, signal)
    } catch (error) {
      return error instanceof KubernetesFailure ? error : connectionFailure(error, signal)
    }
  }

  async close(): Promise<void> {
    const before = this.#dispatcher
    this.#dispatcher = null
    await before?.one.destroy()
  }

  async #connection(): Promise<Connection> {
    this.#config ??= loadConfig(this.#place)
    try {
      return await connectionOf(await this.#config)
    } catch (error) {
      // Somebody may put it right: the next call reads it anew.
      this.#config = null
      throw error
    }
  }

  async #send(connection: Connection, { method, path, query, body }: KubernetesRequest, signal: AbortSignal) {
    const answer = await request(`${connection.server}${path}`, {
      dispatcher: this.#dispatcherFor(connection),
      method,
      query: query ?? {},
      headers: {
        ...connection.headers,
        accept: 'application/json',
        'user-agent': 'headgate',
        ...(body && { 'content-type': body.type }),
      },
      body: body ? JSON.stringify(body.value) : null,
      signal,
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 200 && answer.statusCode < 300) return text
    // Credentials in a kubeconfig get rotated: the next call reads it anew.
    if (answer.statusCode === 401) this.#config = null
    return refusalOf(answer.statusCode, text, connection.secrets)
  }

  /** The same one for as long as certificates and proxy stay the same. */
  #dispatcherFor({ tls, proxy }: Connection): Dispatcher {
    const madeFor = JSON.stringify([tls, proxy])
    if (this.#dispatcher?.madeFor === madeFor) return this.#dispatcher.one
    const options = { allowH2: false, maxResponseSize: MAX_ANSWER_BYTES }
    const one =
      proxy === null
        ? new Agent({ ...options, connect: tls })
        : new ProxyAgent({ ...options, uri: proxy, requestTls: tls })
    const before = this.#dispatcher
    this.#dispatcher = { madeFor, one }
    // Requests under way over the old connections may end.
    void before?.one.close()
    return one
  }
}

function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
