import { afterEach, describe, expect, test } from 'vitest'
import { CATALOGUE } from '../../src/core/catalogue.ts'
import type { EventType } from '../../src/core/event.ts'
import type { Store } from '../../src/ports/store.ts'
import { settled } from '../../src/simulate/runtime.ts'
import type { FailPoint } from '../../src/simulate/store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { createStorePath } from '../store/place.ts'
import { createRig, planFor, type Rig, type RigOptions, START_MS, say, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

/** A world with one workload, under way at its first step. */
async function underWay(options?: RigOptions) {
  const world = new World(['checkout'])
  const rig = createRig(world, options)
  rigs.push(rig)
  await rig.start([planFor('checkout')])
  await sweep(world, 3)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
  return { world, rig }
}

/** Somebody else makes a revision. */
async function commitElsewhere({ memory, clock }: World): Promise<void> {
  const { revision } = await memory.store.load()
  const lease = await memory.store.lease('one', clock.nowMs(), 10_000)
  const event = { atMs: clock.nowMs(), runId: 'RUN', workload: null, actor: 'else', type: 'config-rejected' } as const
  const events = [{ ...event, problems: [] }]
  await memory.store.commit({ lease, revision, rollouts: [], plans: [], events, consumedFactIds: [] })
}

/** The store, which loses its answer to the first commit with an event of this type, and then fails at these points. */
function losingAnswer({ memory }: World, type: EventType, alsoFail: readonly FailPoint[]) {
  let isLost = false
  const commit: Store['commit'] = (request) => {
    if (!isLost && request.events.some((event) => event.type === type)) {
      isLost = true
      for (const point of ['afterCommit' as const, ...alsoFail]) memory.failNext(point)
    }
    return memory.store.commit(request)
  }
  return { store: { ...memory.store, commit }, inbox: memory.inbox }
}

const codesOf = (rig: Rig) => rig.engine.notReady().map(({ code }) => code)

describe('a commit that another revision forestalls', () => {
  test('abandons the sweep: nothing of the thought is written, and it is thought again from what the store holds', async () => {
    const { world, rig } = await underWay()
    const writes = world.traffic.writes.length
    await commitElsewhere(world)
    await world.memory.inbox.put({
      id: 'f1',
      kind: 'command',
      workload: 'checkout',
      command: 'revert',
      reason: 'a test',
      actor: 'ann',
      receivedAtMs: START_MS,
      force: true,
      roles: [],
    })
    await sweep(world)
    expect(rig.sweeps.at(-1)).toBe('conflict')
    expect(world.traffic.writes).toHaveLength(writes)
    expect(await world.eventsOf('revert-started')).toEqual([])
    expect(codesOf(rig)).toEqual(['STORE_CONFLICT'])
    await sweep(world)
    expect(rig.sweeps.at(-1)).toBe('committed')
    expect(await world.eventsOf('command-done')).toHaveLength(1)
    expect(world.weightOf('checkout')).toBe(0)
    expect(codesOf(rig)).toEqual([])
  })
})

describe('a store that is away', () => {
  const points: readonly FailPoint[] = ['pending', 'commit']
  test.each(points)(
    'at `%s`: nothing is decided, nothing written, and each fact counts once when it is back',
    async (point) => {
      const { world, rig } = await underWay()
      const writes = world.traffic.writes.length
      for (let n = 0; n < 4; n++) world.memory.failNext(point)
      await say(rig, 'revert', 'checkout')
      await sweep(world, 3)
      expect(rig.sweeps.slice(-3)).toEqual(['failed', 'failed', 'failed'])
      expect(world.traffic.writes).toHaveLength(writes)
      expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
      expect(codesOf(rig)).toEqual(['STORE_UNAVAILABLE'])

      await sweep(world, 2)
      expect(codesOf(rig)).toEqual([])
      expect(await world.eventsOf('command-done')).toHaveLength(1)
      expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
    },
  )

  test('refuses a command with a problem that makes the caller try again', async () => {
    const { world, rig } = await underWay()
    world.memory.failNext('put')
    await expect(say(rig, 'revert', 'checkout')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(CATALOGUE.STORE_UNAVAILABLE.status).toBe(503)
    await sweep(world)
    expect(await world.eventsOf('revert-started')).toEqual([])
  })

  test('is waited for at the start', async () => {
    const world = new World(['checkout'])
    const rig = createRig(world)
    rigs.push(rig)
    world.memory.failNext('lease')
    world.memory.failNext('load')
    world.memory.failNext('commit')
    rig.begin([planFor('checkout')])
    await settled()
    expect(codesOf(rig)).toContain('STORE_UNAVAILABLE')
    await sweep(world, 3)
    expect(await world.eventsOf('controller-started')).toHaveLength(1)
    expect(world.weightOf('checkout')).toBe(10)
  })

  test('at the end keeps nothing from closing, and its lease runs out by itself', async () => {
    const { world, rig } = await underWay()
    world.memory.failNext('commit')
    world.memory.failNext('load')
    world.memory.failNext('release')
    await rig.stop()
    rigs.splice(0)
    expect(await world.eventsOf('controller-stopped')).toEqual([])
    const next = createRig(world, { owner: 'two' })
    rigs.push(next)
    next.begin([planFor('checkout')])
    await sweep(world, 3)
    expect(next.engine.notReady()).toEqual([])
  })

  test('refuses a new config whole, and takes it when it is back', async () => {
    const { world, rig } = await underWay()
    const plans = [planFor('checkout'), planFor('catalog')]
    for (let n = 0; n < 2; n++) world.memory.failNext('commit')
    await expect(rig.engine.configure(plans, 'second')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(rig.phaseOf('catalog')).toBeUndefined()
    await sweep(world, 2)
    await rig.engine.configure(plans, 'second')
    expect(rig.phaseOf('catalog')).toBe('waiting')
    expect((await world.eventsOf('config-loaded')).map(({ hash }) => hash)).toEqual(['hash', 'second'])
  })
})

describe('a commit whose answer is lost after it was done', () => {
  /** Both ways to learn of it: the store answers the very next question, or only later. */
  const ways = [
    ['and the store answers at once', []],
    ['and the store stays away for a while', ['load', 'load']],
  ] as const

  test.each(ways)('%s: each event is in the journal once, each fact is acted on once', async (_, alsoFail) => {
    const { world, rig } = await underWay()
    world.memory.failNext('afterCommit')
    for (const point of alsoFail) world.memory.failNext(point)
    await say(rig, 'revert', 'checkout')
    await sweep(world, 4)
    expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
    expect(await world.eventsOf('command-done')).toHaveLength(1)
    expect(await world.eventsOf('revert-started')).toHaveLength(1)
    expect(await world.eventsOf('revert-confirmed')).toHaveLength(1)
    expect(rig.engine.notReady()).toEqual([])
  })

  test.each(ways)('%s: a write that it told is not told again', async (_, alsoFail) => {
    const world = new World(['checkout'])
    const ports = losingAnswer(world, 'weight-applied', alsoFail)
    const rig = createRig(world, { ports })
    rigs.push(rig)
    await rig.start([planFor('checkout')])
    await sweep(world, 4)
    const applied = (await world.eventsOf('weight-applied')).map(({ weightPercent }) => weightPercent)
    expect(applied).toEqual([10, 50])
  })

  test.each(ways)('%s: the start is told once, and every rollout begun once', async (_, alsoFail) => {
    const world = new World(['checkout'])
    const rig = createRig(world, { ports: losingAnswer(world, 'controller-started', alsoFail) })
    rigs.push(rig)
    rig.begin([planFor('checkout')])
    await sweep(world, 2)
    const types = (await world.events()).map(({ type }) => type)
    expect(types.slice(0, 3)).toEqual(['controller-started', 'config-loaded', 'rollout-created'])
    expect(types.filter((type) => type === 'rollout-created')).toHaveLength(1)
    expect(types.filter((type) => type === 'controller-started')).toHaveLength(1)
  })

  test.each(ways)('%s: what it woke from its rest is measured again', async (_, alsoFail) => {
    const { world, rig } = await underWay()
    await say(rig, 'revert', 'checkout')
    // Until it is counted to its end, and nothing of it is read any more.
    await sweep(world, 10)
    // Any word to it, and what is at rest is measured no more.
    await say(rig, 'pause', 'checkout')
    world.memory.failNext('afterCommit')
    for (const point of alsoFail) world.memory.failNext(point)
    await say(rig, 'retry', 'checkout')
    await sweep(world, 6)
    const holds = rig.engine.book.subject('checkout')?.state.holds.map(({ cause }) => cause)
    expect({ phase: rig.phaseOf('checkout'), holds }).toEqual({ phase: 'stepping', holds: [] })
  })

  test('rings those who follow the journal', async () => {
    const { world, rig } = await underWay()
    const rung: (readonly unknown[])[] = []
    rig.engine.onCommit((rows) => void rung.push(rows))
    world.memory.failNext('afterCommit')
    await rig.engine.rejectConfig([])
    expect(rung).toHaveLength(1)
  })
})

test('a follower of the journal that throws harms nobody', async () => {
  const { world, rig } = await underWay()
  rig.engine.onCommit(() => {
    throw new Error('a bug')
  })
  await say(rig, 'revert', 'checkout')
  await sweep(world, 2)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
})

test('a whole rollout runs on SQLite as in memory', async () => {
  const place = createStorePath()
  const sqlite = openSqlite(place.path)
  const onDisk = new World(['checkout'])
  const inMemory = new World(['checkout'])
  const disk = createRig(onDisk, { ports: sqlite })
  const memory = createRig(inMemory)
  await disk.start([planFor('checkout')])
  await memory.start([planFor('checkout')])
  await sweep(onDisk, 40)
  await sweep(inMemory, 40)
  await disk.stop()
  await memory.stop()
  const rows = await sqlite.journal.read({ afterSeq: 0, limit: 10_000 })
  await sqlite.store.close()
  place.remove()
  expect(onDisk.weightOf('checkout')).toBe(100)
  expect(rows.map(({ event }) => event)).toEqual(await inMemory.events())
})
