import { Agent, request } from 'undici'
import type { z } from 'zod'
import { Problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { readBounded } from '../../shared/body.ts'
import { parseJson } from '../../shared/json.ts'
import { connectionProblem } from '../failure.ts'
import { badAnswer, configSchema, metadataSchema, type Rrset, type RrsetChange, refusal, zoneSchema } from './api.ts'
import type { PowerdnsAccount } from './settings.ts'

/** Some 300,000 record sets. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** From so many names on, one GET of the whole zone is quicker: PowerDNS takes a connection for each call. */
const MAX_SINGLE_READS = 8

/** The answer of a call that PowerDNS refused, for those who want to know its status. */
export interface Refused {
  readonly status: number
  readonly problem: Problem
}

/** Talks to the API of one server about one zone. Nothing here throws; what failed is a Problem. */
export class PowerdnsClient {
  readonly #agent = new Agent({ allowH2: false })
  readonly #account: PowerdnsAccount
  readonly #zone: string
  readonly #secret: AdapterContext['secret']

  constructor(account: PowerdnsAccount, zone: string, secret: AdapterContext['secret']) {
    this.#account = account
    this.#zone = zone
    this.#secret = secret
  }

  /** All record sets of these names; those of other names may be there too. */
  async rrsets(names: readonly string[], signal: AbortSignal): Promise<readonly Rrset[] | Problem> {
    const queries = names.length > MAX_SINGLE_READS ? [''] : names.map((name) => `?rrset_name=${name}.`)
    const answers = await Promise.all(
      queries.map((query) => this.#get(`${this.#zonePath}${query}`, zoneSchema, signal)),
    )
    const failure = answers.find((answer) => answer instanceof Problem)
    if (failure) return failure
    return answers.flatMap((answer) => (answer instanceof Problem ? [] : answer.rrsets))
  }

  /** Makes these changes in one transaction; null: they are made. */
  async patch(rrsets: readonly RrsetChange[], signal: AbortSignal): Promise<Refused | null> {
    const answer = await this.#call('PATCH', this.#zonePath, JSON.stringify({ rrsets }), signal)
    return 'text' in answer ? null : answer
  }

  /** Whether LUA records are evaluated in the zone: by the server's config, or by the zone's metadata. */
  async evaluatesLua(signal: AbortSignal): Promise<boolean | Problem> {
    const config = await this.#get('/config', configSchema, signal)
    if (config instanceof Problem) return config
    const setting = config.find(({ name }) => name === 'enable-lua-records')?.value ?? 'no'
    if (setting === 'yes' || setting === 'shared') return true
    const metadata = await this.#get(`${this.#zonePath}/metadata`, metadataSchema, signal)
    if (metadata instanceof Problem) return metadata
    return metadata.some(({ kind, metadata: values }) => kind === 'ENABLE-LUA-RECORDS' && values[0] === '1')
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  get #zonePath(): string {
    return `/zones/${this.#zone}.`
  }

  async #get<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | Problem> {
    const answer = await this.#call('GET', path, null, signal)
    if (!('text' in answer)) return answer.problem
    const parsed = schema.safeParse(parseJson(answer.text))
    return parsed.success ? parsed.data : badAnswer(`PowerDNS answered GET ${path} with something else`)
  }

  async #call(
    method: 'GET' | 'PATCH',
    path: string,
    body: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly text: string } | Refused> {
    const { url, server, apiKey, timeoutSeconds } = this.#account
    try {
      // Read anew for each call, so a rotated key counts from the next one.
      const key = this.#secret(apiKey)
      const answer = await request(`${url}/api/v1/servers/${server}${path}`, {
        dispatcher: this.#agent,
        method,
        headers: {
          accept: 'application/json',
          'x-api-key': key,
          ...(body !== null && { 'content-type': 'application/json' }),
        },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
      })
      const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
      if (text === null) throw badAnswer(`PowerDNS answered with more than ${MAX_ANSWER_BYTES} bytes`)
      const status = answer.statusCode
      if (status === 200 || status === 204) return { text }
      return { status, problem: refusal(`${method} ${path}`, status, text, key) }
    } catch (error) {
      return { status: 0, problem: connectionProblem(`PowerDNS at ${url}`, error, signal) }
    }
  }
}
