import { join } from 'node:path'
import { request } from 'undici'
import { z } from 'zod'
import type { Children } from '../examples/demo/children.ts'
import { FAKE_ACCESS_KEY } from '../test/fakes/route53.ts'
import type { Route53Stats, ZoneSeed } from '../test/fakes/route53-main.ts'

const READY = z.object({ url: z.url(), controlUrl: z.url() })

/** AWS's quotas as they are documented: docs/providers/route53.md names the source. */
export const QUOTA = { perSecond: 10, burst: 50, recordsPerCall: 1000 } as const

/** The strict fake of Route 53, in another process, at AWS's own quotas. */
export interface Route53Process {
  readonly url: string
  seed(zones: readonly ZoneSeed[]): Promise<void>
  /** Calls since the last `forget` that changed records, or would have. */
  changeCalls(): Promise<Route53Stats['calls']>
  forget(): Promise<void>
  /** NEW's weights in a zone that are not 0. */
  weightsLeft(zone: string): Promise<number>
  /** One bare call that sets these records, of NEW, to 0: how long it takes, ms. */
  bareCall(zone: string, names: readonly string[]): Promise<number>
}

export async function startRoute53(children: Children, name: string, latencyMs: number): Promise<Route53Process> {
  const child = children.start({
    name,
    script: join(import.meta.dirname, '../test/fakes/route53-main.ts'),
    args: ['--latency-ms', `${latencyMs}`, '--per-second', `${QUOTA.perSecond}`, '--burst', `${QUOTA.burst}`],
    env: {},
  })
  const { url, controlUrl } = READY.parse(await children.ready(child))
  const control = async (method: 'GET' | 'PUT' | 'POST', path: string, body?: object): Promise<unknown> => {
    const answer = await request(`${controlUrl}${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
    if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode}`)
    return answer.body.json()
  }
  return {
    url,
    seed: async (zones) => void (await control('PUT', '/zones', [...zones])),
    changeCalls: async () => {
      const { calls } = (await control('GET', '/stats')) as Route53Stats
      return calls.filter(({ action }) => action === 'ChangeResourceRecordSets')
    },
    forget: async () => void (await control('POST', '/forget')),
    weightsLeft: async (zone) => {
      const weights = (await control('GET', `/weights?zone=${zone}`)) as [string, string, number][]
      return weights.filter(([, setIdentifier, weight]) => setIdentifier === 'green' && weight > 0).length
    },
    async bareCall(zone, names) {
      const body = batchXml(names)
      const startedMs = performance.now()
      const answer = await request(`${url}/2013-04-01/hostedzone/${zone}/rrset/`, {
        method: 'POST',
        headers: { authorization: `AWS4-HMAC-SHA256 Credential=${FAKE_ACCESS_KEY}/x`, 'content-type': 'text/xml' },
        body,
      })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`a bare call was refused: ${text}`)
      return performance.now() - startedMs
    },
  }
}

function batchXml(names: readonly string[]): string {
  const changes = names.map(
    (name) =>
      `<Change><Action>UPSERT</Action><ResourceRecordSet><Name>${name}.</Name><Type>A</Type><SetIdentifier>green</SetIdentifier><Weight>0</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.2</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?><ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>${changes.join('')}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`
}
