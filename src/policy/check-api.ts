import type { Finding, Path } from './finding.ts'
import type { ParsedConfig } from './schema.ts'

type Granted = ParsedConfig['api']['tokens'][number]

/** The rules for the API: nobody beyond loopback without a token, names of their own, grants that make sense. */
export function checkApi({ api }: ParsedConfig): Finding[] {
  const { tokens, clients, oidc } = api
  const found: Finding[] = []
  if (!isLoopback(api.host) && tokens.length === 0 && clients.length === 0 && oidc === undefined)
    found.push({
      code: 'CONFIG_WRONG_VALUE',
      cause: `the API would listen on ${api.host} without tokens`,
      hint: 'add `api.tokens`, `api.clients` or `api.oidc`, or listen on 127.0.0.1',
      path: ['api', 'host'],
    })
  if (clients.length > 0 && api.tls?.clientCa === undefined)
    found.push({
      code: 'CONFIG_MISSING_KEY',
      cause: 'nobody vouches for the certificates of these clients',
      hint: 'add `api.tls` with the authorities in `clientCa`',
      path: ['api', 'clients'],
      on: 'key',
    })
  const named = [
    ...tokens.map(({ name }, index) => ({ what: 'token name', text: name, path: ['api', 'tokens', index, 'name'] })),
    ...clients.map(({ name }, index) => ({ what: 'name', text: name, path: ['api', 'clients', index, 'name'] })),
  ]
  found.push(...takenTwice(named, 'the journal tells people apart by it: choose another'))
  const told = clients.flatMap(({ san, subject }, index) => [
    ...(san === undefined ? [] : [{ what: 'san', text: san, path: ['api', 'clients', index, 'san'] }]),
    ...(subject === undefined ? [] : [{ what: 'subject', text: subject, path: ['api', 'clients', index, 'subject'] }]),
  ])
  found.push(...takenTwice(told, 'a certificate is one client’s'))
  const grants: (readonly [Pick<Granted, 'role' | 'scope'>, Path])[] = [
    ...tokens.map((token, index) => [token, ['api', 'tokens', index]] as const),
    ...clients.map((client, index) => [client, ['api', 'clients', index]] as const),
    ...(oidc?.groups ?? []).map((group, index) => [group, ['api', 'oidc', 'groups', index]] as const),
  ]
  return [...found, ...grants.flatMap(([grant, path]) => grantFindings(grant, path))]
}

interface Claim {
  readonly what: string
  readonly text: string
  readonly path: Path
}

function takenTwice(claims: readonly Claim[], hint: string): Finding[] {
  return claims.flatMap(({ what, text, path }, index): Finding[] => {
    const first = claims.findIndex((one) => one.text === text)
    const other = claims[first]
    if (first === index || !other) return []
    return [
      { code: 'CONFIG_DUPLICATE', cause: `the ${what} "${text}" is taken`, hint, path, other: { path: other.path } },
    ]
  })
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
  const grants = [...api.tokens, ...api.clients, ...(api.oidc?.groups ?? [])]
  const may = grants.filter(({ role }) => role !== 'viewer' && role !== 'webhook')
  return [...new Set(may.flatMap(({ approves }) => approves))]
}

/** True for what only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
