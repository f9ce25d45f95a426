import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import { explain } from '../../src/core/explain.ts'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { openRedis } from '../../src/store/redis.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { redisSettings } from '../store/redis-place.ts'
import { API_CONFIG, type RunningHeadgate, startHeadgate, TOKEN } from '../support/headgate.ts'
import { eventsOf, storyOf } from '../support/migration.ts'
import { startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { startWebServer } from '../support/web-server.ts'
import { PATIENT } from './case.ts'

const REDIS = requireServer('redis-server', 'e2e shards')
/** A workload of each is a migration of its own, with a provider of its own. */
const NAMES = ['cart', 'ledger', 'search'] as const
/** In the order of the config's files. */
const SHARDS = { cart: MAIN_SHARD, ledger: 'ledger', search: 'search' } as const
type Name = (typeof NAMES)[number]

describe.skipIf(REDIS === null)('three replicas with three migrations', () => {
  test(
    'have one each; what a dead one had goes on elsewhere, what one gives up is free at once, and each event comes once',
    PATIENT,
    async (context) => {
      const { replicas, providers, services, journal, shards, rows, isAt } = await startCase(context)
      const ownerOf = async (name: Name, among: readonly RunningHeadgate[]) => {
        const find = async () => {
          const told = await Promise.all(among.map((one) => ownWorkloads(one)))
          const found = among.filter((_, index) => told[index]?.includes(name))
          return found.length === 1 ? found[0] : null
        }
        return until(`${name} has one owner`, find, () => logs(among))
      }
      const ownsOne = async () => (await Promise.all(replicas.map(ownWorkloads))).every(({ length }) => length === 1)
      await until('each has one', ownsOne, () => logs(replicas))
      for (const name of NAMES) await isAt(name, 'weight-in-force 50')
      for (const one of replicas)
        await until(
          'it shows what all decide',
          async () => (await weightsAt(one)).join() === 'cart 50,ledger 50,search 50',
          async () => `${(await weightsAt(one)).join()}\n${one.log()}`,
        )

      const dying = await ownerOf('ledger', replicas)
      const others = replicas.filter((one) => one !== dying)
      await dying.kill()
      services.ledger.new.answer = (response) => void response.writeHead(500).end()
      // Said to whoever does not decide about it.
      const cartOwner = await ownerOf('cart', others)
      const cartOther = others.find((one) => one !== cartOwner)
      await cartOther?.command('cart', 'approve', 'it looks well')
      await isAt('cart', 'completed')
      await isAt('ledger', 'reverted')
      const heir = await ownerOf('ledger', others)

      const leaving = await ownerOf('search', others)
      const staying = others.find((one) => one !== leaving)
      const left = await heldBy(shards, leaving.pid)
      expect(left).toContain(SHARDS.search)
      await leaving.stop()
      expect(await heldBy(shards, leaving.pid)).toEqual([])
      await staying?.command('search', 'approve', 'it looks well')
      await isAt('search', 'completed')
      if (staying) for (const name of NAMES) expect(await ownerOf(name, [staying])).toBe(staying)
      await staying?.stop()

      expect(heir.pid).not.toBe(dying.pid)
      expect(NAMES.map((name) => providers[name].splits.get(name))).toEqual([100, 0, 100])
      const all = await rows()
      for (const name of NAMES) {
        const story = storyOf(all.filter(({ event }) => event.workload === name))
        expect(new Set(story).size).toBe(story.length)
      }
      expect(eventsOf(all, 'revert-started')).toHaveLength(1)
      expect(eventsOf(all, 'command-done')).toHaveLength(2)
      // Each is told once, by its own shard.
      expect(
        eventsOf(all, 'config-loaded')
          .flatMap(({ added }) => added)
          .toSorted(),
      ).toEqual([...NAMES])
      expect((await journal.verify(null)).fault).toBeNull()
    },
  )
})

const logs = (replicas: readonly RunningHeadgate[]) => replicas.map((one) => one.log()).join('\n----\n')

/** The workloads that this process decides about: it alone has metrics of them. */
async function ownWorkloads({ url }: RunningHeadgate): Promise<readonly string[]> {
  const text = await (await request(`${url}/metrics`)).body.text()
  return NAMES.filter((name) => text.includes(`headgate_phase{migration="${name}"`))
}

/** Every workload and its weight, as this replica tells. */
async function weightsAt({ url }: RunningHeadgate): Promise<readonly string[]> {
  const { body } = await request(`${url}/api/v1/workloads`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const { workloads } = JSON.parse(await body.text())
  return workloads.map(
    (one: { name: string; intendedWeightPercent: number }) => `${one.name} ${one.intendedWeightPercent}`,
  )
}

/** The shards whose lease has an owner with this process id. */
async function heldBy(
  shards: Awaited<ReturnType<typeof openRedis>>['shards'],
  pid: number,
): Promise<readonly string[]> {
  const look = await shards.look('a test', 0, 0)
  return look.shards.flatMap(({ shard, lease }) => (lease?.owner.split(':')[1] === String(pid) ? [shard] : []))
}

/** Three migrations of a workload each, judged by its probe, that wait for an approval at 50 %; and three Headgates. */
async function startCase({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const redis = await startRedis(REDIS ?? '', ['--appendfsync', 'always'])
  onTestFinished(redis.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-shards-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const part = async (name: Name) => {
    const provider = await startHttpProvider({ [name]: 0 }, null)
    onTestFinished(provider.stop)
    const service = { old: await startWebServer(well), new: await startWebServer(well) }
    const address = `{ old: "127.0.0.1:${service.old.port}", new: "127.0.0.1:${service.new.port}" }`
    writeFileSync(join(folder, `${name}.yaml`), migration(name, provider.url, address))
    return { provider, service }
  }
  const parts = { cart: await part('cart'), ledger: await part('ledger'), search: await part('search') }
  writeFileSync(
    join(folder, 'service.yaml'),
    `apiVersion: headgate/v1\nsweep: 1s\n${API_CONFIG}\nredis: { url: "${redis.url}" }\n`,
  )
  const replicas = await Promise.all(NAMES.map(() => startHeadgate(folder)))
  for (const one of replicas) onTestFinished(one.kill)
  const { journal, shards, store } = await openRedis(redisSettings(redis.url), {
    secret: String,
    newIdentity: () => crypto.randomUUID(),
  })
  onTestFinished(() => store.close())
  const rows = () => journal.read({ afterSeq: 0, limit: 10_000 })
  const isAt = (name: Name, line: string) =>
    until(
      `${name}: ${line}`,
      async () => storyOf((await rows()).filter(({ event }) => event.workload === name)).includes(line),
      async () => [...(await rows()).map(({ event }) => explain(event)), logs(replicas)].join('\n'),
    )
  const providers = { cart: parts.cart.provider, ledger: parts.ledger.provider, search: parts.search.provider }
  const services = { cart: parts.cart.service, ledger: parts.ledger.service, search: parts.search.service }
  return { replicas, providers, services, journal, shards, rows, isAt }
}

function well(response: { writeHead(status: number): { end(): void } }): void {
  response.writeHead(200).end()
}

function migration(name: string, provider: string, address: string): string {
  return `apiVersion: headgate/v1
migration: ${name}
clusters: { old: ${name}-old, new: ${name}-new }
policy: quick
policies:
  quick:
    steps: [{ weight: 50%, hold: 1s }, { weight: 100%, hold: 1s, approval: true }]
    bake: 1s
    drain: 1s
    probes: { failures: 2, passes: 1, then: revert }
workloads:
  - name: ${name}
    traffic: { http: { url: "${provider}", split: ${name} } }
    probes: [{ url: "http://${name}.test/", address: ${address} }]
`
}
