import cookies from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CATALOGUE } from '../core/catalogue.ts'
import { Problem, problem } from '../core/problem.ts'
import { isChange } from './audit.ts'
import { type Recognised, recognise, refusalOf } from './auth.ts'
import { csrfRefusal, strangePageRefusal } from './csrf.ts'
import { isLoopback, isLoopbackHeader } from './hosts.ts'
import type { ApiOptions } from './options.ts'
import type { Api } from './session.ts'

const MINUTE_MS = 60_000
/** Callers that are counted at a time. */
const CALLERS = 10_000

type Check = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * Refuses before anything of the body is read: first strange host names, then who may not ask, then who asks too often.
 * Who has no valid token is counted by address. Who has one is counted by name, and a valid token is never refused for what
 * others do at its address: a broken script behind the same proxy must not keep anybody from a revert.
 */
export async function guard(app: FastifyInstance, options: Api): Promise<void> {
  const onLoopback = isLoopback(options.host)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
    // Whoever ends TLS for people promises it, and for a whole host: that is seldom Headgate.
    strictTransportSecurity: false,
  })
  await app.register(rateLimit, { global: false, cache: CALLERS })
  // Cookies are read before the guard's own hook asks for them.
  await app.register(cookies)
  const counts = {
    reads: counting(app, 'reads', options),
    changes: counting(app, 'changes', options),
    refusals: counting(app, 'refusals', options),
  }
  app.decorateRequest('identity', null)
  app.decorateRequest('openSession', null)
  app.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers
    if (host === undefined) throw problem('API_BAD_REQUEST', 'the request names no host')
    if (onLoopback && !isLoopbackHeader(host))
      throw problem('API_HOST_REFUSED', 'the request names a host that is not this machine’s loopback')
    // Only a new connection shows its certificate to the authorities of now.
    if (options.tls?.shownBy(request.socket)?.kind === 'outdated') reply.header('connection', 'close')
    // A route that says nothing is not open.
    const { access = 'viewer', unlimited = false } = request.routeOptions.config ?? {}
    const found = await recognise(access, request, options)
    if (found instanceof Problem) {
      // An outage is told as what it is, however often.
      if (CATALOGUE[found.code].status < 500) await counts.refusals(request, reply)
      throw found
    }
    // First who it is: the audit tells of those that are refused as well.
    const { identity, session } = found
    request.identity = identity
    request.openSession = session
    const refusal = (isChange(request) ? csrf(request, found, options) : null) ?? refusalOf(identity, access)
    // How often comes first: what is refused costs a line of the audit, too.
    if (!unlimited || refusal) await counts[isChange(request) ? 'changes' : 'reads'](request, reply)
    if (refusal) throw refusal
  })
}

/** What a browser sends by itself must come from our own page. */
function csrf(request: FastifyRequest, { identity, session }: Recognised, options: Api): Problem | null {
  if (session !== null) return csrfRefusal(request, session, options)
  return identity?.via === 'certificate' ? strangePageRefusal(request, options) : null
}

/** Throws API_RATE_LIMITED, with Retry-After, when somebody has asked more often than that in a minute. */
function counting(app: FastifyInstance, kind: 'reads' | 'changes' | 'refusals', { rates }: ApiOptions): Check {
  const count = app.createRateLimit({
    max: () => rates()[kind],
    timeWindow: MINUTE_MS,
    keyGenerator: ({ identity, ip }) =>
      identity === null ? `${kind} of address ${ip}` : `${kind} of ${identity.via} ${identity.name}`,
  })
  return async (request, reply) => {
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return
    reply.header('Retry-After', String(Math.max(1, counted.ttlInSeconds)))
    throw problem('API_RATE_LIMITED', `more than ${counted.max} ${kind} in a minute`)
  }
}
