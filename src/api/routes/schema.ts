import { refusalSchema } from '../wire.ts'

/** Every route may answer with a problem. */
export const PROBLEMS = { '4xx': refusalSchema, '5xx': refusalSchema }

/** In OpenAPI: the route takes a bearer token, or the cookie of a session. */
export const WITH_TOKEN = [{ bearer: [] }, { session: [] }]
