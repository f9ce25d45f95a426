import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { EventType } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { signatureOf } from '../../src/shared/signature.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { type RunningHeadgate, startHeadgate } from '../support/headgate.ts'
import { type EventOf, eventsOf } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const HOOK_KEY = 'the key of a test'

test('two workloads with a suite each: one passes it, across a crash, and is approved; the other fails it, and comes back', async () => {
  const { receiver, service, provider, start, event, rows } = await startCase()
  // The suite: takes the work, and goes on until the test lets it end.
  const results = new Map<string, number>()
  receiver.answer = (response, { body }) => {
    const { workload, point } = JSON.parse(body)
    response.writeHead(point === 'after-revert' ? 204 : (results.get(workload) ?? 202)).end(`${workload} at ${point}`)
  }
  const asked = (workload: string) => receiver.requests.filter(({ body }) => JSON.parse(body).workload === workload)

  const first = await start()
  await event('cart', 'weight-confirmed', ({ weightPercent }) => weightPercent === 50)
  await until('the suite of cart', () => asked('cart').length > 0)
  await first.kill()
  const before = asked('cart').length
  const { command } = await start()
  await until('the suite of cart, again', () => asked('cart').length > before)

  results.set('ledger', 422)
  expect((await event('ledger', 'revert-started')).reason).toContain(
    'hook suite failed: answered 422, not 200 or 204: ledger at after-step',
  )
  const told = await event('ledger', 'task-ended', ({ task }) => task === 'after-revert/tell')
  expect(told).toMatchObject({ outcome: 'passed', detail: 'answered 204' })

  results.set('cart', 200)
  const held = await event('cart', 'hold-added', ({ hold }) => hold.cause === 'approval')
  expect(held.hold.detail).toBe('the step "approval at 50 %" needs one of leads: `headgate approve`')
  await command('cart', 'approve', 'the suite passed')
  await event('cart', 'phase-entered', ({ to }) => to === 'completed')
  expect(Object.fromEntries(provider.splits)).toEqual({ cart: 100, ledger: 0 })

  // One key for the suite of a workload, whoever asked, and each request is signed.
  expect(new Set(asked('cart').map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  for (const { headers, body } of receiver.requests) {
    const signature = String(headers['x-headgate-signature'])
    const seconds = Number(/^t=(\d+)/.exec(signature)?.[1])
    expect(signature).toBe(signatureOf(body, HOOK_KEY, seconds * 1000))
  }
  // 20 requests of each warm-up came to NEW before any weight; probes come to it as well.
  expect(service.requests.filter(({ url }) => url === '/warm').length).toBeGreaterThanOrEqual(40)
  const journal = (await rows()).map(({ event: one }) => one)
  for (const workload of ['cart', 'ledger']) {
    const own = journal.filter((one) => one.workload === workload)
    const warmed = own.findIndex((one) => one.type === 'task-ended' && one.task === 'warm/1')
    const moved = own.findIndex((one) => one.type === 'weight-intended' && one.toPercent === 50)
    expect([warmed >= 0, warmed < moved]).toEqual([true, true])
  }
})

async function startCase() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-e2e-'))
  const storePath = join(folder, 'headgate.db')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const provider = await startHttpProvider({ cart: 0, ledger: 0 }, null)
  onTestFinished(provider.stop)
  const service = await startWebServer(answering(200, ''))
  const receiver = await startWebServer(answering(500, ''))
  let running: RunningHeadgate | null = null
  onTestFinished(async () => running?.kill())
  const configPath = join(folder, 'headgate.yaml')
  writeFileSync(configPath, configText(provider.url, service.port, receiver.url))

  async function rows() {
    const { journal, store } = openSqlite(storePath, { readOnly: true })
    try {
      return await journal.read({ afterSeq: 0, limit: 10_000 })
    } finally {
      await store.close()
    }
  }
  const story = async () => {
    const told = (await rows()).map(({ seq, event: one }) => `${seq} ${one.workload ?? ''}: ${explain(one)}`)
    return [...told, running?.log() ?? ''].join('\n')
  }
  return {
    ...{ receiver, service, provider, rows },
    start: async () => {
      running = await startHeadgate(configPath, { env: { HOOK_KEY } })
      return running
    },
    event: <T extends EventType>(workload: string, type: T, fits: (event: EventOf<T>) => boolean = () => true) =>
      until(
        `${workload}: ${type}`,
        async () => eventsOf(await rows(), type).find((one) => one.workload === workload && fits(one)),
        story,
      ),
  }
}

/** A migration that is judged by its probes alone. */
function configText(providerUrl: string, port: number, receiverUrl: string): string {
  const http = `url: "${receiverUrl}", signingKey: "\${env:HOOK_KEY}"`
  const workload = (name: string) => `  - name: ${name}
    traffic: { http: { url: "${providerUrl}", split: ${name} } }
    probes: [{ url: "http://${name}.test/warm", address: { old: "127.0.0.1:${port}", new: "127.0.0.1:${port}" } }]`
  return `apiVersion: headgate/v1
migration: e2e
clusters: { old: blue, new: green }
sweep: 1s
api:
  port: 0
  tokens: [{ name: ada, role: operator, approves: [leads], token: "\${env:E2E_TOKEN}" }]
policies:
  tested:
    steps:
      - { warm: { requests: 20, perSecond: 50 } }
      - { weight: 50%, hold: 1s }
      - { wait: 1s }
      - { approval: { roles: [leads], expires: 1h } }
      - { weight: 100%, hold: 1s }
    hooks:
      - { name: suite, at: after-step, steps: [50%], http: { ${http} }, then: revert }
      - { name: tell, at: after-revert, http: { ${http} }, then: go-on }
    bake: 1s
    drain: 1s
    probes: { failures: 2, passes: 1, then: revert }
policy: tested
workloads:
${workload('cart')}
${workload('ledger')}
`
}
