import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import type { EventType } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { runHere } from '../support/cli.ts'
import { API_CONFIG, type RunningHeadgate, startHeadgate, TOKEN } from '../support/headgate.ts'
import { type EventOf, eventsOf } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { startWebServer, type WebServer } from '../support/web-server.ts'

const SERVICE = `apiVersion: headgate/v1\nsweep: 1s\n${API_CONFIG}\n`
const ASKS = 'approval: true'

test('of two migrations one completes, the other reverts, and all that is told says whose it is', async () => {
  const { put, storePath, provider, services, start, event, events } = await startCase(['cart', 'ledger'])
  put('service.yaml', SERVICE)
  put('eks.yaml', migration('eks', 'cart'))
  put('payments.yml', migration('payments', 'ledger', ASKS))
  const { url } = await start()
  await event('ledger', 'weight-confirmed', ({ weightPercent }) => weightPercent === 50)
  services.ledger?.new.answerWith(500)
  await event('ledger', 'revert-confirmed')
  await event('cart', 'phase-entered', ({ to }) => to === 'completed')
  expect(Object.fromEntries(provider.splits)).toEqual({ cart: 100, ledger: 0 })
  expect(await events(null, 'config-loaded')).toMatchObject([{ added: ['cart', 'ledger'], removed: [] }])

  const io = { env: { HEADGATE_URL: url, HEADGATE_TOKEN: TOKEN } }
  const status = await runHere(['status', '--json'], io)
  expect(JSON.parse(status.out)).toMatchObject({
    migrations: [
      { migration: 'eks', clusters: { old: 'eks-old', new: 'eks-new' } },
      { migration: 'payments', clusters: { old: 'payments-old', new: 'payments-new' } },
    ],
    workloads: [
      { name: 'cart', migration: 'eks' },
      { name: 'ledger', migration: 'payments' },
    ],
  })
  const metrics = await (await request(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).body.text()
  expect(metrics).toContain('headgate_phase{migration="eks",workload="cart",phase="completed"} 1')
  expect(metrics).toContain('headgate_weight_percent{migration="payments",workload="ledger",kind="confirmed"} 0')
  const told = async (...args: readonly string[]) => {
    const { out } = await runHere(['journal', '--json', '-n', '1000', ...args], io)
    const lines = out.trimEnd().split('\n')
    return new Set(lines.map((line) => JSON.parse(line).event.workload))
  }
  expect(await told('--migration', 'payments')).toEqual(new Set(['ledger']))
  expect(await told('--migration', 'eks', '--store', storePath)).toEqual(new Set(['cart']))
})

test('a bad file refuses a reload whole; a file that goes lets its rollout go on', async () => {
  const { put, remove, start, event, events } = await startCase(['cart', 'ledger'])
  put('service.yaml', SERVICE)
  put('eks.yaml', migration('eks', 'cart', ASKS))
  const { url, command } = await start()
  await event('cart', 'weight-confirmed', ({ weightPercent }) => weightPercent === 50)

  put('payments.yaml', `${migration('payments', 'ledger')}sweep: 2s\n`)
  put('a-bad.yaml', migration('bad', 'cart'))
  const rejected = await event(null, 'config-rejected', ({ problems }) => problems.length > 1)
  expect(rejected.problems.map(({ code, at }) => [code, at?.file.split('/').at(-1)])).toEqual([
    ['CONFIG_DUPLICATE', 'eks.yaml'],
    ['CONFIG_SCOPE_CLAIMED', 'eks.yaml'],
    ['CONFIG_DUPLICATE', 'service.yaml'],
  ])
  expect(await events(null, 'config-loaded')).toHaveLength(1)

  put('payments.yaml', migration('payments', 'ledger'))
  remove('a-bad.yaml')
  await event('ledger', 'phase-entered', ({ to }) => to === 'completed')

  remove('eks.yaml')
  await event(null, 'config-loaded', ({ removed }) => removed.includes('cart'))
  await command('cart', 'approve', 'the file is gone, its rollout is not')
  await event('cart', 'phase-entered', ({ to }) => to === 'completed')
  const { out } = await runHere(['status'], { env: { HEADGATE_URL: url, HEADGATE_TOKEN: TOKEN } })
  expect(out).toContain('payments: payments-old → payments-new')
  expect(out).toContain('eks: no longer in the config')
})

interface Service {
  readonly port: number
  /** Answers with this status from now on. */
  answerWith(status: number): void
}

/** Services of these names in both clusters, a provider of their splits, and an empty folder for the config. */
async function startCase(names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-directory-'))
  const storePath = join(folder, 'headgate.db')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const provider = await startHttpProvider(Object.fromEntries(names.map((name) => [name, 0])), null)
  onTestFinished(provider.stop)
  const services: Record<string, { readonly old: Service; readonly new: Service }> = {}
  for (const name of names) services[name] = { old: await startService(), new: await startService() }
  let running: RunningHeadgate | null = null
  onTestFinished(async () => running?.kill())

  async function events<T extends EventType>(workload: string | null, type: T): Promise<readonly EventOf<T>[]> {
    return eventsOf(await rows(storePath), type).filter((event) => event.workload === workload)
  }

  return {
    storePath,
    provider,
    services,
    events,
    /** Writes a file of the config; `PORTS` and the provider's place are filled in. */
    put: (file: string, text: string) => {
      const filled = text
        .replaceAll('PROVIDER', provider.url)
        .replaceAll(/PORT_(\w+)_(old|new)/g, (_, name, side) => String(services[name]?.[side as 'old' | 'new'].port))
      writeFileSync(join(folder, file), filled)
    },
    remove: (file: string) => rmSync(join(folder, file)),
    start: async () => {
      running = await startHeadgate(folder)
      return running
    },
    /** Resolves with the first event of this type that fits, once it is in the journal. */
    event: async <T extends EventType>(
      workload: string | null,
      type: T,
      fits: (event: EventOf<T>) => boolean = () => true,
    ) =>
      until(
        `${workload ?? 'the service'}: ${type}`,
        async () => (await events(workload, type)).find(fits),
        async () => {
          const told = (await rows(storePath)).map(
            ({ seq, event }) => `${seq} ${event.workload ?? ''}: ${explain(event)}`,
          )
          return [...told, running?.log() ?? ''].join('\n')
        },
      ),
  }
}

async function rows(storePath: string) {
  const { journal, store } = openSqlite(storePath, { readOnly: true })
  try {
    return await journal.read({ afterSeq: 0, limit: 10_000 })
  } finally {
    await store.close()
  }
}

async function startService(): Promise<Service> {
  const answer = (status: number): WebServer['answer'] => {
    return (response) => void response.writeHead(status).end()
  }
  const server = await startWebServer(answer(200))
  return {
    port: server.port,
    answerWith: (status) => {
      server.answer = answer(status)
    },
  }
}

/** A migration of one workload, judged by its probe alone; `last` is more of its last step. */
function migration(name: string, workload: string, last = ''): string {
  const address = `{ old: "127.0.0.1:PORT_${workload}_old", new: "127.0.0.1:PORT_${workload}_new" }`
  return `apiVersion: headgate/v1
migration: ${name}
clusters: { old: ${name}-old, new: ${name}-new }
policy: quick
policies:
  quick:
    steps: [{ weight: 50%, hold: 1s }, { weight: 100%, hold: 1s${last && `, ${last}`} }]
    bake: 1s
    drain: 1s
    probes: { failures: 2, passes: 1, then: revert }
workloads:
  - name: ${workload}
    traffic: { http: { url: "PROVIDER", split: ${workload} } }
    probes: [{ url: "http://${workload}.test/", address: ${address} }]
`
}
