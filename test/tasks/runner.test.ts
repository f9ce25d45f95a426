import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { until } from '../support/until.ts'
import { answering, silent, startWebServer } from '../support/web-server.ts'
import { createTaskRig, fakeCluster, httpTask, probeOfNew, taskRequest } from './rig.ts'

const warm = { kind: 'warm', requests: 1, perSecond: 1, passPercent: 99, probes: [probeOfNew('a')] } as const

describe('a key', () => {
  test('runs once at a time, however often it is wanted', async () => {
    const server = await startWebServer(silent)
    const { runner } = createTaskRig()
    const request = taskRequest(httpTask(server.url))
    for (let n = 0; n < 10; n++) runner.want([request, request])
    await until('the request', () => server.requests.length > 0)
    runner.want([request])
    expect(server.requests.length).toBe(1)
    expect(server.madeConnections()).toBe(1)
  })

  test('that has ended keeps its outcome, and is not done again', async () => {
    const server = await startWebServer(answering(422, 'no'))
    const { runner, run, ended } = createTaskRig()
    const spec = httpTask(server.url)
    const end = await run(spec)
    runner.want([taskRequest(spec)])
    expect(await run(spec)).toEqual(end)
    expect(server.requests.length).toBe(1)
    expect(ended).toEqual(['checkout'])
  })

  test('of another round is another task', async () => {
    const server = await startWebServer(answering(200, ''))
    const { run } = createTaskRig()
    await run(httpTask(server.url), { key: 'k/1' })
    await run(httpTask(server.url), { key: 'k/2' })
    expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['k/1', 'k/2'])
  })

  test('is the same after a crash: whoever did it already can tell', async () => {
    const done = new Set<string>()
    const server = await startWebServer((response, { headers }) => {
      const key = String(headers['idempotency-key'])
      response.writeHead(done.has(key) ? 200 : 202).end()
      done.add(key)
    })
    const first = createTaskRig()
    first.runner.want([taskRequest(httpTask(server.url))])
    await until('the request', () => server.requests.length > 0)
    await first.runner.close()
    const second = createTaskRig()
    expect(await second.run(httpTask(server.url))).toMatchObject({ kind: 'passed' })
    expect(done.size).toBe(1)
  })
})

test('of a workload the newest ten outcomes are kept, and what runs', async () => {
  const server = await startWebServer(silent)
  const { runner, run } = createTaskRig()
  runner.want([taskRequest(httpTask(server.url), { key: 'running' })])
  for (let n = 1; n <= 12; n++) await run(warm, { key: `k${n}` })
  await run(warm, { key: 'other', workload: 'catalog' })
  expect(Object.keys(runner.readings('checkout'))).toEqual([
    'running',
    ...Array.from({ length: 10 }, (_, n) => `k${n + 3}`),
  ])
  expect(Object.keys(runner.readings('catalog'))).toEqual(['other'])
  expect(runner.readings('nobody')).toEqual({})
})

test('closed, it ends what runs without an outcome, tells nobody, and begins nothing more', async () => {
  const server = await startWebServer(silent)
  const { runner, ended } = createTaskRig()
  runner.want([taskRequest(httpTask(server.url))])
  await until('the request', () => server.requests.length > 0)
  await runner.close()
  await until('the connection to be closed', () => server.openConnections() === 0)
  runner.want([taskRequest(warm, { key: 'late' })])
  expect(runner.readings('checkout')).toEqual({})
  expect(ended).toEqual([])
})

test('between tries it waits longer each time, by chance more or less, and 45 s at most', async () => {
  const clock = createFakeClock(0)
  const asked: number[] = []
  const cluster = fakeCluster({
    workload: async () => {
      asked.push(clock.nowMs())
      return { kind: 'missing', why: 'unreachable', detail: 'no route' }
    },
  })
  const object = { kind: 'Deployment', namespace: 'shop', name: 'checkout' } as const
  const { runner, readingOf } = createTaskRig({ clock, clustersOf: () => ({ old: cluster, new: cluster }) })
  const spec = { kind: 'scale', cluster: 'new', object, replicas: 4, isDown: false } as const
  runner.want([taskRequest(spec, { tries: 8, key: 'k' })])
  await clock.advance(200_000)
  // The chance is 0: half of each pause.
  expect(asked.map((ms) => ms / 1000)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 30.5, 45.5])
  expect(readingOf('k')).toMatchObject({
    kind: 'failed',
    seconds: 45.5,
    detail: 'Deployment shop/checkout in new: no route; tried 8 times',
  })
})

test('a fault in Headgate ends a task, is logged, and is nobody’s secret', async () => {
  const { run, log } = createTaskRig({
    prober: {
      probe: () => {
        throw new Error('a bug with a secret in it')
      },
      close: async () => {},
    },
  })
  expect(await run(warm)).toMatchObject({ kind: 'failed', detail: 'a fault in Headgate: its log has more' })
  expect(log.lines).toEqual([{ level: 'error', message: 'a task broke: a fault in Headgate' }])
})

test('an adapter that forgets its signal stops no task from ending', async () => {
  const { run } = createTaskRig({ prober: { probe: () => new Promise(() => {}), close: async () => {} } })
  expect(await run(warm, { deadlineSeconds: 5 })).toMatchObject({
    kind: 'failed',
    detail: 'not done within 5 s',
  })
})
