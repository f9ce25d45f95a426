import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { TrafficManagerManagementClientOptionalParams } from '@azure/arm-trafficmanager'
import type { TokenCredential } from '@azure/identity'
import { type Problem, problem } from '../core/problem.ts'
import type { AdapterContext } from '../ports/kind.ts'
import type { Quota, QuotaUse } from '../ports/quota.ts'
import { unlessAborted } from '../shared/abort.ts'
import { type AzureAccount, PUBLIC_ENDPOINT } from './azure.ts'
import { azureProblem, badAzureAnswer } from './azure-call.ts'
import { credentialOf } from './azure-credential.ts'

/** Far above a profile with 200 endpoints. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** What every client of a management SDK is made with. */
export type AzureClientOptions = Pick<
  TrafficManagerManagementClientOptionalParams,
  'endpoint' | '$host' | 'retryOptions' | 'redirectOptions' | 'additionalPolicies'
>
type Policy = NonNullable<AzureClientOptions['additionalPolicies']>[number]['policy']

/** Imports an SDK lazily, and makes its client. */
export type MakeAzureClient<Client> = (
  credential: TokenCredential,
  subscription: string,
  options: AzureClientOptions,
) => Promise<Client>

/** One client for each account (the very object), shared by its scopes: so are its connections and its token. */
export class AzureClients<Client> {
  readonly #make: MakeAzureClient<Client>
  readonly #byAccount = new WeakMap<AzureAccount, Connection<Client>>()

  constructor(make: MakeAzureClient<Client>) {
    this.#make = make
  }

  /** `kind` and the subscription name the quota. */
  open(kind: string, account: AzureAccount, { quotas, secret }: AdapterContext): AzureApi<Client> {
    const connection = this.#byAccount.get(account) ?? new Connection(account, secret, this.#make)
    this.#byAccount.set(account, connection)
    return new AzureApi(connection, quotas.of(`${kind}:${account.subscription}`, account.quota))
  }
}

/** One scope's way to Azure Resource Manager. */
export class AzureApi<Client> {
  readonly quota: Quota
  readonly #connection: Connection<Client>
  #isHeld = true

  constructor(connection: Connection<Client>, quota: Quota) {
    this.quota = quota
    this.#connection = connection
    connection.holders += 1
  }

  /** Makes one call, which must hand the signal on, once the quota has room for it. Never rejects. */
  async call<T>(
    use: QuotaUse,
    what: string,
    signal: AbortSignal,
    send: (client: Client) => Promise<T>,
  ): Promise<T | Problem> {
    if (await this.quota.take(use, signal)) return this.callPaid(what, signal, send)
    return problem('TRAFFIC_TIMEOUT', `${what}: the quota had no room for a call within the deadline`)
  }

  /** Makes one call for which the quota was taken before. Never rejects. */
  async callPaid<T>(what: string, signal: AbortSignal, send: (client: Client) => Promise<T>): Promise<T | Problem> {
    try {
      return await unlessAborted(signal, async () => send(await this.#connection.client()))
    } catch (error) {
      const why = azureProblem({ what, signal }, error, this.#connection.lastToken)
      if (why.code === 'TRAFFIC_THROTTLED') this.quota.exhaust()
      return why
    }
  }

  close(): void {
    if (this.#isHeld) this.#connection.release()
    this.#isHeld = false
  }
}

class Connection<Client> {
  holders = 0
  /** The one that was sent last; null: none yet. */
  lastToken: string | null = null
  readonly #account: AzureAccount
  readonly #secret: AdapterContext['secret']
  readonly #make: MakeAzureClient<Client>
  #client: Promise<Client> | null = null
  #agent: HttpAgent | HttpsAgent | null = null

  constructor(account: AzureAccount, secret: AdapterContext['secret'], make: MakeAzureClient<Client>) {
    this.#account = account
    this.#secret = secret
    this.#make = make
  }

  /** The client, made at the first call. Rejects when it cannot be made; the next call then tries again. */
  client(): Promise<Client> {
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = null
      throw error
    })
    return this.#client
  }

  release(): void {
    this.holders -= 1
    if (this.holders > 0) return
    this.#agent?.destroy()
    this.#agent = null
  }

  async #open(): Promise<Client> {
    // The SDK sends tokens to https only; to a loopback address without TLS its requests are turned at the last moment.
    const sdkEndpoint = this.#account.endpoint.startsWith('https:') ? this.#account.endpoint : PUBLIC_ENDPOINT
    return this.#make(await credentialOf(this.#account, this.#secret), this.#account.subscription, {
      endpoint: sdkEndpoint,
      $host: sdkEndpoint,
      // Headgate owns the retries: the SDK knows nothing of reverts. And no answer sends the token elsewhere.
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
      additionalPolicies: [{ position: 'perRetry', policy: this.#transport(sdkEndpoint) }],
    })
  }

  /** The last step before the wire. */
  #transport(sdkEndpoint: string): Policy {
    const { endpoint } = this.#account
    return {
      name: 'headgateTransport',
      sendRequest: async (request, next) => {
        if (request.url.startsWith(`${sdkEndpoint}/`)) request.url = endpoint + request.url.slice(sdkEndpoint.length)
        // The link to a further page is the answer's; the token is only for the endpoint.
        if (!request.url.startsWith(`${endpoint}/`)) throw badAzureAnswer(endpoint, 'with a link to another host')
        this.lastToken = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? null
        request.allowInsecureConnection = true
        // A proxy of the environment brings an agent of its own, chosen before the turn: to this machine none is asked.
        if (sdkEndpoint !== endpoint || request.agent === undefined) request.agent = this.#currentAgent()
        const tooLong = new AbortController()
        request.abortSignal?.addEventListener('abort', () => tooLong.abort())
        if (request.abortSignal?.aborted) tooLong.abort()
        let isTooLong = false
        request.abortSignal = tooLong.signal
        request.onDownloadProgress = ({ loadedBytes }) => {
          isTooLong = loadedBytes > MAX_ANSWER_BYTES
          if (isTooLong) tooLong.abort()
        }
        try {
          const response = await next(request)
          // A long-running operation is not waited for: the next read tells how far it is.
          response.headers.delete('azure-asyncoperation')
          response.headers.delete('location')
          return response
        } catch (error) {
          if (isTooLong) throw badAzureAnswer(endpoint, `with more than ${MAX_ANSWER_BYTES} bytes`)
          throw error
        }
      },
    }
  }

  #currentAgent(): HttpAgent | HttpsAgent {
    this.#agent ??= this.#account.endpoint.startsWith('https:')
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true })
    return this.#agent
  }
}
