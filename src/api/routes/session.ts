import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { problem } from '../../core/problem.ts'
import { bearerOf } from '../auth.ts'
import type { Identity } from '../identity.ts'
import type { Api, OpenSession, Sessions } from '../session.ts'
import { endedSessionSchema, type SessionJson, sessionSchema } from '../wire-session.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** Signing in and out of a page. */
export function sessionRoutes(app: FastifyInstance, { sessions }: Api): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/api/v1/session',
    {
      schema: {
        summary: 'Sign in: a bearer token for the cookie of a session',
        description:
          'The cookie stands for the token until it ends. With it, a change needs the header `X-CSRF-Token`, from our own origin.',
        tags: ['session'],
        security: [{ bearer: [] }],
        response: { 200: sessionSchema, ...PROBLEMS },
      },
    },
    async ({ identity, headers }, reply) => {
      const token = bearerOf(headers.authorization)
      if (identity === null || token === undefined)
        throw problem('API_UNAUTHENTICATED', 'a session is begun with a bearer token')
      const session = await sessions.begin(identity, token)
      setCookie(reply, sessions, session.cookie, Math.floor((session.endsAtMs - session.beganAtMs) / 1000))
      return toSession(identity, session)
    },
  )
  typed.get(
    '/api/v1/session',
    {
      schema: {
        summary: 'Who asks, what they may do, and until when',
        tags: ['session'],
        security: WITH_TOKEN,
        response: { 200: sessionSchema, ...PROBLEMS },
      },
    },
    async ({ identity, openSession }, reply) => {
      reply.header('cache-control', 'no-store')
      return toSession(identity, openSession)
    },
  )
  typed.delete(
    '/api/v1/session',
    {
      schema: {
        summary: 'Sign out: the cookie opens nothing any more',
        tags: ['session'],
        security: WITH_TOKEN,
        response: { 200: endedSessionSchema, ...PROBLEMS },
      },
    },
    async ({ openSession }, reply) => {
      if (openSession !== null) sessions.end(openSession)
      setCookie(reply, sessions, '', 0)
      return { ended: openSession !== null }
    },
  )
}

function setCookie(reply: FastifyReply, { cookieName, isSecure }: Sessions, value: string, maxAge: number): void {
  reply.header('cache-control', 'no-store')
  reply.setCookie(cookieName, value, { path: '/', httpOnly: true, secure: isSecure, sameSite: 'strict', maxAge })
}

function toSession(identity: Identity | null, session: OpenSession | null): SessionJson {
  return {
    name: identity?.name ?? null,
    via: identity?.via ?? null,
    roles: [...new Set(identity?.grants.map(({ role }) => role) ?? ['viewer' as const])],
    grants: (identity?.grants ?? []).map(({ role, approves, scope }) => ({
      role,
      approves: [...approves],
      scope: {
        migrations: scope.migrations && [...scope.migrations],
        teams: scope.teams && [...scope.teams],
        workloads: scope.workloads && [...scope.workloads],
      },
    })),
    csrfToken: session?.csrfToken ?? null,
    endsAtMs: session?.endsAtMs ?? null,
  }
}
