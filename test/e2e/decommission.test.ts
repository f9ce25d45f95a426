import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import type { DecommissionJson } from '../../src/api/wire-decommission.ts'
import { API_LIMITS, type RunningHeadgate, TOKEN } from '../support/headgate.ts'
import { eventsOf, haproxyTraffic, layOut, SWEEP_SECONDS } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { CLUSTERS, sendLoad, startWorld, type World } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e decommission')
const DRAIN_SECONDS = 15
/** One in ten thousand, 0.01 %, still goes to OLD. */
const REQUESTS = 10_000
const AT_ONCE = 50

describe.skipIf(SERVERS === null)('whether OLD may go, asked of a real Prometheus', () => {
  test.concurrent(
    'no while one request in ten thousand comes, with whose it was; yes after that',
    PATIENT,
    async (context) => {
      if (SERVERS === null) throw new Error('skipped without its servers')
      const world = await startWorld(SERVERS, ['catalog'], { requestsPerSecond: 0 })
      context.onTestFinished(world.stop)
      const migration = layOut(configText(world))
      context.onTestFinished(migration.stop)
      const headgate = await migration.start()
      expect(await answerOf(headgate)).toMatchObject({ mayGo: false })
      const stopLoad = sendLoad(world.haproxy, ['catalog'])
      context.onTestFinished(stopLoad)
      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'draining')
      await stopLoad()

      // Late in the drain: what came to OLD at the beginning of it is about to leave the time that is asked about.
      await until('most of the drain is over', async () => {
        const [catalog] = (await answerOf(headgate)).workloads
        return catalog !== undefined && catalog.quietSeconds >= DRAIN_SECONDS * 0.6
      })
      // First the one to OLD: however long the many take, the drain then begins anew.
      const { old } = world.service('catalog')
      await ask(`http://127.0.0.1:${old.port}/`, 'nightly-export')
      const many = sendMany(`http://127.0.0.1:${world.haproxy.port('catalog')}/`)
      const no = await until('OLD is known to be asked', async () => {
        const answer = await answerOf(headgate)
        return answer.workloads[0]?.residual.requests === 1 ? answer : null
      })
      await many
      expect(no).toMatchObject({
        mayGo: false,
        workloads: [
          {
            phase: 'draining',
            residual: { requests: 1, by: [{ label: 'client', values: [{ value: 'nightly-export', requests: 1 }] }] },
          },
        ],
      })

      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
      const yes = await until('OLD may go', async () => {
        const answer = await answerOf(headgate)
        return answer.mayGo ? answer : null
      })
      expect(yes).toMatchObject({ workloads: [{ phase: 'completed', residual: { requests: 0, by: [] } }] })
      const [quiet] = eventsOf(await migration.journal('catalog'), 'old-quiet')
      expect(quiet).toMatchObject({ requests: 0 })
      expect(quiet?.seconds).toBeGreaterThanOrEqual(DRAIN_SECONDS)
    },
  )
})

function configText({ prometheus, haproxy }: World): string {
  return `apiVersion: headgate/v1
migration: last-requests
clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }
sweep: ${SWEEP_SECONDS}s
api: { port: 0, ${API_LIMITS}, tokens: [{ name: ada, role: operator, token: "\${env:E2E_TOKEN}" }] }
sources:
  prometheus: { url: "${prometheus.url}" }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
policies:
  quick:
    steps: [{ weight: 100%, hold: 1s }]
    minRequests: 10
    bake: 1s
    drain: { for: ${DRAIN_SECONDS}s, by: [client] }
    share: { tolerance: 20% }
    proof: { need: 2, plusBudgets: 10 }
policy: quick
workloads:
  - { name: catalog, traffic: ${haproxyTraffic(haproxy.socketName).of('catalog')} }
`
}

async function sendMany(url: string): Promise<void> {
  const agent = new Agent({ connections: AT_ONCE })
  let left = REQUESTS - 1
  const worker = async () => {
    while (left-- > 0) await ask(url, 'users', agent)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker)).finally(() => agent.close())
}

async function ask(url: string, client: string, dispatcher?: Agent): Promise<void> {
  const { statusCode, body } = await request(url, {
    headers: { 'x-client': client },
    ...(dispatcher && { dispatcher }),
  })
  await body.dump()
  expect(statusCode).toBe(200)
}

async function answerOf({ url }: RunningHeadgate): Promise<DecommissionJson> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const answer = await request(`${url}/api/v1/decommission`, { headers })
  expect(answer.statusCode).toBe(200)
  return (await answer.body.json()) as DecommissionJson
}
