import type { Finding, Path } from './finding.ts'
import type { ParsedConfig } from './schema.ts'

type Granted = ParsedConfig['api']['tokens'][number]

/** The rules for the API: nobody beyond loopback without a token, names of their own, grants that make sense. */
export function checkApi({ api }: ParsedConfig): Finding[] {
  const { tokens, oidc } = api
  const found: Finding[] = []
  if (!isLoopback(api.host) && tokens.length === 0 && oidc === undefined)
    found.push({
      code: 'CONFIG_WRONG_VALUE',
      cause: `the API would listen on ${api.host} without tokens`,
      hint: 'add `api.tokens` or `api.oidc`, or listen on 127.0.0.1',
      path: ['api', 'host'],
    })
  for (const [index, { name }] of tokens.entries()) {
    const first = tokens.findIndex((token) => token.name === name)
    if (first === index) continue
    found.push({
      code: 'CONFIG_DUPLICATE',
      cause: `the token name "${name}" is taken`,
      hint: 'the journal tells people apart by it: choose another',
      path: ['api', 'tokens', index, 'name'],
      other: { path: ['api', 'tokens', first, 'name'] },
    })
  }
  const grants: (readonly [Pick<Granted, 'role' | 'scope'>, Path])[] = [
    ...tokens.map((token, index) => [token, ['api', 'tokens', index]] as const),
    ...(oidc?.groups ?? []).map((group, index) => [group, ['api', 'oidc', 'groups', index]] as const),
  ]
  return [...found, ...grants.flatMap(([grant, path]) => grantFindings(grant, path))]
}

/** An admin's reload, and an alert, are about the whole service. */
function grantFindings({ role, scope }: Pick<Granted, 'role' | 'scope'>, path: Path): Finding[] {
  if (role !== 'admin' && role !== 'webhook') return []
  if (Object.keys(scope).length === 0) return []
  return [
    {
      code: 'CONFIG_WRONG_VALUE',
      cause: `the role ${role} is about the whole service, and has no scope`,
      hint: role === 'admin' ? 'take the scope out, or write `role: operator`' : 'take the scope out',
      path: [...path, 'scope'],
    },
  ]
}

/** Approval roles that somebody has who may approve. */
export function knownApprovers({ api }: Pick<ParsedConfig, 'api'>): readonly string[] {
  const grants = [...api.tokens, ...(api.oidc?.groups ?? [])]
  const may = grants.filter(({ role }) => role !== 'viewer' && role !== 'webhook')
  return [...new Set(may.flatMap(({ approves }) => approves))]
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
