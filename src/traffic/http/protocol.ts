import { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import { parseJson } from '../../shared/json.ts'
import { exactWeight } from '../weight.ts'

/** The answer to both calls. Splits are checked one by one: a stranger's broken one must not hide ours. */
const splitsAnswer = z.object({ splits: z.record(z.string(), z.unknown()) })
const split = z.object({ weightPercent: z.number() })
const refusalAnswer = z.object({ code: z.string(), message: z.string() })

/** By split name: its weight, or TRAFFIC_BAD_ANSWER for one that is no weight. */
export type Splits = ReadonlyMap<string, number | Problem>

/** Reads the body of a 200. Throws TRAFFIC_BAD_ANSWER for a text of another form. */
export function parseSplits(text: string): Splits {
  const answer = splitsAnswer.safeParse(parseJson(text))
  if (!answer.success) throw badAnswer('the provider answered 200, but not with {"splits": {…}}')
  return new Map(Object.entries(answer.data.splits).map(([name, value]) => [name, parseWeight(name, value)]))
}

function parseWeight(name: string, value: unknown): number | Problem {
  const parsed = split.safeParse(value)
  const weightPercent = parsed.success ? exactWeight(parsed.data.weightPercent) : null
  return weightPercent ?? badAnswer(`split ${name} has no weightPercent of 0 to 100 in steps of 0.1`)
}

/** What an answer other than 200 means, in the provider's own words where it has some, save the token. */
export function refusal(status: number, text: string, token: string | null): Problem {
  const said = refusalAnswer.safeParse(parseJson(text))
  const clean = (words: string) => (token === null ? words : words.replaceAll(token, '***')).slice(0, 200)
  const words = said.success ? `: ${clean(said.data.code)}: ${clean(said.data.message)}` : ''
  const cause = `the provider answered ${status}${words}`
  if (status === 404) return problem('TRAFFIC_NOT_FOUND', cause)
  if (status === 401 || status === 403) return problem('TRAFFIC_REFUSED', cause, { hint: 'check the `token`' })
  if (status === 502 || status === 503 || status === 504) return problem('TRAFFIC_UNREACHABLE', cause)
  if (status < 400) return badAnswer(`${cause}; only 200 is understood, and redirects are not followed`)
  return problem('TRAFFIC_REFUSED', cause)
}

export function badAnswer(cause: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', cause, {
    hint: 'check that `url` is that of a provider; see docs/providers/http.md',
  })
}
