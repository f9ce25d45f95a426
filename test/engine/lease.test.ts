import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { problem } from '../../src/core/problem.ts'
import { LEASE_MS, LeaseKeeper, WRITE_TIMEOUT_MS } from '../../src/engine/lease.ts'
import { createFakeLog } from '../../src/simulate/runtime.ts'
import { createRig, planFor, type Rig, type RigOptions, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

function newRig(world: World, options?: RigOptions): Rig {
  const rig = createRig(world, options)
  rigs.push(rig)
  return rig
}

/** The world's store behind a network that can be cut. */
function cuttable({ memory: { store, inbox } }: World) {
  const network = { isCut: false }
  const through = <T>(work: () => Promise<T>): Promise<T> =>
    network.isCut ? Promise.reject(problem('STORE_UNAVAILABLE', 'the network is cut')) : work()
  const ports = {
    store: {
      lease: (...args: Parameters<typeof store.lease>) => through(() => store.lease(...args)),
      release: (...args: Parameters<typeof store.release>) => through(() => store.release(...args)),
      runId: () => through(() => store.runId()),
      load: () => through(() => store.load()),
      commit: (...args: Parameters<typeof store.commit>) => through(() => store.commit(...args)),
      close: () => store.close(),
    },
    inbox: {
      put: (...args: Parameters<typeof inbox.put>) => through(() => inbox.put(...args)),
      putAll: (...args: Parameters<typeof inbox.putAll>) => inbox.putAll(...args),
      pending: (...args: Parameters<typeof inbox.pending>) => through(() => inbox.pending(...args)),
    },
  }
  return { network, ports }
}

describe('the lease', () => {
  test('that another holds is waited for, and nothing is done before', async () => {
    const world = new World(['checkout'])
    await world.memory.store.lease('other', world.clock.nowMs(), 25_000)
    const rig = newRig(world)
    rig.begin([planFor('checkout')])
    await sweep(world, 2)
    expect(await world.events()).toEqual([])
    expect(rig.engine.notReady().map(({ code }) => code)).toContain('STORE_LEASE_HELD')
    await sweep(world, 4)
    expect(world.weightOf('checkout')).toBeGreaterThan(0)
    expect(rig.engine.notReady()).toEqual([])
  })

  test('is kept over hours without a gap that another could use', async () => {
    const world = new World(['checkout'])
    await newRig(world).start([planFor('checkout')])
    for (let n = 0; n < 100; n++) {
      await world.clock.advance(3_500)
      await expect(world.memory.store.lease('other', world.clock.nowMs(), 1)).rejects.toMatchObject({
        code: 'STORE_LEASE_HELD',
      })
    }
  })

  test('is none to write by once it is too short for a whole write, though it still lasts', async () => {
    const world = new World(['checkout'])
    const { network, ports } = cuttable(world)
    const keeper = new LeaseKeeper(ports.store, 'one', { clock: world.clock, log: createFakeLog() })
    const { token } = await keeper.hold()
    network.isCut = true
    await world.clock.advance(LEASE_MS - WRITE_TIMEOUT_MS)
    expect(keeper.heldToken()).toBe(token)
    await world.clock.advance(1)
    expect(keeper.heldToken()).toBe(null)
    expect(await keeper.hold(), 'commits go on').toMatchObject({ token })
  })

  test('is not stretched by any jumps of the wall, back or forth, while the store is away', async () => {
    const jumpsAndWaits = fc.array(
      fc.tuple(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: 0, max: 3_000 })),
    )
    await fc.assert(
      fc.asyncProperty(jumpsAndWaits, async (steps) => {
        const world = new World(['checkout'])
        const { clock } = world
        const { network, ports } = cuttable(world)
        const keeper = new LeaseKeeper(ports.store, 'one', { clock, log: createFakeLog() })
        await keeper.hold()
        network.isCut = true
        let passedMs = 0
        for (const [jumpMs, waitMs] of steps) {
          clock.set(clock.nowMs() + jumpMs)
          await clock.advance(waitMs)
          passedMs += waitMs
          if (passedMs > LEASE_MS - WRITE_TIMEOUT_MS) expect(keeper.heldToken()).toBe(null)
          if (passedMs >= LEASE_MS) await expect(keeper.hold()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
        }
      }),
    )
  })

  test('is over when the wall says so, as after a machine was suspended', async () => {
    const { memory, clock } = new World(['checkout'])
    const keeper = new LeaseKeeper(memory.store, 'one', { clock, log: createFakeLog() })
    await keeper.hold()
    clock.set(clock.nowMs() + LEASE_MS)
    expect(keeper.heldToken()).toBe(null)
  })

  test('is one to write by all the time, however slow the start was after it was taken', async () => {
    const world = new World(['checkout'])
    const keeper = new LeaseKeeper(world.memory.store, 'one', { clock: world.clock, log: createFakeLog() })
    const { token } = await keeper.hold()
    await world.clock.advance(4_900)
    keeper.keep()
    for (let n = 0; n < 200; n++) {
      await world.clock.advance(100)
      expect(keeper.heldToken()).toBe(token)
    }
    await keeper.release()
  })

  test.each([
    ['is none to write by at once when the store lost it', 'STORE_LOST', null],
    ['lasts while the store is away', 'STORE_UNAVAILABLE', 1],
  ] as const)('%s', async (_, code, token) => {
    const { memory, clock } = new World(['checkout'])
    const keeper = new LeaseKeeper(memory.store, 'one', { clock, log: createFakeLog() })
    await keeper.hold()
    keeper.keep()
    memory.failNext('lease', code)
    await clock.advance(LEASE_MS / 3)
    expect(keeper.trouble?.code).toBe(code)
    expect(keeper.heldToken()).toBe(token)
    await keeper.release()
  })

  test('is renewed no more often than usual while the store is away', async () => {
    const world = new World(['checkout'])
    const { network, ports } = cuttable(world)
    const log = createFakeLog()
    const keeper = new LeaseKeeper(ports.store, 'one', { clock: world.clock, log })
    await keeper.hold()
    network.isCut = true
    keeper.keep()
    await world.clock.advance(60_100)
    expect(log.lines).toHaveLength(18)
    network.isCut = false
    await keeper.release()
  })

  test('that was lost stops commits and writes; when it is back, the engine goes on', async () => {
    const world = new World(['checkout'])
    const { network, ports } = cuttable(world)
    const rig = newRig(world, { ports })
    await rig.start([planFor('checkout')])
    await sweep(world, 3)
    network.isCut = true
    await world.clock.advance(LEASE_MS)
    await world.memory.store.lease('other', world.clock.nowMs(), 30_000)
    network.isCut = false
    const [rows, writes] = [(await world.events()).length, world.writes.length]
    world.setWeight('checkout', 0)
    await sweep(world, 2)
    expect(await world.events()).toHaveLength(rows)
    expect(world.writes).toHaveLength(writes)
    expect(rig.engine.notReady().map(({ code }) => code)).toContain('STORE_LEASE_HELD')
    world.setWeight('checkout', 10)
    await sweep(world, 60)
    expect(rig.phaseOf('checkout')).toBe('completed')
  })

  test('lets two engines on one store never both write, and the second takes up where the first was cut off', async () => {
    const world = new World(['catalog', 'checkout'])
    const plans = [planFor('catalog'), planFor('checkout', { after: 'catalog' })]
    const { network, ports } = cuttable(world)
    const first = newRig(world, { owner: 'one', ports })
    const second = newRig(world, { owner: 'two' })
    await first.start(plans)
    second.begin(plans)
    await sweep(world, 5)
    network.isCut = true
    await sweep(world, 5)
    network.isCut = false
    await sweep(world, 60)
    const owners = world.writes.map(({ owner }) => owner)
    expect(owners.slice(owners.indexOf('two'))).not.toContain('one')
    expect(owners).toContain('one')
    expect(world.workloads.map((name) => second.phaseOf(name))).toEqual(['completed', 'completed'])
    const raised = (await world.eventsOf('weight-intended')).map(
      ({ workload, toPercent }) => `${workload} ${toPercent}`,
    )
    expect(raised).toEqual([...new Set(raised)])
  })
})
