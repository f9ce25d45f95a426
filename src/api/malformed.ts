import type { Server } from 'node:http'
import type { FastifyHttpOptions, FastifyInstance } from 'fastify'
import { type ProblemCode, problem } from '../core/problem.ts'
import type { Random } from '../ports/runtime.ts'
import { sendProblem, toProblem } from './errors.ts'

/** A request must be whole after so long; streams are answers, and may last, ms. */
export const REQUEST_TIMEOUT_MS = 30_000

/** A part of a socket: what is left to answer on where no request could be read. */
interface Wire {
  readonly writable: boolean
  readonly destroyed: boolean
  end(text: string): unknown
  destroy(): unknown
}

/** How the server treats what is no request, or none that it can route: a problem of the same shape as everywhere. */
export function malformedOptions(
  random: Random,
): Pick<FastifyHttpOptions<Server>, 'clientErrorHandler' | 'frameworkErrors' | 'requestTimeout' | 'http'> {
  return {
    requestTimeout: REQUEST_TIMEOUT_MS,
    // The guard asks for it, so that the refusal has a code.
    http: { requireHostHeader: false },
    frameworkErrors: (error, request, reply) => {
      sendProblem(toProblem(error), request, reply)
    },
    clientErrorHandler: (error, socket) => {
      // Who does not speak TLS, or breaks it off, cannot read an answer.
      if (error.code === 'ECONNRESET' || /^(ERR_SSL|ERR_TLS|EPROTO)/.test(error.code ?? ''))
        return void socket.destroy()
      const cause =
        error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'the request did not come in time'
          : error.code === 'HPE_HEADER_OVERFLOW'
            ? 'the headers are too large'
            : 'this is not HTTP as it is written'
      answerOn(socket, cause, random)
    },
  }
}

/** Refuses what Node hands over by other ways than as a request, or answers with nothing. */
export function refuseOddRequests(app: FastifyInstance, random: Random): void {
  app.server.on('connect', (_request, socket: Wire) => answerOn(socket, 'Headgate is no proxy', random))
  app.server.on('checkExpectation', (_request, response) => {
    const text = refusalText('the Expect header asks for what Headgate does not do', random)
    response.writeHead(400, { 'content-type': 'application/problem+json', connection: 'close' }).end(text)
  })
}

function answerOn(socket: Wire, cause: string, random: Random): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy()
  const text = refusalText(cause, random)
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n`
  socket.end(head + text)
}

const CODE: ProblemCode = 'API_BAD_REQUEST'

function refusalText(cause: string, random: Random): string {
  return JSON.stringify({ ...problem(CODE, cause).toJSON(), requestId: random.id() })
}
