import { describe, expect, onTestFinished, test } from 'vitest'
import { createCluster } from '../../src/cluster/cluster.ts'
import type { ObjectRef } from '../../src/core/plan.ts'
import type { Cluster } from '../../src/ports/cluster.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { CANARY, type FakeCluster, NAMESPACE, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { reply, typeOf } from '../fakes/kubernetes/server.ts'
import { forbidden, tooManyRequests } from '../fakes/kubernetes/status.ts'
import { cronJob, deployment } from '../support/kubernetes-objects.ts'

const REF: ObjectRef = { kind: 'Deployment', namespace: NAMESPACE, name: 'a' }
const NOTE = { reason: 'Halted', message: 'on hold', type: 'Warning' } as const
const JOB = { namespace: NAMESPACE, cronJob: 'smoke', name: 'smoke-1', env: {}, deadlineSeconds: 60 }
const signal = () => AbortSignal.timeout(120_000)

interface World {
  readonly fake: FakeCluster
  readonly cluster: Cluster
  readonly clock: FakeClock
}

async function start(): Promise<World> {
  const fake = await startFakeCluster()
  const clock = createFakeClock(Date.now())
  const cluster = createCluster({ kubeconfig: fake.kubeconfig.path, context: null }, { clock })
  onTestFinished(async () => {
    await cluster.close()
    await fake.remove()
  })
  fake.create('deployments', 'a', deployment('a', 3))
  fake.create('cronjobs', 'smoke', cronJob())
  return { fake, cluster, clock }
}

const CALLS: [string, (cluster: Cluster, by: AbortSignal) => Promise<unknown>][] = [
  ['workload', (cluster, by) => cluster.workload(REF, by)],
  ['servedKinds', (cluster, by) => cluster.servedKinds(by)],
  ['disruptionBudgets', (cluster, by) => cluster.disruptionBudgets(NAMESPACE, by)],
  [
    'mayDo',
    async (cluster, by) => (await cluster.mayDo([{ verb: 'get', group: '', resource: 'x', namespace: 'y' }], by))[0],
  ],
  ['clockAheadMs', (cluster, by) => cluster.clockAheadMs(by)],
  ['scale', (cluster, by) => cluster.scale(REF, 2, by)],
  ['job', (cluster, by) => cluster.job(JOB, by)],
  ['tell', (cluster, by) => cluster.tell(REF, NOTE, by)],
]

describe.each(CALLS)('%s', (_, call) => {
  test('of a server that is away is missing: unreachable', async () => {
    const { fake, cluster } = await start()
    await fake.server.stop()
    expect(await call(cluster, signal())).toMatchObject({ kind: 'missing', why: 'unreachable' })
  })

  test('of a server that hangs is missing as soon as the time is up', async () => {
    const { fake, cluster } = await start()
    fake.server.hang()
    expect(await call(cluster, AbortSignal.timeout(50))).toMatchObject({ kind: 'missing', why: 'timeout' })
  })

  test('of something else that listens there is missing, and tells no secret', async () => {
    const { fake, cluster } = await start()
    fake.server.intercept = (_call, response) => {
      response.removeHeader('date')
      response.sendDate = false
      response.end(`<html>${CANARY}</html>`)
      return true
    }
    const answer = await call(cluster, signal())
    expect(answer).toMatchObject({ kind: 'missing', why: 'bad-answer' })
    expect(JSON.stringify(answer)).not.toContain(CANARY)
  })

  test('that is throttled is missing, in the words of the server', async () => {
    const { fake, cluster } = await start()
    fake.server.intercept = (_call, response) => {
      reply(response, 429, tooManyRequests().toStatus())
      return true
    }
    expect(await call(cluster, signal())).toMatchObject({
      kind: 'missing',
      why: 'unreachable',
      detail: expect.stringContaining('429'),
    })
  })
})

describe('what the credentials do not allow', () => {
  test.each<[string, (cluster: Cluster) => Promise<unknown>, string]>([
    ['get deployments', (cluster) => cluster.workload(REF, signal()), 'get Deployment shop/a'],
    [
      'list horizontalpodautoscalers',
      (cluster) => cluster.workload(REF, signal()),
      'list horizontalpodautoscalers in shop',
    ],
    ['list ingresses', (cluster) => cluster.workload(REF, signal()), 'list ingresses in shop'],
    [
      'list poddisruptionbudgets',
      (cluster) => cluster.disruptionBudgets(NAMESPACE, signal()),
      'list poddisruptionbudgets',
    ],
    ['patch deployments/scale', (cluster) => cluster.scale(REF, 2, signal()), 'scale Deployment shop/a to 2'],
    ['get cronjobs', (cluster) => cluster.job(JOB, signal()), 'get CronJob shop/smoke'],
    ['create jobs', (cluster) => cluster.job(JOB, signal()), 'create Job shop/smoke-1'],
    ['create events', (cluster) => cluster.tell(REF, NOTE, signal()), 'create an event on Deployment shop/a'],
  ])('%s: the answer is missing, never an empty one', async (right, call, what) => {
    const { fake, cluster } = await start()
    fake.server.forbiddenVerbs.add(right)
    expect(await call(cluster)).toMatchObject({
      kind: 'missing',
      why: 'refused',
      detail: expect.stringContaining(what),
    })
  })

  test('is told of each action by itself', async () => {
    const { fake, cluster } = await start()
    fake.server.forbiddenVerbs.add('patch deployments/scale')
    const may = (verb: string, resource: string) => ({ verb, group: 'apps', resource, namespace: NAMESPACE })
    const actions = [may('patch', 'deployments'), may('patch', 'deployments/scale'), may('get', 'deployments/scale')]
    expect(await cluster.mayDo(actions, signal())).toEqual([true, false, true])
  })
})

test('a workload is as its controller says, with the newest spec seen or not', async () => {
  const { fake, cluster } = await start()
  expect(await cluster.workload(REF, signal())).toMatchObject({
    readyReplicas: 3,
    updatedReplicas: 3,
    isObserved: true,
  })
  fake.server.podController = () => ({ observedGeneration: 1, readyReplicas: 2, updatedReplicas: 1 })
  fake.change('deployments', 'a', (object) => Object.assign(object.spec as object, { replicas: 5 }))
  expect(await cluster.workload(REF, signal())).toMatchObject({
    wantedReplicas: 5,
    readyReplicas: 2,
    updatedReplicas: 1,
    isObserved: false,
  })
})

test('the lists of a namespace are asked once for all its workloads of one moment, and again later', async () => {
  const { fake, cluster, clock } = await start()
  fake.create('deployments', 'b', deployment('b', 1))
  const lists = () => fake.server.calls.filter(({ url }) => url.includes('/ingresses?')).length
  await Promise.all(['a', 'b', 'a'].map((name) => cluster.workload({ ...REF, name }, signal())))
  expect(lists()).toBe(1)
  await clock.advance(10_000)
  await cluster.workload(REF, signal())
  expect(lists()).toBe(2)
})

test('a failure is asked again at once', async () => {
  const { fake, cluster } = await start()
  fake.server.forbiddenVerbs.add('list')
  expect(await cluster.disruptionBudgets(NAMESPACE, signal())).toMatchObject({ kind: 'missing' })
  fake.server.forbiddenVerbs.clear()
  expect(await cluster.disruptionBudgets(NAMESPACE, signal())).toEqual([])
})

test('a list of many pages is read to its end', async () => {
  const { fake, cluster } = await start()
  const names = Array.from({ length: 1200 }, (_, index) => `budget-${index}`)
  for (const name of names)
    fake.create('poddisruptionbudgets', name, { spec: { selector: { matchLabels: { app: name } } } })
  const budgets = await cluster.disruptionBudgets(NAMESPACE, signal())
  expect('kind' in budgets ? budgets : budgets.map(({ name }) => name)).toEqual(names)
  expect(fake.server.calls.filter(({ url }) => url.includes('/poddisruptionbudgets')).length).toBe(3)
})

test('secrets are never asked for, whatever the pods read', async () => {
  const { fake, cluster } = await start()
  const secret = { secretName: 'tls' }
  const env = [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }]
  const containers = [{ name: 'main', image: 'i', env, envFrom: [{ secretRef: { name: 'more' } }] }]
  fake.create('deployments', 'b', deployment('b', 1, { containers, volumes: [{ name: 'v', secret }] }))
  expect(await cluster.workload({ ...REF, name: 'b' }, signal())).toMatchObject({ configs: [] })
  expect(fake.server.calls.filter(({ url }) => url.includes('/secrets'))).toEqual([])
})

test('a group whose own server is away is not served, and hides no other', async () => {
  const { fake, cluster } = await start()
  fake.server.intercept = ({ url }, response) => {
    if (!url.startsWith('/apis/test.headgate/')) return false
    response.writeHead(503).end('service unavailable')
    return true
  }
  const kinds = await cluster.servedKinds(signal())
  expect('kind' in kinds ? kinds : [kinds.has('apps/v1/Deployment'), kinds.has('test.headgate/v1/Widget')]).toEqual([
    true,
    false,
  ])
  fake.server.intercept = ({ url }, response) => {
    if (!url.startsWith('/apis/test.headgate/')) return false
    reply(response, 403, forbidden('headgate', 'get', { group: '', plural: 'x', name: '' }, '').toStatus())
    return true
  }
  expect(await cluster.servedKinds(signal())).toMatchObject({ kind: 'missing', why: 'refused' })
})

test.each([-90_000, -5_000, 0, 7_000, 3_600_000])(
  'a clock that is %d ms ahead is told to a second',
  async (aheadMs) => {
    const { fake, cluster } = await start()
    fake.server.clockAheadMs = aheadMs
    const startedMs = performance.now()
    const told = await cluster.clockAheadMs(signal())
    const tookMs = performance.now() - startedMs
    if (typeof told !== 'number') throw new Error(told.detail)
    // The server has told its time at some moment of the call, and leaves out its milliseconds.
    expect(Math.abs(told - aheadMs)).toBeLessThanOrEqual(1000 + tookMs)
  },
)

describe('a Job', () => {
  const ended = (type: string) => [
    { type: 'SuccessCriteriaMet', status: 'True' },
    { type, status: 'True', reason: 'BecauseOfIt', message: 'it went so' },
  ]
  test.each<[string, object, object]>([
    ['runs', { active: 1, failed: 2 }, { outcome: 'running', detail: '1 pods run, 2 have failed' }],
    [
      'that has not failed for good runs',
      { conditions: [{ type: 'Failed', status: 'False' }] },
      { outcome: 'running' },
    ],
    ['that is about to fail runs', { conditions: [{ type: 'FailureTarget', status: 'True' }] }, { outcome: 'running' }],
    [
      'has passed',
      { succeeded: 1, conditions: ended('Complete') },
      { outcome: 'passed', detail: 'BecauseOfIt: it went so' },
    ],
    ['has failed', { conditions: ended('Failed') }, { outcome: 'failed', detail: 'BecauseOfIt: it went so' }],
  ])('%s', async (_, status, state) => {
    const { fake, cluster } = await start()
    await cluster.job(JOB, signal())
    const place = { namespace: NAMESPACE, name: JOB.name, subresource: 'status' as const }
    const as = { manager: 'job-controller', isDryRun: false }
    fake.server.store.update(typeOf('jobs'), place, (object) => ({ ...object, status: { ...status } }), as)
    expect(await cluster.job(JOB, signal())).toMatchObject(state)
  })

  test('outlives the history of its CronJob', async () => {
    const { fake, cluster } = await start()
    await cluster.job(JOB, signal())
    const job = fake.get('jobs', JOB.name)
    expect(job.metadata.ownerReferences).toBeUndefined()
    expect(job.spec).toMatchObject({ ttlSecondsAfterFinished: 86_400 })
  })
})

test('an event that is gone is told anew; one on an object made again is another', async () => {
  const { fake, cluster } = await start()
  const names = () => fake.server.store.list(typeOf('events'), NAMESPACE).map(({ metadata }) => String(metadata.name))
  await cluster.tell(REF, NOTE, signal())
  const [first = ''] = names()
  fake.server.store.delete(typeOf('events'), NAMESPACE, first)
  expect(await cluster.tell(REF, NOTE, signal())).toBeNull()
  expect(names()).toEqual([first])
  fake.server.store.delete(typeOf('deployments'), NAMESPACE, 'a')
  fake.create('deployments', 'a', deployment('a', 3))
  expect(await cluster.tell(REF, NOTE, signal())).toBeNull()
  expect(names()).toHaveLength(2)
})
