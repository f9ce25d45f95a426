import { afterEach, describe, expect, test } from 'vitest'
import { createRig, planFor, type Rig, say, sweep, World } from './rig.ts'

const REST_SECONDS = 60

let rig: Rig

afterEach(() => rig.stop())

/** A workload that holds its first weight for long, in a scope that needs reading once a minute. */
async function atRest() {
  const world = new World(['checkout'])
  world.traffic.restSeconds = REST_SECONDS
  rig = createRig(world)
  await rig.start([planFor('checkout', { steps: '10/6000,100/10' })])
  await sweep(world, 5)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
  return world
}

/** Reads of the next sweeps. */
async function readsIn(world: World, sweeps: number): Promise<number> {
  const before = world.traffic.readsAtMs.length
  await sweep(world, sweeps)
  return world.traffic.readsAtMs.length - before
}

describe('a scope that rests', () => {
  test('is read once in its time, not in each sweep', async () => {
    const world = await atRest()
    expect(await readsIn(world, 18)).toBe(3)
  })

  test('is read at once after a write to it, and then in each sweep until nothing is on its way', async () => {
    const world = await atRest()
    await readsIn(world, 1)
    world.traffic.faults.refusesWrites = true
    await say(rig, 'revert', 'checkout')
    expect(await readsIn(world, 5)).toBeGreaterThanOrEqual(5)
    world.traffic.faults.refusesWrites = false
    await sweep(world, 3)
    expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
  })

  test('is read in each sweep while it cannot be read, or has yet to put a write in force', async () => {
    const world = await atRest()
    world.traffic.faults.unreachable = true
    await sweep(world, 6)
    expect(await readsIn(world, 4)).toBe(4)
    world.traffic.faults.unreachable = false
    world.traffic.extra.pending = 'PENDING'
    await sweep(world, 1)
    expect(await readsIn(world, 4)).toBe(4)
    delete world.traffic.extra.pending
    await sweep(world, 1)
    expect(await readsIn(world, 4)).toBe(0)
  })

  test('shows a foreign write at the next read, and from then on in each sweep', async () => {
    const world = await atRest()
    world.traffic.weights.set([...world.traffic.weights.keys()][0] ?? '', 40)
    await sweep(world, 7)
    expect(rig.engine.book.subject('checkout')?.state.holds.map(({ cause }) => cause)).toContain('drift')
    expect(await readsIn(world, 4)).toBe(4)
  })
})

describe('scopes that rest', () => {
  const ZONES = 12

  /** As many workloads, at rest, each in a scope of its own. */
  async function manyAtRest() {
    const names = Array.from({ length: ZONES }, (_, index) => `workload-${index}`)
    const world = new World(names)
    world.traffic.restSeconds = REST_SECONDS
    rig = createRig(world)
    await rig.start(names.map((name) => planFor(name, { steps: '10/6000,100/10' }, name)))
    await sweep(world, 12)
    expect(names.map((name) => world.weightOf(name))).toEqual(names.map(() => 10))
    return world
  }

  test('take turns: no sweep reads more than their share, and in their time all of them are read', async () => {
    const world = await manyAtRest()
    await sweep(world, 12)
    const reads: number[] = []
    for (let n = 0; n < 12; n++) reads.push(await readsIn(world, 1))
    expect(Math.max(...reads)).toBeLessThanOrEqual(ZONES / 6)
    expect(reads.slice(0, 6).reduce((sum, one) => sum + one, 0)).toBe(ZONES)
    expect(reads.slice(6).reduce((sum, one) => sum + one, 0)).toBe(ZONES)
  })

  test('are written once by a revert of all, however long their read-backs take', async () => {
    const world = await manyAtRest()
    const before = world.traffic.writes.length
    world.traffic.faults.refusesReads = true
    const order = { command: 'revert', reason: 'a test', actor: 'ann', force: false, roles: [] } as const
    await rig.control.submitAll(order, world.workloads)
    await sweep(world, 4)
    expect(world.traffic.writes.length - before).toBe(ZONES)
    expect(world.workloads.map((name) => rig.phaseOf(name))).toEqual(world.workloads.map(() => 'reverting'))
    world.traffic.faults.refusesReads = false
    await sweep(world, 1)
    expect(world.workloads.map((name) => rig.phaseOf(name))).toEqual(world.workloads.map(() => 'reverted'))
    expect(world.traffic.writes.length - before).toBe(ZONES)
  })
})
