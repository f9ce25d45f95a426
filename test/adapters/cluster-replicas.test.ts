import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Replicas } from '../../src/cluster/replicas.ts'
import type { Sides } from '../../src/core/plan.ts'
import type { KubernetesPlace } from '../../src/shared/kubernetes/config.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeRandom, type FakeLog } from '../../src/simulate/runtime.ts'
import { type FakeCluster, NAMESPACE, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { typeOf } from '../fakes/kubernetes/server.ts'
import { deployment, statefulSet } from '../support/kubernetes-objects.ts'
import { planFor } from '../support/object-plans.ts'
import { until } from '../support/until.ts'

const signal = () => AbortSignal.timeout(120_000)
const A = planFor('a')

interface World {
  readonly old: FakeCluster
  readonly fresh: FakeCluster
  readonly replicas: Replicas
  readonly clock: FakeClock
  readonly log: FakeLog
  /** Looks, as a sweep does. */
  look(...plans: (typeof A)[]): Promise<void>
  /** What is known of NEW's object. */
  fresher(plan?: typeof A): object | undefined
}

async function start(): Promise<World> {
  const [old, fresh] = await Promise.all([startFakeCluster(), startFakeCluster()])
  const clock = createFakeClock(1_000_000)
  const log = createFakeLog()
  const placeOf = (cluster: FakeCluster): KubernetesPlace => ({ kubeconfig: cluster.kubeconfig.path, context: null })
  const places: Sides<KubernetesPlace> = { old: placeOf(old), new: placeOf(fresh) }
  const replicas = new Replicas((migration) => (migration === 'm' ? places : null), {
    clock,
    random: createFakeRandom(0.5),
    log,
  })
  onTestFinished(async () => {
    await replicas.close()
    await Promise.all([old.remove(), fresh.remove()])
  })
  for (const cluster of [old, fresh]) cluster.create('deployments', 'a', deployment('a', 3))
  return {
    ...{ old, fresh, replicas, clock, log },
    look: (...plans) =>
      replicas.look(
        plans.map((plan) => ({ plan, phase: 'stepping' as const })),
        signal(),
      ),
    fresher: (plan = A) => replicas.reading(plan)?.new,
  }
}

const scaleTo = (cluster: FakeCluster, name: string, count: number) =>
  cluster.change('deployments', name, (object) => Object.assign(object.spec as object, { replicas: count }))
const watches = (cluster: FakeCluster) => cluster.server.calls.filter(({ url }) => url.includes('watch=1'))
const lists = (cluster: FakeCluster) =>
  cluster.server.calls.filter(({ method, url }) => method === 'GET' && !url.includes('watch=1'))
/** Ends all connections as a server does that is killed; it is there again at once. */
const cut = (cluster: FakeCluster) => cluster.server.cut()

test('after the first look the replicas of both clusters are known, with the time', async () => {
  const { look, replicas, fresh } = await start()
  expect(replicas.reading(A)).toBeNull()
  fresh.server.podController = () => ({ readyReplicas: 1 })
  scaleTo(fresh, 'a', 5)
  await look(A)
  expect(replicas.reading(A)).toEqual({
    old: { kind: 'replicas', ready: 3, wanted: 3, atMs: 1_000_000 },
    new: { kind: 'replicas', ready: 1, wanted: 5, atMs: 1_000_000 },
  })
})

test('changes come by themselves, without another look', async () => {
  const { look, fresher, fresh } = await start()
  await look(A)
  scaleTo(fresh, 'a', 7)
  await until('the change is seen', () => expect.objectContaining({ ready: 7, wanted: 7 }).asymmetricMatch(fresher()))
  expect(lists(fresh)).toHaveLength(1)
})

test('all workloads of a kind and namespace share one watch, whatever number of looks there is', async () => {
  const { look, replicas, fresh } = await start()
  fresh.create('deployments', 'b', deployment('b', 2))
  fresh.create('statefulsets', 'db', statefulSet('db', 1))
  const plans = [A, planFor('b'), planFor('db', 'StatefulSet')]
  for (let times = 0; times < 3; times += 1) await look(...plans)
  await until('both watches are open', () => watches(fresh).length === 2)
  expect(plans.map((plan) => replicas.reading(plan)?.new)).toMatchObject([{ ready: 3 }, { ready: 2 }, { ready: 1 }])
  expect(lists(fresh)).toHaveLength(2)
})

test('an object that is deleted is missing: empty, and known again when it comes back', async () => {
  const { look, fresher, fresh } = await start()
  await look(A)
  fresh.server.store.delete(typeOf('deployments'), NAMESPACE, 'a')
  await until('it is gone', () => expect.objectContaining({ why: 'empty' }).asymmetricMatch(fresher()))
  expect(fresher()).toEqual({ kind: 'missing', why: 'empty', detail: 'there is no Deployment shop/a' })
  fresh.create('deployments', 'a', deployment('a', 2))
  await until('it is back', () => expect.objectContaining({ ready: 2 }).asymmetricMatch(fresher()))
})

test('a plan without objects, or without access, has no reading', async () => {
  const { look, replicas } = await start()
  const [plain, foreign] = [
    { ...A, objects: null },
    { ...A, migration: 'other' },
  ]
  await look(plain, foreign)
  expect([replicas.reading(plain), replicas.reading(foreign)]).toEqual([null, null])
})

describe('a watch that ends', () => {
  test('abruptly goes on after a while from where it was, without a new list', async () => {
    const { look, fresher, fresh, clock } = await start()
    await look(A)
    await until('the watch is open', () => watches(fresh).length === 1)
    cut(fresh)
    scaleTo(fresh, 'a', 4)
    await until('it waits', () => clock.sleepers() > 1)
    await until('it is open again', async () => {
      await clock.advance(1000)
      return watches(fresh).length > 1
    })
    await until('what happened meanwhile is seen', () =>
      expect.objectContaining({ ready: 4 }).asymmetricMatch(fresher()),
    )
    expect(lists(fresh)).toHaveLength(1)
  })

  test('because its version is forgotten begins with a new list', async () => {
    const { look, fresher, fresh, clock } = await start()
    await look(A)
    await until('the watch is open', () => watches(fresh).length === 1)
    fresh.server.forbiddenVerbs.add('watch')
    cut(fresh)
    scaleTo(fresh, 'a', 4)
    fresh.server.store.delete(typeOf('deployments'), NAMESPACE, 'a')
    fresh.create('deployments', 'a', deployment('a', 9))
    fresh.server.store.compact()
    fresh.server.forbiddenVerbs.clear()
    await until('the newest is seen', async () => {
      await clock.advance(1000)
      return expect.objectContaining({ ready: 9 }).asymmetricMatch(fresher())
    })
    expect(lists(fresh)).toHaveLength(2)
  })

  test('in order is begun again from there, and says that the number still holds', async () => {
    const { look, fresher, fresh, clock } = await start()
    await look(A)
    await until('the watch is open', () => watches(fresh).length === 1)
    await clock.advance(30_000)
    fresh.server.endWatches()
    await until('it is heard of', () => expect.objectContaining({ atMs: 1_030_000 }).asymmetricMatch(fresher()))
    expect(lists(fresh)).toHaveLength(1)
  })

  test('as soon as it begins is not begun without end', async () => {
    const { look, fresh, clock } = await start()
    fresh.server.intercept = ({ url }, response) => {
      if (!url.includes('watch=1')) return false
      response.end()
      return true
    }
    await look(A)
    await until('it rests', () => clock.sleepers() > 0 && watches(fresh).length === 1)
    await clock.advance(3000)
    await until('it goes on', () => watches(fresh).length > 1)
    expect(watches(fresh).length).toBeLessThan(6)
  })

  test('with something else than events is listed anew', async () => {
    const { look, fresher, fresh, clock } = await start()
    let isOdd = true
    fresh.server.intercept = ({ url }, response) => {
      if (!url.includes('watch=1') || !isOdd) return false
      isOdd = false
      response.end('<html>\n')
      return true
    }
    await look(A)
    await until('it is listed again', async () => {
      await clock.advance(1000)
      return lists(fresh).length === 2
    })
    await until('it is known', () => expect.objectContaining({ ready: 3 }).asymmetricMatch(fresher()))
  })
})

describe('a server that is lost', () => {
  test('leaves no number older than a minute, and none is made up', async () => {
    const { look, fresher, fresh, clock } = await start()
    await look(A)
    await fresh.server.stop()
    for (let seconds = 0; seconds < 60; seconds += 10) {
      expect(fresher()).toMatchObject({ ready: 3, atMs: 1_000_000 })
      await clock.advance(10_000)
    }
    await clock.advance(1000)
    expect(fresher()).toMatchObject({
      kind: 'missing',
      why: 'stale',
      detail: expect.stringMatching(
        /^Deployment shop\/a was last seen 61 s ago: watch Deployments in shop: .*cannot be reached/,
      ),
    })
  })

  test('and says nothing any more, without an end of the connection, is stale after a minute too', async () => {
    const { look, fresher, fresh, clock } = await start()
    await look(A)
    await until('the watch is open', () => watches(fresh).length === 1)
    fresh.server.hang()
    await until('it is stale', async () => {
      await clock.advance(5000)
      return expect.objectContaining({ why: 'stale' }).asymmetricMatch(fresher())
    })
    expect(clock.nowMs()).toBeLessThanOrEqual(1_070_000)
    await until('the dead connection was given up', () => watches(fresh).length > 1)
  })

  test('holds no number that is from a clock of the future', async () => {
    const { look, fresher, clock } = await start()
    await look(A)
    clock.set(500_000)
    expect(fresher()).toMatchObject({ kind: 'missing', why: 'stale' })
  })

  test('that was never there is missing with its reason, told once, and costs the next look no time', async () => {
    const { look, fresher, fresh, clock, log } = await start()
    await fresh.server.stop()
    await look(A)
    expect(fresher()).toMatchObject({ kind: 'missing', why: 'unreachable' })
    await look(A)
    for (let times = 0; times < 5; times += 1) {
      await clock.advance(5000)
      await until('it waits again', () => clock.sleepers() > 0)
    }
    expect(log.lines).toEqual([{ level: 'warn', message: 'replicas cannot be watched; trying again' }])
  })

  test('that does not answer at all takes no longer than the look may', async () => {
    const { replicas, fresh } = await start()
    fresh.server.hang()
    await replicas.look([{ plan: A, phase: 'stepping' }], AbortSignal.timeout(50))
    expect(replicas.reading(A)?.new).toMatchObject({ kind: 'missing', why: 'timeout' })
  })

  test.each(['list', 'watch'])('that allows no %s is missing: refused', async (verb) => {
    const { look, fresher, fresh, clock } = await start()
    fresh.server.forbiddenVerbs.add(verb)
    await look(A)
    await until('it is missing', async () => {
      await clock.advance(10_000)
      return expect.objectContaining({ kind: 'missing' }).asymmetricMatch(fresher())
    })
    expect(fresher()).toMatchObject({ detail: expect.stringContaining(`cannot ${verb} resource`) })
  })
})

test('a watch that nobody wants ends, and so do all of them in the end', async () => {
  const { look, replicas, fresh, clock } = await start()
  const connections = () => fresh.server.connections()
  await look(A)
  await until('the watch is open', () => watches(fresh).length === 1)
  await look()
  expect(replicas.reading(A)).not.toBeNull()
  await clock.advance(121_000)
  await look()
  await until('nothing is open', async () => (await connections()) === 0)
  await look(A)
  await until('it is wanted again', () => watches(fresh).length > 1)
  await replicas.close()
  await until('nothing is open', async () => (await connections()) === 0)
  await look(A)
  expect(replicas.reading(A)).toBeNull()
})

test('whatever happens to objects and connections, in the end what is known is what is there', async () => {
  const move = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('scale' as const), to: fc.integer({ min: 0, max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const) }) },
  )
  const { look, fresher, fresh, clock } = await start()
  await look(A)
  const isThere = () => fresh.server.store.list(typeOf('deployments'), NAMESPACE).length > 0
  const run = async (moves: readonly (typeof move extends fc.Arbitrary<infer T> ? T : never)[]) => {
    let count: number | null = null
    for (const one of moves) {
      if (one.kind === 'scale') {
        if (isThere()) scaleTo(fresh, 'a', one.to)
        else fresh.create('deployments', 'a', deployment('a', one.to))
        count = one.to
      } else if (one.kind === 'remove' && isThere()) {
        fresh.server.store.delete(typeOf('deployments'), NAMESPACE, 'a')
        count = null
      } else if (one.kind === 'cut') cut(fresh)
      else if (one.kind === 'compact') fresh.server.store.compact()
      else if (one.kind === 'end') fresh.server.endWatches()
      else await clock.advance(1500)
    }
    if (!moves.some(({ kind }) => kind === 'scale' || kind === 'remove')) return
    const wanted = isThere() && count !== null ? { ready: count, wanted: count } : { why: 'empty' }
    await until('it is known', async () => {
      await clock.advance(1000)
      return expect.objectContaining(wanted).asymmetricMatch(fresher())
    })
  }
  await fc.assert(fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 8 }), run), { numRuns: 25 })
})
