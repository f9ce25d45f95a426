import type { KubeConfig } from '@kubernetes/client-node'
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import { unlessAborted } from '../abort.ts'
import { parseJson } from '../json.ts'
import { type Connection, connectionOf, type KubernetesPlace, loadConfig } from './config.ts'
import { connectionFailure, KubernetesFailure, refusalOf } from './failure.ts'

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
export const MERGE_PATCH = 'application/merge-patch+json'

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
    return this.#failing(signal, async () => (await this.#send(call, signal)).body.text())
  }

  /** The `Date` header of a 2xx answer, as it is; or why there is none. Never rejects. */
  async date(signal: AbortSignal): Promise<string | KubernetesFailure> {
    return this.#failing(signal, async () => {
      const { headers, body } = await this.#send({ method: 'GET', path: '/version' }, signal)
      await body.dump()
      const { date } = headers
      return typeof date === 'string' ? date : new KubernetesFailure('bad-answer', 'the answer has no date')
    })
  }

  /**
   * Hands on each line of a 2xx answer as it comes, as of a watch, until the server ends it. Resolves with why it ended
   * otherwise; null: the server ended it in order. Never rejects.
   */
  async lines(
    call: KubernetesRequest,
    signal: AbortSignal,
    onLine: (line: string) => void,
  ): Promise<KubernetesFailure | null> {
    return this.#failing(signal, async () => {
      const { body } = await this.#send(call, signal)
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of body) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line !== '') onLine(line)
      }
      // Every line of a whole answer ends: what is left over was cut off.
      return rest === '' ? null : new KubernetesFailure('bad-answer', 'the answer ended in the middle of a line')
    })
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

  async #failing<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | KubernetesFailure> {
    try {
      return await work()
    } catch (error) {
      return error instanceof KubernetesFailure ? error : connectionFailure(error, signal)
    }
  }

  /** The head of a 2xx answer, with a body to read. Throws a KubernetesFailure for another, and what undici throws. */
  async #send({ method, path, query, body }: KubernetesRequest, signal: AbortSignal) {
    const connection = await unlessAborted(signal, () => this.#connection())
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
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer
    const text = await answer.body.text()
    // Credentials in a kubeconfig get rotated: the next call reads it anew.
    if (answer.statusCode === 401) this.#config = null
    throw refusalOf(answer.statusCode, text, connection.secrets)
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
