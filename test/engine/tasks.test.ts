import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { TaskRequest } from '../../src/core/effect.ts'
import type { Plan } from '../../src/core/plan.ts'
import { problem } from '../../src/core/problem.ts'
import type { Hook } from '../../src/core/task.ts'
import type { Store } from '../../src/ports/store.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { createFakeLog, createFakeRandom } from '../../src/simulate/runtime.ts'
import { createTaskRunner } from '../../src/tasks/runner.ts'
import { PLAIN_STEP } from '../support/plain.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { httpTask, probeOfNew } from '../tasks/rig.ts'
import { createRig, planFor, type Rig, type RigOptions, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

/** An engine with the real runner of tasks. */
function rigWithTasks(world: World, options: RigOptions = {}): Rig {
  const { clock, prober } = world
  const rig = createRig(world, {
    tasks: (wakeups) =>
      createTaskRunner({
        ...{ clock, prober, random: createFakeRandom(), log: createFakeLog(), tracer: NO_TRACER },
        secret: () => '',
        clustersOf: () => null,
        onEnded: (workload) => wakeups.urgent([workload]),
      }),
    ...options,
  })
  rigs.push(rig)
  return rig
}

function hookAt(at: Hook['at'], url: string): Hook {
  return { id: 'smoke', at, weightsPercent: null, task: httpTask(url), tries: 3, deadlineSeconds: 36_000, then: 'hold' }
}

function planWith(changes: Partial<Plan>): Plan {
  return { ...planFor('checkout'), ...changes, hash: 'with tasks' }
}

/** Lets sweeps go by until this is so: what goes over a network takes its time, whatever the clock shows. */
function sweepUntil(world: World, what: string, ask: () => boolean): Promise<boolean> {
  return until(what, async () => {
    await sweep(world)
    return ask()
  })
}

describe('a hook', () => {
  test('keeps the next weight back until it has passed, which is thought of at once', async () => {
    const waiting: ServerResponse[] = []
    const server = await startWebServer((response) => void waiting.push(response))
    const world = new World(['checkout'])
    const rig = rigWithTasks(world)
    await rig.start([planWith({ hooks: [hookAt('after-step', server.url)] })])
    await sweepUntil(world, 'the hook', () => waiting.length > 0)
    await sweep(world, 20)
    expect([server.requests.length, world.weightOf('checkout')]).toEqual([1, 10])
    const sweeps = rig.sweeps.length
    waiting[0]?.writeHead(200).end('all well')
    await until('the next weight', () => world.weightOf('checkout') === 50)
    expect(rig.sweeps.length).toBe(sweeps)
    const [ended] = await world.eventsOf('task-ended')
    expect(ended).toMatchObject({ outcome: 'passed', detail: 'answered 200: all well' })
  })

  test('that is cut off by a crash is asked again, under the same key', async () => {
    const server = await startWebServer(() => {})
    const world = new World(['checkout'])
    const plans = [planWith({ hooks: [hookAt('preflight', server.url)] })]
    const first = rigWithTasks(world)
    await first.start(plans)
    await sweepUntil(world, 'the hook', () => server.requests.length > 0)
    first.kill()
    // Of a killed process nobody closes anything.
    rigs.splice(rigs.indexOf(first), 1)
    server.answer = answering(200, '')
    const second = rigWithTasks(world, { owner: 'two' })
    second.begin(plans)
    await sweepUntil(world, 'the first weight', () => world.weightOf('checkout') === 10)
    expect(server.requests.length).toBe(2)
    expect(new Set(server.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect((await world.eventsOf('task-started')).length).toBe(1)
  })

  test('is asked for only when that was committed', async () => {
    const world = new World(['checkout'])
    const { store, inbox } = world.memory
    let isLost = false
    const commit: Store['commit'] = async (request) => {
      if (!isLost && request.events.some(({ type }) => type === 'task-started')) {
        isLost = true
        throw problem('STORE_UNAVAILABLE', 'the test says so')
      }
      return store.commit(request)
    }
    const asked: (TaskRequest & { readonly isJournaled: boolean })[] = []
    let isJournaled = false
    const rig = rigWithTasks(world, {
      ports: { store: { ...store, commit }, inbox },
      tasks: () => ({
        want: (requests) => void asked.push(...requests.map((request) => ({ ...request, isJournaled }))),
        readings: () => ({}),
        close: async () => {},
      }),
    })
    rig.engine.onCommit((rows) => {
      isJournaled ||= rows.some(({ event }) => event.type === 'task-started')
    })
    await rig.start([planWith({ hooks: [hookAt('preflight', 'http://127.0.0.1:1/')] })])
    await sweep(world, 5)
    expect(isLost).toBe(true)
    expect(asked.length).toBeGreaterThan(1)
    expect(asked.every((request) => request.isJournaled)).toBe(true)
    expect(asked[0]).toMatchObject({
      workload: 'checkout',
      about: { runId: 'RUN', point: 'preflight', name: 'smoke', weightPercent: 0 },
    })
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1)
  })

  test('is cut off when the service stops, and nothing of it is taken for its end', async () => {
    const server = await startWebServer(() => {})
    const world = new World(['checkout'])
    const rig = rigWithTasks(world)
    await rig.start([planWith({ hooks: [hookAt('preflight', server.url)] })])
    await sweepUntil(world, 'the hook', () => server.requests.length > 0)
    await rig.stop()
    await until('the connection to be closed', () => server.openConnections() === 0)
    expect(await world.eventsOf('task-ended')).toEqual([])
  })
})

describe('steps that move nothing', () => {
  const move = (weightPercent: number) => ({ ...PLAIN_STEP, weightPercent, holdSeconds: 30 })
  const warm = { kind: 'warm', requests: 40, perSecond: 20, passPercent: 99, probes: [probeOfNew('a')] } as const

  test('warm NEW up with so many requests before the first weight, then wait, and go on', async () => {
    const world = new World(['checkout'])
    const weights: (number | undefined)[] = []
    world.prober.probe = async () => {
      weights.push(world.weightOf('checkout'))
      return { kind: 'passed', seconds: 0.01 }
    }
    const rig = rigWithTasks(world)
    await rig.start([planWith({ steps: [{ ...move(0), warm }, move(0), move(10), move(10), move(100)] })])
    await sweep(world, 100)
    expect(weights).toEqual(new Array(40).fill(0))
    expect(rig.phaseOf('checkout')).toBe('completed')
    const raised = await world.eventsOf('weight-intended')
    expect(raised.map(({ toPercent }) => toPercent).filter((percent) => percent > 0)).toEqual([10, 100])
  })

  test('hold while NEW does not get warm', async () => {
    const world = new World(['checkout'])
    world.prober.probe = async () => ({ kind: 'failed', seconds: 0.01, why: 'status 503' })
    const rig = rigWithTasks(world)
    await rig.start([planWith({ steps: [{ ...move(0), warm }, move(10), move(100)] })])
    await sweep(world, 30)
    expect(world.weightOf('checkout')).toBe(0)
    const [held] = (await world.eventsOf('hold-added')).filter(({ hold }) => hold.cause === 'hook')
    expect(held?.hold.detail).toContain('0 of all 40 requests at new passed; 99 % must; the newest failure: status 503')
  })
})
