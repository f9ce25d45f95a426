import { type Missing, missing } from '../core/observation.ts'
import { clause } from '../shared/text.ts'
import type { HttpAnswer } from './http.ts'

/** A server that refuses a query says so in a line of plain text, such as `parse error at line 1, col 5: …`. */
const OF_A_QUERY = /\b(?:parse error|syntax error|query|series|step|limit|range)\b/i

/** Why a status is no success; null: it is one. A body that does not speak of the query, a proxy's page say, is not repeated. */
export function refusalOf({ status, text, secrets }: HttpAnswer): Missing | null {
  if (status >= 200 && status < 300) return null
  if (status === 504) return missing('timeout', 'status 504')
  if (status >= 500) return missing('unreachable', `status ${status}`)
  const isOwn = (status === 400 || status === 422) && OF_A_QUERY.test(text) && !text.includes('<')
  return missing('refused', isOwn ? clause(text, secrets) : `status ${status}`)
}
