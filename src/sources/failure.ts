import { type Missing, missing } from '../core/observation.ts'
import { Problem } from '../core/problem.ts'
import { codeOf } from '../shared/text.ts'

/** What bounded a request that failed. */
export interface RequestBounds {
  /** The caller's deadline. */
  readonly signal: AbortSignal
  readonly timeoutSeconds: number
  readonly maxBytes: number
}

const ENDED_EARLY: readonly string[] = ['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ECONNRESET']

/** Says why a request gave no answer, in words that hold nothing of the request itself. */
export function failureOf(error: unknown, { signal, timeoutSeconds, maxBytes }: RequestBounds): Missing {
  if (signal.aborted) return missing('timeout', 'the deadline of the sweep came first')
  if (error instanceof Problem) return missing('refused', error.message)
  const code = codeOf(error)
  if (code === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return missing('timeout', `no answer within ${timeoutSeconds} s`)
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return missing('bad-answer', `the answer is larger than ${maxBytes} bytes`)
  const what = ENDED_EARLY.includes(code) ? 'the connection ended before the whole answer' : 'no connection'
  return missing('unreachable', `${what} (${code})`)
}
