import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { CATALOGUE } from '../core/catalogue.ts'
import { Problem, problem } from '../core/problem.ts'
import type { Log } from '../ports/runtime.ts'
import { pathOf } from './audit.ts'

/** Makes every refusal and fault one shape: `{code, cause, hint, requestId}`, with the catalogue's status. */
export function answerProblems(app: FastifyInstance, log: Log): void {
  app.setErrorHandler<FastifyError | Problem>((error, request, reply) => {
    const refusal = toProblem(error)
    if (refusal.code === 'API_INTERNAL') log.error({ requestId: request.id, err: error }, 'a request failed')
    return sendProblem(refusal, request, reply)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(problem('API_NOT_FOUND', `there is no ${request.method} ${pathOf(request)}`), request, reply),
  )
}

/** `more`: what the route's own schema of refusals has beside that. */
export function sendProblem(
  refusal: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  more: object = {},
): FastifyReply {
  const { status } = CATALOGUE[refusal.code]
  request.refusedWith = refusal.code
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer realm="headgate"')
  if (status === 503) reply.header('Retry-After', '1')
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ ...refusal.toJSON(), requestId: request.id, ...more })
}

export function toProblem(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation
    const pointer = `${error.validationContext ?? 'request'}${first?.instancePath ?? ''}`.replace(/\/$/, '')
    return problem('API_BAD_REQUEST', `${pointer}: ${first?.message ?? 'does not fit'}`)
  }
  // Fastify's own refusals (not JSON, too large, of another type); their texts name no internals.
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return problem('API_BAD_REQUEST', error.message)
  return problem('API_INTERNAL', 'the request could not be answered', { from: error })
}
