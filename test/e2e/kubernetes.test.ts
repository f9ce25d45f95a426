import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { EventType } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { type FakeCluster, NAMESPACE, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { typeOf } from '../fakes/kubernetes/server.ts'
import { API_CONFIG, startHeadgate } from '../support/headgate.ts'
import { deployment } from '../support/kubernetes-objects.ts'
import { type EventOf, eventsOf } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { startWebServer } from '../support/web-server.ts'

test('a raise waits until NEW has the replicas for it, and its objects tell what happened', async () => {
  const { old, fresh, provider, event, start } = await startCase({ old: 4, new: 1 }, '{ headroom: 0% }')
  await start()
  const { hold } = await event('hold-added', (one) => one.hold.cause === 'capacity')
  expect(hold.detail).toBe('new has 1 ready replica of the 2 that it needs for 50 %')
  expect(provider.splits.get('cart')).toBe(0)
  setReplicas(fresh, 2)
  await event('weight-confirmed', ({ weightPercent }) => weightPercent === 50)
  await event('hold-added', (one) => one.hold.detail.includes('of the 4 that it needs for 100 %'))
  expect(provider.splits.get('cart')).toBe(50)
  setReplicas(fresh, 4)
  await event('phase-entered', ({ to }) => to === 'completed')

  for (const cluster of [old, fresh]) {
    await until('the end is told', () => reasonsIn(cluster).includes('Completed'))
    expect(reasonsIn(cluster)).toEqual(['Completed', 'WeightRaised', 'WeightRaised'])
    const writes = cluster.server.calls.filter(({ method }) => method !== 'GET').map(({ method, url }) => [method, url])
    expect(writes.filter(([, url]) => !/\/(events|selfsubjectaccessreviews)(\/|\?|$)/.test(url ?? ''))).toEqual([])
    expect(cluster.server.calls.filter(({ url }) => url.includes('/secrets'))).toEqual([])
  }
})

test('where it may, Headgate scales NEW up before each raise, and OLD down in the end', async () => {
  const capacity = '{ headroom: 25%, scale: up, scaleDownOld: { replicas: 1, approval: false } }'
  const { old, fresh, event, start } = await startCase({ old: 4, new: 1 }, capacity)
  await start()
  await event('weight-confirmed', ({ weightPercent }) => weightPercent === 50)
  expect(replicasOf(fresh)).toBeGreaterThanOrEqual(3)
  await event('phase-entered', ({ to }) => to === 'completed')
  expect(replicasOf(fresh)).toBe(5)
  await until('OLD is scaled down', () => replicasOf(old) === 1)
})

test('a revert onto an OLD that somebody scaled down first scales it up', async () => {
  const capacity = '{ headroom: 0%, scale: up }'
  const { old, provider, event, start, breakDown } = await startCase({ old: 4, new: 4 }, capacity, 'approval: true')
  await start()
  await event('weight-confirmed', ({ weightPercent }) => weightPercent === 50)
  setReplicas(old, 1)
  breakDown()
  await event('revert-confirmed')
  expect(replicasOf(old)).toBe(4)
  expect(provider.splits.get('cart')).toBe(0)
  const { atMs } = await event('revert-started')
  const scaled = await event('task-ended', ({ task }) => task.includes('scale'))
  expect(scaled).toMatchObject({ outcome: 'passed' })
  expect(scaled.atMs).toBeLessThanOrEqual(atMs)
})

/** A service in two clusters, judged by its probe alone, with so many replicas in each. */
async function startCase(replicas: { readonly old: number; readonly new: number }, capacity: string, last = '') {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kubernetes-'))
  const storePath = join(folder, 'headgate.db')
  const [old, fresh] = await Promise.all([startFakeCluster(), startFakeCluster()])
  const provider = await startHttpProvider({ cart: 0 }, null)
  onTestFinished(async () => {
    await Promise.all([old.remove(), fresh.remove(), provider.stop()])
    rmSync(folder, { recursive: true, force: true })
  })
  const [oldService, newService] = await Promise.all([
    startWebServer((response) => void response.writeHead(200).end()),
    startWebServer((response) => void response.writeHead(200).end()),
  ])
  old.create('deployments', 'cart', deployment('cart', replicas.old))
  fresh.create('deployments', 'cart', deployment('cart', replicas.new))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(
    path,
    `apiVersion: headgate/v1
migration: m
clusters: { old: blue, new: green }
sweep: 1s
${API_CONFIG}
kubernetes:
  old: { kubeconfig: ${old.kubeconfig.path} }
  new: { kubeconfig: ${fresh.kubeconfig.path} }
policy: quick
policies:
  quick:
    steps: [{ weight: 50%, hold: 1s }, { weight: 100%, hold: 1s${last && `, ${last}`} }]
    bake: 1s
    drain: 1s
    probes: { failures: 2, passes: 1, then: revert }
    capacity: ${capacity}
workloads:
  - name: cart
    traffic: { http: { url: "${provider.url}", split: cart } }
    probes:
      - url: http://cart.test/
        address: { old: "127.0.0.1:${oldService.port}", new: "127.0.0.1:${newService.port}" }
    kubernetes: { namespace: ${NAMESPACE}, deployment: cart }
`,
  )
  const rows = async () => {
    const { journal, store } = openSqlite(storePath, { readOnly: true })
    try {
      return await journal.read({ afterSeq: 0, limit: 10_000 })
    } finally {
      await store.close()
    }
  }
  return {
    ...{ old, fresh, provider },
    breakDown: () => {
      newService.answer = (response) => void response.writeHead(500).end()
    },
    start: async () => {
      const running = await startHeadgate(path)
      onTestFinished(running.kill)
    },
    /** Resolves with the first event of this type that fits, once it is in the journal. */
    event: <T extends EventType>(type: T, fits: (event: EventOf<T>) => boolean = () => true) =>
      until(
        type,
        async () => eventsOf(await rows(), type).find(fits),
        async () => (await rows()).map(({ seq, event }) => `${seq}: ${explain(event)}`).join('\n'),
      ),
  }
}

function setReplicas(cluster: FakeCluster, replicas: number): void {
  cluster.change('deployments', 'cart', (object) => Object.assign(object.spec as object, { replicas }))
}

function replicasOf(cluster: FakeCluster): number {
  return Number((cluster.get('deployments', 'cart').spec as { replicas: number }).replicas)
}

function reasonsIn(cluster: FakeCluster): readonly string[] {
  return cluster.server.store
    .list(typeOf('events'), NAMESPACE)
    .map(({ reason }) => String(reason))
    .sort()
}
