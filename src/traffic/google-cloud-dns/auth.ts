import { z } from 'zod'
import { Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { unlessAborted } from '../../shared/abort.ts'
import { parseJson } from '../../shared/json.ts'
import type { GoogleCloudDnsAccount } from './settings.ts'

const SCOPES = ['https://www.googleapis.com/auth/ndev.clouddns.readwrite']

/** The kinds of credentials that `credentials` takes, as Google's console and its command line write them. */
const credentialsJson = z.discriminatedUnion('type', [
  z.object({ type: z.literal('service_account'), client_email: z.string(), private_key: z.string() }),
  z.looseObject({
    type: z.literal('external_account'),
    audience: z.string(),
    subject_token_type: z.string(),
    token_url: z.string(),
  }),
])

type TokenSource = () => Promise<string | null | undefined>

/** Bearer tokens for one account. The library is loaded when the first one is needed, and keeps them until they end. */
export class Tokens {
  readonly #account: GoogleCloudDnsAccount
  readonly #secret: AdapterContext['secret']
  /** With the text that it was made from: a rotated file makes another. */
  #source: { readonly text: string | null; readonly next: TokenSource } | null = null

  constructor(account: GoogleCloudDnsAccount, secret: AdapterContext['secret']) {
    this.#account = account
    this.#secret = secret
  }

  /** Rejects with TRAFFIC_NO_CREDENTIALS, CONFIG_SECRET_UNRESOLVED, or the signal's reason. */
  async next(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const { token, credentials } = this.#account
    if (token !== undefined) return this.#secret(token)
    const text = credentials === undefined ? null : this.#secret(credentials)
    // The library takes no signal: what it does goes on, but nobody waits for it.
    return unlessAborted(signal, () => this.#fromLibrary(text))
  }

  async #fromLibrary(text: string | null): Promise<string> {
    try {
      if (this.#source === null || this.#source.text !== text) this.#source = { text, next: await sourceOf(text) }
      const token = await this.#source.next()
      if (token) return token
      throw problem('TRAFFIC_NO_CREDENTIALS', 'Google gave no access token')
    } catch (error) {
      if (error instanceof Problem) throw error
      // Its words may repeat the credentials.
      const code = error instanceof Error && 'code' in error ? `: ${String(error.code)}` : ''
      throw problem('TRAFFIC_NO_CREDENTIALS', `no access token can be had from Google${code}`, { from: error })
    }
  }
}

async function sourceOf(text: string | null): Promise<TokenSource> {
  const { GoogleAuth, IdentityPoolClient, JWT } = await import('google-auth-library')
  if (text === null) {
    const auth = new GoogleAuth({ scopes: SCOPES })
    return () => auth.getAccessToken()
  }
  const parsed = credentialsJson.safeParse(parseJson(text))
  if (!parsed.success) throw unusable()
  const { data } = parsed
  const client =
    data.type === 'service_account'
      ? new JWT({ email: data.client_email, key: data.private_key, scopes: SCOPES })
      : new IdentityPoolClient({ ...data, scopes: SCOPES })
  return async () => (await client.getAccessToken()).token
}

function unusable(): Problem {
  return problem('TRAFFIC_NO_CREDENTIALS', 'the `credentials` of google-cloud-dns are of no kind that can be used', {
    hint: 'give the JSON of a service account, or of workload identity federation',
  })
}
