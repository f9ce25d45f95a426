import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { API_CONFIG, startHeadgate, TOKEN } from '../support/headgate.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { PATIENT } from './case.ts'

const canary = (name: string) => `canary-${name}-${randomBytes(8).toString('hex')}`
const KEYS = { webhook: canary('webhook'), slack: canary('slack'), pager: canary('pager') }

const received = z.object({ id: z.string(), items: z.array(z.object({ seq: z.number(), event: z.string() })) })

test(
  'people are told once of what happened, over a kill and beside channels that are down, and no secret is shown',
  PATIENT,
  async () => {
    const own = await startWebServer(answering(204, ''))
    const echoing = await startWebServer((response, got) =>
      answering(500, `you sent ${got.url} ${JSON.stringify(got.headers)} ${got.body}`)(response, got),
    )
    const service = await startWebServer(answering(200, 'ok'))
    const provider = await startWebServer(answering(200, JSON.stringify({ splits: { search: { weightPercent: 0 } } })))
    const folder = mkdtempSync(join(tmpdir(), 'headgate-notify-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const configPath = join(folder, 'headgate.yaml')
    writeFileSync(
      configPath,
      `apiVersion: headgate/v1
migration: notify
clusters: { old: prod-a, new: prod-b }
sweep: 1s
${API_CONFIG}
notify:
  channels:
    - { name: own, to: { webhook: { url: "${own.url}/hook", signingKey: "\${env:WEBHOOK}" } }, group: 0s }
    - { name: chat, to: { slack: { webhook: "\${env:SLACK}" } }, group: 0s }
    - { name: pager, to: { pagerduty: { routingKey: "\${env:PAGER}", url: "${echoing.url}/v2/enqueue" } }, severity: warn, group: 0s }
workloads:
  - name: search
    traffic: { http: { url: "${provider.url}", split: search } }
    probes: [{ url: "http://search.test/", address: { new: "127.0.0.1:${service.port}" } }]
`,
    )
    const env = { WEBHOOK: KEYS.webhook, SLACK: `${echoing.url}/services/${KEYS.slack}`, PAGER: KEYS.pager }
    const start = async () => {
      const headgate = await startHeadgate(configPath, { logLevel: 'debug', env })
      onTestFinished(() => headgate.kill())
      return headgate
    }
    const told = () => own.requests.map(({ body }) => received.parse(JSON.parse(body)))
    const toldOf = (event: string) => told().filter(({ items }) => items.some((item) => item.event === event)).length

    const first = await start()
    await first.sweeps(1)
    await first.command('search', 'pause', 'to see who is told')
    await until('the pause is told', () => toldOf('hold-added') > 0, first.log)
    await until('both others were tried', () => new Set(echoing.requests.map(({ url }) => url)).size === 2, first.log)
    // Its note of the acceptance comes in the same moment: with the next sweeps it is there.
    await first.sweeps(2)
    await first.kill()

    const second = await start()
    // It waits for the lease of the dead one.
    await second.sweeps(1)
    await second.command('search', 'resume', 'seen')
    await until('the end is told', () => toldOf('hold-removed') > 0, second.log)
    const answer = await request(`${second.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    const metrics = await answer.body.text()
    await second.stop()

    const rows = told().flatMap(({ items }) => items.map(({ seq }) => seq))
    expect(rows).toEqual([...new Set(rows)])
    expect(metrics).toMatch(/^headgate_notifications_total\{channel="own",outcome="accepted"\} [1-9]/m)
    expect(metrics).toMatch(/^headgate_notifications_total\{channel="chat",outcome="later"\} [1-9]/m)
    const places = new Map([
      ['the log', first.log() + second.log()],
      ['/metrics', metrics],
      ['what others were told', JSON.stringify(own.requests)],
      ...readdirSync(folder)
        .filter((name) => name !== 'headgate.yaml')
        .map((name) => [name, readFileSync(join(folder, name), 'latin1')] as const),
    ])
    expect(places.get('the log')).toContain('answered 500')
    const found = [...places].flatMap(([place, text]) =>
      Object.values(KEYS)
        .filter((key) => text.includes(key))
        .map(() => place),
    )
    expect(found).toEqual([])
  },
)
