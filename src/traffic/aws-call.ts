import type { ProblemCode } from '../core/catalogue.ts'
import { Problem, problem } from '../core/problem.ts'
import type { Quota } from '../ports/quota.ts'
import { unlessAborted } from '../shared/abort.ts'
import { connectionProblem } from './failure.ts'

/** Longest part of AWS's own words that is told. */
const MAX_WORDS = 300

/** A call to AWS. */
export interface AwsCall {
  /** For people, e.g. `Route 53`. */
  readonly service: string
  /** As an IAM policy names it, e.g. `route53:GetChange`. */
  readonly action: string
  /** Emptied when AWS says that the rate is too high. */
  readonly quota: Quota
  readonly signal: AbortSignal
}

/** Why a call to AWS failed. */
export class AwsFailure {
  /** AWS's own code, e.g. `InvalidChangeBatch`; empty where AWS did not answer. */
  readonly name: string
  /** AWS's own words; empty where there are none. */
  readonly words: string
  readonly problem: Problem

  constructor(name: string, words: string, why: Problem) {
    this.name = name
    this.words = words
    this.problem = why
  }
}

/**
 * Makes one call by `send`, which must hand the signal on. Never rejects. An answer that `send` cannot read is a
 * Problem that it throws. The signal ends the search for credentials too, which no SDK lets it do.
 */
export async function callAws<Answer>(call: AwsCall, send: () => Promise<Answer>): Promise<Answer | AwsFailure> {
  try {
    return await unlessAborted(call.signal, send)
  } catch (error) {
    const failure = failureOf(call, error)
    if (RATE_LIMITED.has(failure.name)) call.quota.exhaust()
    return failure
  }
}

/** The names by which AWS's services say that calls come too fast. */
const RATE_LIMITED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
])

const CODES: Readonly<Record<string, ProblemCode>> = {
  ...Object.fromEntries([...RATE_LIMITED].map((name) => [name, 'TRAFFIC_THROTTLED'])),
  // Another change of the same zone is under way: no question of rate, but of trying again.
  PriorRequestNotComplete: 'TRAFFIC_THROTTLED',
  AccessDenied: 'TRAFFIC_FORBIDDEN',
  AccessDeniedException: 'TRAFFIC_FORBIDDEN',
  NotAuthorizedException: 'TRAFFIC_FORBIDDEN',
  UnauthorizedOperation: 'TRAFFIC_FORBIDDEN',
  InvalidClientTokenId: 'TRAFFIC_NO_CREDENTIALS',
  UnrecognizedClientException: 'TRAFFIC_NO_CREDENTIALS',
  InvalidAccessKeyId: 'TRAFFIC_NO_CREDENTIALS',
  SignatureDoesNotMatch: 'TRAFFIC_NO_CREDENTIALS',
  IncompleteSignature: 'TRAFFIC_NO_CREDENTIALS',
  MissingAuthenticationToken: 'TRAFFIC_NO_CREDENTIALS',
  ExpiredToken: 'TRAFFIC_NO_CREDENTIALS',
  ExpiredTokenException: 'TRAFFIC_NO_CREDENTIALS',
  CredentialsProviderError: 'TRAFFIC_NO_CREDENTIALS',
  TokenProviderError: 'TRAFFIC_NO_CREDENTIALS',
}

function failureOf({ service, action, signal }: AwsCall, error: unknown): AwsFailure {
  if (error instanceof Problem) return new AwsFailure('', '', error)
  const name = error instanceof Error ? error.name : ''
  const code = CODES[name]
  const status = statusOf(error)
  // The words about credentials may repeat parts of them, or what a helper program said.
  const words = code === 'TRAFFIC_NO_CREDENTIALS' ? '' : wordsOf(error).slice(0, MAX_WORDS)
  const said = words === '' ? name : `${name}: ${words}`
  const from = { from: error }
  if (signal.aborted) return new AwsFailure('', '', connectionProblem(service, error, signal))
  if (code === 'TRAFFIC_FORBIDDEN')
    return new AwsFailure(name, words, problem(code, `${service} does not allow ${action}: ${said}`, from))
  if (code === 'TRAFFIC_NO_CREDENTIALS')
    return new AwsFailure(name, words, problem(code, `no credentials that ${service} takes: ${said}`, from))
  if (code !== undefined) return new AwsFailure(name, words, problem(code, `${service} says ${said}`, from))
  // Without a status there was no answer.
  if (status === null) return new AwsFailure('', '', unreached(service, error, signal))
  if (status >= 500)
    return new AwsFailure(name, words, problem('TRAFFIC_UNREACHABLE', `${service} has trouble: it answered ${status}`))
  if (status < 300 || NO_CODE.has(name))
    return new AwsFailure('', '', badAwsAnswer(`${service} answered ${action} with ${status} and something unreadable`))
  return new AwsFailure(name, words, problem('TRAFFIC_REFUSED', `${service} says ${said}`, from))
}

/** AWS's words; those of InvalidChangeBatch may be a list of their own. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const list = 'messages' in error && Array.isArray(error.messages) ? error.messages : []
  return error.message === '' || list.length > 0 ? list.join('; ') : error.message
}

/** What the SDK calls an answer in which it finds no code of AWS's. */
const NO_CODE: ReadonlySet<string> = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError', ''])

export function badAwsAnswer(cause: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', cause, { hint: 'check what answers at `endpoint`, and proxies on the way' })
}

function unreached(service: string, error: unknown, signal: AbortSignal): Problem {
  // The SDK calls a connection that was reset a TimeoutError too; the code tells the truth.
  if (error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code)) && error.code !== 'ETIMEDOUT')
    return problem('TRAFFIC_UNREACHABLE', `${service} cannot be reached: ${error.code}`, { from: error })
  return connectionProblem(service, error, signal)
}

function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null
}
