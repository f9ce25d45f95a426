import { afterEach, expect, test } from 'vitest'
import type { Plan } from '../../src/core/plan.ts'
import { Book } from '../../src/engine/book.ts'
import { ShardKeeper } from '../../src/engine/shard-keeper.ts'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { assemble } from '../../src/simulate/assemble.ts'
import { Life, trafficOf } from '../../src/simulate/life.ts'
import { createFakeLog, createFakeMeter, createFakeRandom } from '../../src/simulate/runtime.ts'
import { planFor, START_MS, SWEEP_SECONDS, World } from './rig.ts'

const A = planOf('a')
const B = planOf('b')
const C = planOf('c')

/** A migration of one workload, in a scope of its own or in that one. */
function planOf(name: string, scope = name): Plan {
  return { ...planFor(name, {}, scope), migration: name, hash: `${name} in ${scope}` }
}

const running: { readonly keeper: ShardKeeper; readonly world: World; readonly ran: Promise<void> }[] = []

afterEach(async () => {
  for (const { keeper, ran } of running.splice(0)) {
    await keeper.stop('the test is over')
    await ran
  }
})

/** One replica of a service with these plans. */
function startReplica(world: World, replica: string, plans: readonly Plan[]) {
  const { clock, memory } = world
  const { inbox, shards } = memory
  const woken: string[] = []
  const open = (shard: string) => {
    const { store, inbox: own } = shards.of(shard)
    return assemble({
      ...{ owner: replica, clock, store, inbox: { ...inbox, ...own }, isMain: shard === MAIN_SHARD },
      ...{ random: createFakeRandom(), log: createFakeLog(), meter: createFakeMeter(), tracer: NO_TRACER },
      kinds: [trafficOf(new Life(), world.traffic.kind, () => {})],
      sources: new Map([['fake', world.source]]),
      prober: world.prober,
      fleets: () => [],
      sweepSeconds: SWEEP_SECONDS,
      observeTimeoutSeconds: SWEEP_SECONDS / 2,
      about: { version: 'test', migrations: [], configHash: '', startedAtMs: START_MS, sweepSeconds: SWEEP_SECONDS },
    })
  }
  const keeper = new ShardKeeper(
    { plans, hash: 'first' },
    {
      ...{ shards, replica, clock, log: createFakeLog(), open },
      see: (shard) => ({ book: new Book(), observer: open(shard).observer }),
      wake: (shard) => void woken.push(shard),
    },
  )
  const ran = keeper.run()
  running.push({ keeper, world, ran })
  const own = () => keeper.seen().flatMap(({ shard, isOwn }) => (isOwn ? [shard] : []))
  return { keeper, own, woken }
}

async function pass(world: World, seconds: number): Promise<void> {
  for (let half = 0; half < 2 * seconds; half++) await world.clock.advance(500)
}

test('one replica has all shards; each that comes later is handed its share; what one leaves the others have at once', async () => {
  const world = new World(['a', 'b', 'c'])
  const one = startReplica(world, 'one', [A, B, C])
  await pass(world, 1)
  expect(one.own().toSorted()).toEqual(['b', 'c', MAIN_SHARD])
  const two = startReplica(world, 'two', [A, B, C])
  const three = startReplica(world, 'three', [A, B, C])
  await pass(world, 3)
  const all = [one, two, three]
  expect(all.map(({ own }) => own().length)).toEqual([1, 1, 1])
  expect(one.own()).toEqual([MAIN_SHARD])
  expect([one, two, three].map(({ keeper }) => keeper.isLeading())).toEqual([true, false, false])
  // Each knows of all, and of the sweeps of its own.
  for (const { keeper, own } of all) {
    expect(
      keeper
        .stands()
        .map(({ shard }) => shard)
        .toSorted(),
    ).toEqual(['b', 'c', MAIN_SHARD])
    expect(
      keeper
        .stands()
        .filter(({ isHeld }) => isHeld)
        .map(({ shard }) => shard),
    ).toEqual(own())
    expect(keeper.stands().every(({ isHeld, lastSweepAtMs }) => isHeld === (lastSweepAtMs !== null))).toBe(true)
  }
  await one.keeper.stop('it leaves')
  await pass(world, 1)
  expect([...two.own(), ...three.own()].toSorted()).toEqual(['b', 'c', MAIN_SHARD])
  expect((await world.eventsOf('rollout-created')).map(({ workload }) => workload)).toHaveLength(3)
  expect((await world.eventsOf('config-loaded')).flatMap(({ added }) => added).toSorted()).toEqual(['a', 'b', 'c'])
})

test('what others decide is seen after a refresh, and a wake for it is sent on', async () => {
  const world = new World(['a', 'b'])
  const one = startReplica(world, 'one', [A, B])
  const two = startReplica(world, 'two', [A, B])
  await pass(world, 3)
  const [workloadOfOne, workloadOfTwo] = one.own().includes(MAIN_SHARD) ? ['a', 'b'] : ['b', 'a']
  expect(one.keeper.decided().map(({ plan }) => plan.workload)).toEqual([workloadOfOne])
  await one.keeper.refresh()
  const seen = one.keeper.seen().flatMap(({ book }) => book.subjects().map(({ plan }) => plan.workload))
  expect(seen.toSorted()).toEqual(['a', 'b'])
  expect([workloadOfOne, workloadOfTwo].map((name) => one.keeper.decides(name))).toEqual([true, false])
  one.keeper.urgent([workloadOfTwo, 'nobody knows it'])
  expect(one.woken).toEqual([...new Set([two.own()[0], ...(workloadOfOne === 'a' ? [] : [MAIN_SHARD])])])
  expect(one.keeper.notReady()).toEqual([])
})

test('a config that brings two migrations together has one engine think of both, and each is told once', async () => {
  const world = new World(['a', 'b', 'c'])
  const one = startReplica(world, 'one', [A, B])
  await pass(world, 1)
  expect(one.own().toSorted()).toEqual(['b', MAIN_SHARD])
  await one.keeper.configure([A, B, planOf('c', 'b'), { ...planOf('c2', 'a'), migration: 'c' }], 'second')
  await pass(world, 1)
  expect(one.own()).toEqual([MAIN_SHARD])
  expect(one.keeper.decided().map(({ plan }) => plan.workload)).toEqual(['a', 'b', 'c', 'c2'])
  const created = await world.eventsOf('rollout-created')
  expect(created.map(({ workload }) => workload).toSorted()).toEqual(['a', 'b', 'c', 'c2'])
  expect((await world.memory.journal.verify(null)).fault).toBeNull()
})

test('when two replicas have the parts, whoever merges them takes nothing from the other before its lease would have ended', async () => {
  const world = new World(['a', 'b', 'c'])
  const one = startReplica(world, 'one', [A, B])
  const two = startReplica(world, 'two', [A, B])
  await pass(world, 3)
  expect([one.own().length, two.own().length]).toEqual([1, 1])
  const together = [A, B, planOf('c', 'b'), { ...planOf('c2', 'a'), migration: 'c' }]
  await one.keeper.configure(together, 'second')
  await two.keeper.configure(together, 'second')
  await pass(world, 1)
  expect([...one.own(), ...two.own()]).toEqual([])
  await pass(world, 12)
  expect([...one.own(), ...two.own()]).toEqual([MAIN_SHARD])
  const [owner = one] = [one, two].filter(({ own }) => own().length > 0)
  expect(owner.keeper.decided().map(({ plan }) => plan.workload)).toEqual(['a', 'b', 'c', 'c2'])
})

test('while the store is away it says so and keeps what it has, and goes on when it is back', async () => {
  const world = new World(['a', 'b'])
  const one = startReplica(world, 'one', [A, B])
  await pass(world, 1)
  world.memory.failNext('look')
  await pass(world, 0.5)
  expect(one.keeper.notReady().map(({ code }) => code)).toContain('STORE_UNAVAILABLE')
  expect(one.own()).toHaveLength(2)
  await pass(world, 1)
  expect(one.keeper.notReady()).toEqual([])
})

test('a config that was refused is journaled by the replica with the main shard alone', async () => {
  const world = new World(['a', 'b'])
  const replicas = ['one', 'two'].map((name) => startReplica(world, name, [A, B]))
  await pass(world, 3)
  for (const { keeper } of replicas) await keeper.rejectConfig([])
  expect(await world.eventsOf('config-rejected')).toHaveLength(1)
})

test('a shard that is being taken over is shown as the store had it, until it is loaded', async () => {
  const world = new World(['a', 'b'])
  const one = startReplica(world, 'one', [A, B])
  const two = startReplica(world, 'two', [A, B])
  await pass(world, 3)
  await two.keeper.refresh()
  await one.keeper.stop('it leaves')
  const shown = () => two.keeper.seen().flatMap(({ book }) => book.subjects().map(({ plan }) => plan.workload))
  for (let tries = 0; tries < 3; tries++) world.memory.failNext('load')
  for (let look = 0; look < 12; look++) {
    await pass(world, 0.5)
    expect(shown().toSorted()).toEqual(['a', 'b'])
  }
  expect(two.own()).toHaveLength(2)
})
