import type { APIError } from 'cloudflare/core/error'
import type { LoadBalancerEditParams } from 'cloudflare/resources/load-balancers/load-balancers'
import { Agent, request } from 'undici'
import type { ProblemCode } from '../../core/catalogue.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { readBounded } from '../../shared/body.ts'
import { connectionProblem } from '../failure.ts'
import { type LoadBalancer, loadBalancer, loadBalancers } from './balancer.ts'
import { type CloudflareAccount, isId } from './settings.ts'

const PLACE = 'the API of Cloudflare'
/** A zone with thousands of load balancers. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 15_000
const MAX_WORDS = 300

export interface BalancerPlace {
  readonly zone: string
  /** An id, or a name. */
  readonly loadBalancer: string
}

/** Talks to Cloudflare by its own library, over connections that are kept. Never retries. */
export class CloudflareClient {
  readonly #account: CloudflareAccount
  readonly #secret: AdapterContext['secret']
  readonly #agent = new Agent({ allowH2: false })

  constructor(account: CloudflareAccount, secret: AdapterContext['secret']) {
    this.#account = account
    this.#secret = secret
  }

  /** The load balancer as it is now. Never rejects. */
  get({ zone, loadBalancer: wanted }: BalancerPlace, signal: AbortSignal): Promise<LoadBalancer | Problem> {
    return this.#call(signal, async (api) => {
      if (isId(wanted)) return parsed(loadBalancer.safeParse(await api.get(wanted, { zone_id: zone }, { signal })))
      const page = await api.list({ zone_id: zone }, { signal })
      const all = parsed(loadBalancers.safeParse(page.getPaginatedItems()))
      if (all instanceof Problem) return all
      const found = all.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
      return found ?? problem('TRAFFIC_NOT_FOUND', `zone ${zone} has no load balancer ${wanted}`)
    })
  }

  /** Sets what is named, and leaves the rest; resolves with the load balancer as it is then. Never rejects. */
  edit(
    id: string,
    params: LoadBalancerEditParams & { zone_id: string },
    signal: AbortSignal,
  ): Promise<LoadBalancer | Problem> {
    return this.#call(signal, async (api) => parsed(loadBalancer.safeParse(await api.edit(id, params, { signal }))))
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #call<T>(signal: AbortSignal, talk: (api: Api) => Promise<T>): Promise<T | Problem> {
    let token: string | null = null
    try {
      token = this.#secret(this.#account.token)
      return await talk(await this.#api(token))
    } catch (error) {
      return failureOf(error, token, signal)
    }
  }

  async #api(token: string): Promise<Api> {
    const [{ createClient }, { BaseLoadBalancers }] = await Promise.all([
      import('cloudflare/tree-shakable'),
      import('cloudflare/resources/load-balancers/load-balancers'),
    ])
    const client = createClient({
      resources: [BaseLoadBalancers],
      apiToken: token,
      // The library would take these from the environment, behind the config's back.
      apiKey: null,
      apiEmail: null,
      userServiceKey: null,
      baseURL: this.#account.endpoint,
      // Headgate owns the retries: the library knows nothing of reverts.
      maxRetries: 0,
      timeout: TIMEOUT_MS,
      logLevel: 'off',
      fetch: (input, init) => fetchBounded(this.#agent, input, init),
    })
    return client.loadBalancers
  }
}

type Api = InstanceType<typeof import('cloudflare/resources/load-balancers/load-balancers').BaseLoadBalancers>

/** What the library calls `fetch`: with connections that can be closed, answers of bounded size, and no redirects. */
async function fetchBounded(agent: Agent, input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const answer = await request(input instanceof Request ? input.url : input, {
    dispatcher: agent,
    method: init.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof init.body === 'string' ? init.body : null,
    signal: init.signal ?? null,
  })
  const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
  if (text === null) throw badAnswer(`an answer of more than ${MAX_ANSWER_BYTES} bytes`)
  const type = answer.headers['content-type']
  const headers = typeof type === 'string' ? { 'content-type': type } : {}
  return new Response(answer.statusCode === 204 ? null : text, { status: answer.statusCode, headers })
}

function parsed<T>(result: { success: true; data: T } | { success: false }): T | Problem {
  return result.success ? result.data : badAnswer('Cloudflare answered with something that is no load balancer')
}

function badAnswer(cause: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', cause, { hint: 'check what answers at `endpoint`, and proxies on the way' })
}

function failureOf(error: unknown, token: string | null, signal: AbortSignal): Problem {
  if (error instanceof Problem || signal.aborted) return connectionProblem(PLACE, error, signal)
  if (error instanceof SyntaxError) return badAnswer('Cloudflare answered with something that is no JSON')
  if (isApiError(error)) return refusal(error, token)
  if (error instanceof Error && error.constructor.name === 'APIConnectionTimeoutError')
    return problem('TRAFFIC_TIMEOUT', `${PLACE} did not answer within ${TIMEOUT_MS / 1000} s`, { from: error })
  // The library puts what went wrong below an error of its own.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return connectionProblem(PLACE, cause, signal)
}

/** An answer other than 2xx. The class itself is loaded with the library, and not before. */
function isApiError(error: unknown): error is APIError<number> {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && 'errors' in error
}

/** Requests whose credentials Cloudflare cannot read at all. */
const UNREADABLE_CREDENTIALS: ReadonlySet<number> = new Set([6003, 6111, 9106, 9107, 10_001])
/** `Could not route to …`: the id in the path is no one's. */
const NO_ROUTE: ReadonlySet<number> = new Set([7000, 7003])

function refusal({ status, errors }: APIError<number>, token: string | null): Problem {
  const told = Array.isArray(errors) ? errors : []
  const words = told.map(({ code, message }) => `: ${code}: ${message}`).join('')
  const clean = (token === null ? words : words.replaceAll(token, '***')).slice(0, MAX_WORDS)
  const codes = told.flatMap(({ code }) => code ?? [])
  return problem(codeOf(status, codes, words), `Cloudflare answered ${status}${clean}`)
}

function codeOf(status: number, codes: readonly number[], words: string): ProblemCode {
  if (status === 429) return 'TRAFFIC_THROTTLED'
  if (status === 401 || codes.some((code) => UNREADABLE_CREDENTIALS.has(code))) return 'TRAFFIC_NO_CREDENTIALS'
  if (status === 404 || codes.some((code) => NO_ROUTE.has(code))) return 'TRAFFIC_NOT_FOUND'
  if (status === 403) return /invalid (access|api) token/i.test(words) ? 'TRAFFIC_NO_CREDENTIALS' : 'TRAFFIC_FORBIDDEN'
  if (status === 409) return 'TRAFFIC_CONFLICT'
  if (status >= 500) return 'TRAFFIC_UNREACHABLE'
  return status < 400 ? 'TRAFFIC_BAD_ANSWER' : 'TRAFFIC_REFUSED'
}
