import type { ProblemCode } from '../core/catalogue.ts'
import { Problem, problem } from '../core/problem.ts'
import { connectionProblem } from './failure.ts'

/** Longest part of Azure's own words that is told. */
const MAX_WORDS = 300

/** A call to Azure Resource Manager. */
export interface AzureCall {
  /** What is asked of whom, e.g. `profile checkout of Traffic Manager`. */
  readonly what: string
  readonly signal: AbortSignal
}

/** What a failed call means. A token that Azure repeats is struck out. */
export function azureProblem({ what, signal }: AzureCall, error: unknown, token: string | null): Problem {
  if (error instanceof Problem) return error
  if (signal.aborted) return connectionProblem(what, error, signal)
  const from = { from: error }
  const { name, code, message, status } = partsOf(error)
  if (NO_CREDENTIALS.has(name))
    return problem('TRAFFIC_NO_CREDENTIALS', `${what}: no token could be had (${reasonIn(name, message)})`, from)
  if (status === null && code !== UNREADABLE) return connectionProblem(what, error, signal)
  if (status === null || status < 400) return badAzureAnswer(what, 'with something unreadable')

  const words = (token === null || token === '' ? message : message.replaceAll(token, '***')).slice(0, MAX_WORDS)
  // An error in HTML has neither a code nor words.
  const said = code === UNREADABLE ? '' : [code, words].filter((part) => part !== '').join(': ')
  return problem(codeOf(status, code), `${what}: Azure answered ${status}${said === '' ? '' : `, ${said}`}`, {
    ...(code === 'ScopeLocked' && { hint: 'remove the read-only lock on the resource, or on a group that it is in' }),
    ...from,
  })
}

export function badAzureAnswer(what: string, how: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', `${what}: Azure answered ${how}`, {
    hint: 'check what answers at `endpoint`, and proxies on the way',
  })
}

/** The SDK's own code for an answer that is no JSON. */
const UNREADABLE = 'PARSE_ERROR'

/** How the errors of @azure/identity are named. */
const NO_CREDENTIALS: ReadonlySet<string> = new Set([
  'CredentialUnavailableError',
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
])

/** The code alone: the words may repeat what was sent, or what a helper program said. */
function reasonIn(name: string, message: string): string {
  const code = /AADSTS\d+|\b[a-z]+(?:_[a-z]+)+\b|\bE[A-Z]{5,}\b/.exec(message)?.[0]
  return code === undefined ? name : `${name}, ${code}`
}

const CODES: Readonly<Record<number, ProblemCode>> = {
  401: 'TRAFFIC_NO_CREDENTIALS',
  403: 'TRAFFIC_FORBIDDEN',
  404: 'TRAFFIC_NOT_FOUND',
  409: 'TRAFFIC_CONFLICT',
  412: 'TRAFFIC_CONFLICT',
  429: 'TRAFFIC_THROTTLED',
  502: 'TRAFFIC_UNREACHABLE',
  503: 'TRAFFIC_UNREACHABLE',
  504: 'TRAFFIC_UNREACHABLE',
}

function codeOf(status: number, code: string): ProblemCode {
  // A lock is a 409, and trying again does not open it.
  if (code === 'ScopeLocked' || code === 'ReadOnlyDisabledSubscription') return 'TRAFFIC_FORBIDDEN'
  return CODES[status] ?? 'TRAFFIC_REFUSED'
}

function partsOf(error: unknown): { name: string; code: string; message: string; status: number | null } {
  if (!(error instanceof Error)) return { name: '', code: '', message: '', status: null }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { name: error.name, code, message: error.message, status }
}
