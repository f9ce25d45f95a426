import { readFileSync } from 'node:fs'
import type { HTTPMethods } from 'fastify'
import { describe, expect, test } from 'vitest'
import { type ApiToken, EVERYTHING, type Role } from '../../src/policy/access.ts'
import { signIn, testApi } from '../support/api.ts'
import { fakeFleet } from '../support/fleet-view.ts'

const ROLES: readonly Role[] = ['viewer', 'approver', 'operator', 'admin', 'webhook']
const NARROWED = { ...EVERYTHING, workloads: ['checkout'] }
const tokenOf = (role: Role, scope = EVERYTHING): ApiToken => {
  const name = scope === EVERYTHING ? role : `narrowed-${role}`
  return { name, role, approves: [], scope, token: name }
}
const TOKENS = [...ROLES.map((role) => tokenOf(role)), ...ROLES.map((role) => tokenOf(role, NARROWED))]
/** Whom each word of the page's second column means. */
const MEANT: Readonly<Record<string, readonly Role[]>> = {
  anybody: ROLES,
  viewer: ['viewer', 'approver', 'operator', 'admin'],
  approver: ['approver', 'operator', 'admin'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  webhook: ['webhook', 'operator', 'admin'],
}

/** The table of docs/api.md. */
const PAGE = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
const ROUTES = [...PAGE.matchAll(/^\| `(GET|POST|DELETE) (\S+)` \| (\w+)/gm)].map(
  ([, method = '', path = '', who = '']) => ({
    method: method as HTTPMethods & string,
    path,
    who,
  }),
)

/** By the header that a program sends, or as a page does that has signed in. */
const WAYS = ['bearer token', 'session'] as const

/** A webhook's token reads nothing, so it begins no session. */
const BY_ROLE = ROLES.flatMap((role) => WAYS.map((way) => ({ role, way }))).filter(
  ({ role, way }) => role !== 'webhook' || way !== 'session',
)
/** A session is begun by a token alone: it does not prolong itself. */
const isSignIn = ({ method, path }: (typeof ROUTES)[number]) => method === 'POST' && path === '/api/v1/session'

/** What a body needs to get as far as the question who asks; it fits its route, or none. */
const BODIES: Readonly<Record<string, object>> = {
  '/api/v1/workloads/{name}/commands': { command: 'approve', reason: 'a test' },
  '/api/v1/commands': { command: 'pause', reason: 'a test' },
}

async function api() {
  const made = await testApi({ tokens: () => TOKENS, secret: (reference) => reference })
  made.service.fleets = [fakeFleet()]
  return made
}

async function ask(
  route: (typeof ROUTES)[number],
  token: string | null,
  { workload = 'checkout', way = 'bearer token' }: { workload?: string; way?: (typeof WAYS)[number] } = {},
) {
  const { app, audited } = await api()
  const { method, path } = route
  const pageHeaders = token === null || way !== 'session' ? {} : (await signIn(app, token)).headers
  audited.length = 0
  const isPost = method === 'POST'
  // A stream that is let in does not end: a cursor that is none shows that it was.
  const url = path.replace('{name}', workload) + (path.endsWith('/stream') ? '?afterSeq=none' : '')
  const response = await app.inject({
    method,
    url,
    headers: token === null ? {} : way === 'session' ? pageHeaders : { authorization: `Bearer ${token}` },
    ...(isPost && { body: BODIES[path] ?? {} }),
  })
  return { response, audited }
}

test('docs/api.md has every route, and no other', async () => {
  const { app } = await api()
  const document = (await app.inject({ url: '/openapi.json', headers: { authorization: 'Bearer viewer' } })).json()
  const real = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(ROUTES.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...real, 'GET /openapi.json'].sort())
})

describe.each(ROUTES)('$method $path, for $who', (route) => {
  const allowed = MEANT[route.who] ?? []

  test.each(BY_ROLE)('asked by a $way of the role $role', async ({ role, way }) => {
    const { response, audited } = await ask(route, role, { way })
    if (isSignIn(route) && way === 'session') expect(response.json().code).toBe('API_UNAUTHENTICATED')
    else if (allowed.includes(role)) expect([200, 202, 400, 404]).toContain(response.statusCode)
    else {
      expect(response.statusCode).toBe(403)
      expect(response.json().code).toBe('API_FORBIDDEN')
      expect(audited).toMatchObject([{ actor: role, status: 403, code: 'API_FORBIDDEN' }])
    }
  })

  test.each([
    ['no token', null],
    ['a token that nobody has', 'nonsense'],
  ])('asked with %s', async (_, token) => {
    const { response } = await ask(route, token)
    if (route.who === 'anybody') expect(response.statusCode).toBe(200)
    else expect(response.json()).toMatchObject({ code: 'API_UNAUTHENTICATED' })
  })

  test.each(BY_ROLE)('asked by a $way of the role $role that is narrowed to another workload', async (asked) => {
    const { role, way } = asked
    const { response } = await ask(route, `narrowed-${role}`, { workload: 'catalog', way })
    if (isSignIn(route) && way === 'session') return expect(response.json().code).toBe('API_UNAUTHENTICATED')
    const ofTheService = route.who === 'admin' || route.who === 'webhook'
    const beyond = route.path.includes('{name}') || route.path === '/api/v1/report' || ofTheService
    if (!allowed.includes(role) || (beyond && route.who !== 'anybody')) expect(response.statusCode).toBe(403)
    else expect([200, 202, 400, 404]).toContain(response.statusCode)
    if (route.who !== 'anybody') expect(response.body).not.toContain('catalog/http')
  })
})
