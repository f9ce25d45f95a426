import { refusalSchema } from '../wire.ts'

/** Every route may answer with a problem. */
export const PROBLEMS = { '4xx': refusalSchema, '5xx': refusalSchema }

/** In OpenAPI: the route takes a bearer token, the cookie of a session; a client's certificate, which fastify's types have no scheme for, is told in docs/access.md. */
export const WITH_TOKEN = [{ bearer: [] }, { session: [] }]
