import { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import { parseJson } from '../../shared/json.ts'

const rrsetSchema = z.object({
  name: z.string().transform((name) => name.toLowerCase().replace(/\.$/, '')),
  type: z.string(),
  ttl: z.number(),
  records: z.array(z.object({ content: z.string(), disabled: z.boolean().optional() })),
  comments: z.array(z.object({ content: z.string(), account: z.string() })).optional(),
})

/** What GET of a zone answers, as far as it is needed here. */
export const zoneSchema = z.object({ rrsets: z.array(rrsetSchema) })
/** What GET of the server's config answers. */
export const configSchema = z.array(z.object({ name: z.string(), value: z.string() }))
/** What GET of a zone's metadata answers. */
export const metadataSchema = z.array(z.object({ kind: z.string(), metadata: z.array(z.string()) }))

/** All records of one name and type. Names are in lower case, without a dot at their end. */
export type Rrset = z.output<typeof rrsetSchema>

/** One entry of a PATCH; PowerDNS takes all of them or none. */
export interface RrsetChange {
  readonly name: string
  readonly type: string
  readonly changetype: 'REPLACE' | 'DELETE'
  readonly ttl?: number
  readonly records?: readonly { readonly content: string; readonly disabled: boolean }[]
}

const errorSchema = z.object({ error: z.string() })

/** What an answer other than 2xx means, in PowerDNS's words where it has some, save the key. */
export function refusal(what: string, status: number, text: string, apiKey: string): Problem {
  const said = errorSchema.safeParse(parseJson(text))
  const words = said.success ? `: ${said.data.error.replaceAll(apiKey, '***').slice(0, 200)}` : ''
  const cause = `PowerDNS answered ${status} to ${what}${words}`
  if (status === 401)
    return problem('TRAFFIC_NO_CREDENTIALS', cause, { hint: "compare `apiKey` with PowerDNS's own api-key" })
  if (status === 403) return problem('TRAFFIC_FORBIDDEN', cause)
  if (status === 404)
    return problem('TRAFFIC_NOT_FOUND', cause, { hint: 'check `zone`, and `server` under providers.powerdns' })
  if (status === 429) return problem('TRAFFIC_THROTTLED', cause)
  if (status === 502 || status === 503 || status === 504) return problem('TRAFFIC_UNREACHABLE', cause)
  if (status < 400) return badAnswer(cause)
  return problem('TRAFFIC_REFUSED', cause)
}

export function badAnswer(cause: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', cause, {
    hint: 'check that `url` is that of the API of a PowerDNS 4.2 or newer',
  })
}
