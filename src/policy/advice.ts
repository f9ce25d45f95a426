import { type ProblemJson, problem } from '../core/problem.ts'
import { isLoopback } from './check-api.ts'
import type { Config } from './config.ts'

/** What somebody should look at in a config that is taken all the same. */
export function adviceOf({ api }: Pick<Config, 'api'>): readonly ProblemJson[] {
  const { host, tls, tokens, oidc, publicUrl } = api
  const hasTokens = tokens.length > 0 || oidc !== null
  if (isLoopback(host) || tls !== null || !hasTokens || publicUrl?.startsWith('https:')) return []
  return [problem('CONFIG_TOKENS_IN_PLAIN', `the API listens on ${host} without TLS, and takes tokens there`).toJSON()]
}
