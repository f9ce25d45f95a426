import type { RequestListener } from 'node:http'
import { fastifySSE } from '@fastify/sse'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod'
import { auditRequests } from './audit.ts'
import { drainOnClose } from './drain.ts'
import { answerProblems } from './errors.ts'
import { guard } from './guard.ts'
import { malformedOptions, REQUEST_TIMEOUT_MS, refuseOddRequests } from './malformed.ts'
import { type ApiOptions, BODY_LIMIT_BYTES, DEFAULT_LIMITS } from './options.ts'
import { alertmanagerRoute } from './routes/alertmanager.ts'
import { commandRoutes, commandToAllRoutes } from './routes/commands.ts'
import { decommissionRoutes } from './routes/decommission.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'
import { journalRoutes } from './routes/journal.ts'
import { reloadRoute } from './routes/reload.ts'
import { reportRoute } from './routes/report.ts'
import { sessionRoutes } from './routes/session.ts'
import { streamRoute } from './routes/stream.ts'
import { workloadRoutes } from './routes/workloads.ts'
import { createSessions } from './session.ts'
import type { Tls } from './tls.ts'

/**
 * Builds the HTTP API; `listen` and `close` are the caller's. Close ends the streams, lets requests that are being
 * answered finish, and then cuts what is left.
 */
export async function createApi(given: ApiOptions): Promise<FastifyInstance> {
  const options = { ...given, sessions: createSessions(given) }
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    genReqId: () => options.random.id(),
    exposeHeadRoutes: false,
    trustProxy: options.trustedProxies.length > 0 && [...options.trustedProxies],
    ...malformedOptions(options.random),
    ...(given.tls && { serverFactory: factoryOf(given.tls) }),
  })
  refuseOddRequests(app, options.random)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  answerProblems(app, options.log)
  auditRequests(app, options)
  await guard(app, options)
  const ending = drainOnClose(app, options.clock, limits.drainSeconds)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headgate',
        version: options.control.status().version,
        description: 'Moves live traffic from one cluster to another, and shows why.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          // A change also takes X-CSRF-Token, and an origin of our own.
          session: { type: 'apiKey', in: 'cookie', name: options.sessions.cookieName },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  await app.register(fastifySSE, { heartbeatInterval: limits.heartbeatSeconds * 1000 })
  await app.register(async (scope) => {
    healthRoutes(scope, options)
    scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  })
  await app.register(async (scope) => {
    scope.addHook('preHandler', () => options.control.refresh())
    workloadRoutes(scope, options)
    fleetRoutes(scope, options)
    journalRoutes(scope, options)
    reportRoute(scope, options)
    decommissionRoutes(scope, options)
    commandRoutes(scope, options)
    commandToAllRoutes(scope, options)
    alertmanagerRoute(scope, options)
    reloadRoute(scope, options)
    sessionRoutes(scope, options)
    streamRoute(scope, options, limits, ending)
  })
  await app.ready()
  return app
}

/** Idle connections, ms; fastify's own value, which it gives to no server that others make. */
const KEEP_ALIVE_MS = 72_000

function factoryOf(tls: Tls) {
  return (listener: RequestListener) =>
    tls.createServer(listener, { keepAliveMs: KEEP_ALIVE_MS, requestMs: REQUEST_TIMEOUT_MS })
}

/** Listens, and returns the URL. */
export async function listenAt(
  app: FastifyInstance,
  at: { readonly host: string; readonly port: number },
  tls: Tls | null,
) {
  if (tls === null) return app.listen(at)
  // Of a server that others make fastify binds one address only: the one that people write where they mean this machine.
  const host = at.host === 'localhost' ? '127.0.0.1' : at.host
  return (await app.listen({ ...at, host })).replace(/^http:/, 'https:')
}
