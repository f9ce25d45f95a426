import { type Missing, missing } from '../../core/observation.ts'
import { clause, codeOf } from '../../shared/text.ts'
import type { BatchAnswer } from '../periods/batches.ts'

const THROTTLED: readonly string[] = ['Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'LimitExceeded']
const FORBIDDEN: readonly string[] = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']
const NO_CREDENTIALS: readonly string[] = [
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'ExpiredToken',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'TokenProviderError',
]
const CONNECTION: readonly string[] = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EPIPE']

/** Why a call to CloudWatch gave no answer, in words without secrets. */
export function failureOf(error: unknown, signal: AbortSignal, timeoutSeconds: number): BatchAnswer {
  if (signal.aborted) return failed(missing('timeout', 'the deadline of the sweep came first'))
  const name = error instanceof Error ? error.name : 'unknown error'
  // The words about credentials may repeat parts of them, or what a helper program said.
  if (NO_CREDENTIALS.includes(name)) return failed(missing('refused', `no credentials that CloudWatch takes (${name})`))
  const code = codeOf(error)
  // The SDK calls a connection that was reset a TimeoutError too; the code tells the truth.
  if (CONNECTION.includes(code)) return failed(missing('unreachable', `no connection (${code})`))
  if (name === 'TimeoutError' || name === 'AbortError')
    return failed(missing('timeout', `no answer within ${timeoutSeconds} s`))
  const said = error instanceof Error ? clause(`${name}: ${error.message}`, []) : name
  if (FORBIDDEN.includes(name)) return failed(missing('refused', `cloudwatch:GetMetricData is not allowed: ${said}`))
  if (THROTTLED.includes(name)) return failed(missing('refused', `CloudWatch is asked too often: ${said}`))
  const status = statusOf(error)
  if (status === null) return failed(missing('unreachable', `no connection (${code})`))
  if (status >= 500) return failed(missing('unreachable', `status ${status}`))
  // An expression that cannot be understood refuses the call.
  return { kind: 'refused', why: missing('refused', said) }
}

function failed(why: Missing): BatchAnswer {
  return { kind: 'failed', why }
}

function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null
}
