import { z } from 'zod'
import { type FakeEvidence, serveEvidence } from './loki.ts'

const request = z.object({ query: z.string(), variables: z.object({ nrql: z.string() }) })
const NRQL =
  /^SELECT (?<calc>\w+)\(\*\) AS n FROM (?<from>\w+)(?<failed> WHERE error IS TRUE)? FACET cluster, service SINCE (?<since>\d+) UNTIL (?<until>\d+) LIMIT MAX$/

/** New Relic's NerdGraph (docs.newrelic.com/docs/apis/nerdgraph): what is wrong comes with status 200, in `errors`. */
export function startFakeNerdGraph(): Promise<FakeEvidence> {
  return serveEvidence(({ method, url, body }, events) => {
    if (method !== 'POST' || url.pathname !== '/graphql') return { status: 404, body: 'Not found' }
    const parsed = request.safeParse(JSON.parse(body))
    const nrql = parsed.success ? NRQL.exec(parsed.data.variables.nrql)?.groups : undefined
    if (!nrql) return { status: 200, body: JSON.stringify({ data: null, errors: [{ message: 'NRQL Syntax Error' }] }) }
    const which = nrql['failed'] === undefined ? 'all' : 'bad'
    const counted =
      nrql['from'] === 'Transaction' ? events.count(which, Number(nrql['since']), Number(nrql['until'])) : []
    const results = counted.map(({ cluster, service, count }) => ({
      facet: [cluster, service],
      cluster,
      service,
      n: nrql['calc'] === 'count' ? count : 'none',
    }))
    return { status: 200, body: JSON.stringify({ data: { actor: { account: { nrql: { results } } } } }) }
  })
}
