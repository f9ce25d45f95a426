import type { Json } from './json-patch.ts'

/** What an API server answers when it does not do what was asked. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: { [key: string]: Json }

  constructor(code: number, reason: string, message: string, details: { [key: string]: Json } = {}) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  toStatus(): Json {
    const { code, reason, message, details } = this
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code }
  }
}

/** Which object an error is about, as messages name it: `widgets.example.com "a"`. */
export interface About {
  readonly group: string
  readonly plural: string
  readonly name: string
}

const text = ({ group, plural, name }: About) => `${plural}${group === '' ? '' : `.${group}`} "${name}"`
const details = ({ group, plural, name }: About) => ({ name, ...(group !== '' && { group }), kind: plural })

export const notFound = (about: About) => new ApiError(404, 'NotFound', `${text(about)} not found`, details(about))

export const alreadyExists = (about: About) =>
  new ApiError(409, 'AlreadyExists', `${text(about)} already exists`, details(about))

export const modified = (about: About) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${text(about)}: the object has been modified; please apply your changes to the latest version and try again`,
    details(about),
  )

/** A patch whose `test` failed or whose path is missing: it names neither the object nor a cause. */
export const unappliable = () =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

export const invalid = (about: About, field: string, message: string) =>
  new ApiError(422, 'Invalid', `${text(about)} is invalid: ${field}: ${message}`, {
    ...details(about),
    causes: [{ reason: 'FieldValueInvalid', message, field }],
  })

export const forbidden = (user: string, verb: string, about: About, namespace: string) =>
  new ApiError(
    403,
    'Forbidden',
    `${text(about)} is forbidden: User "${user}" cannot ${verb} resource "${about.plural}" in API group "${about.group}" in the namespace "${namespace}"`,
    details(about),
  )

export const unauthorized = () => new ApiError(401, 'Unauthorized', 'Unauthorized')

export const tooManyRequests = () =>
  new ApiError(
    429,
    'TooManyRequests',
    'the server has received too many requests and has asked us to try again later',
    {
      retryAfterSeconds: 1,
    },
  )

export const wrongMediaType = (accepted: readonly string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)

export const expired = (asked: number, oldest: number) =>
  new ApiError(410, 'Expired', `too old resource version: ${asked} (${oldest})`)
