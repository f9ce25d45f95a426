import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, problem } from '../core/problem.ts'
import { isChange } from './audit.ts'
import { authenticate, refusalOf } from './auth.ts'
import { isLoopback, isLoopbackHeader } from './hosts.ts'
import type { ApiOptions } from './options.ts'

const MINUTE_MS = 60_000
/** Callers that are counted at a time. */
const CALLERS = 10_000

type Check = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * Refuses before anything of the body is read: first strange host names, then who may not ask, then who asks too often.
 * Who has no valid token is counted by address. Who has one is counted by name, and a valid token is never refused for what
 * others do at its address: a broken script behind the same proxy must not keep anybody from a revert.
 */
export async function guard(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const onLoopback = isLoopback(options.host)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
    // TLS ends before Headgate: whoever ends it promises it.
    strictTransportSecurity: false,
  })
  await app.register(rateLimit, { global: false, cache: CALLERS })
  const counts = {
    reads: counting(app, 'reads', options),
    changes: counting(app, 'changes', options),
    refusals: counting(app, 'refusals', options),
  }
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers
    if (host === undefined) throw problem('API_BAD_REQUEST', 'the request names no host')
    if (onLoopback && !isLoopbackHeader(host))
      throw problem('API_HOST_REFUSED', 'the request names a host that is not this machine’s loopback')
    // A route that says nothing is not open.
    const { access = 'viewer', unlimited = false } = request.routeOptions.config ?? {}
    const identity = await authenticate(access, request.headers.authorization, options)
    if (identity instanceof Problem) {
      if (identity.code === 'API_UNAUTHENTICATED') await counts.refusals(request, reply)
      throw identity
    }
    // First who it is: the audit tells of those that are refused as well.
    request.identity = identity
    const refusal = refusalOf(identity, access)
    if (refusal) throw refusal
    if (!unlimited) await counts[isChange(request) ? 'changes' : 'reads'](request, reply)
  })
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
