import type { TokenCredential } from '@azure/identity'
import type { AdapterContext } from '../ports/kind.ts'
import type { AzureAccount } from './azure.ts'

/** Issues tokens as the account says. Secrets are read anew whenever a token is asked for. */
export async function credentialOf(account: AzureAccount, secret: AdapterContext['secret']): Promise<TokenCredential> {
  const { token, credentials, authority } = account
  // Whoever keeps it fresh knows when it expires; here it is over at once, and read again for the next call.
  if (token !== undefined) return { getToken: async () => ({ token: secret(token).trim(), expiresOnTimestamp: 0 }) }

  const { ClientSecretCredential, DefaultAzureCredential } = await import('@azure/identity')
  const options = { authorityHost: authority, retryOptions: { maxRetries: 0 } }
  if (credentials === undefined) return new DefaultAzureCredential(options)

  const { tenant, clientId, clientSecret } = credentials
  let last: { readonly value: string; readonly credential: TokenCredential } | null = null
  return {
    getToken(scopes, getOptions) {
      const value = secret(clientSecret)
      if (last?.value !== value)
        last = { value, credential: new ClientSecretCredential(tenant, clientId, value, options) }
      return last.credential.getToken(scopes, getOptions)
    },
  }
}
