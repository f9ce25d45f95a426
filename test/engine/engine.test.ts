import { afterEach, describe, expect, test } from 'vitest'
import { problem } from '../../src/core/problem.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { createRig, planFor, type Rig, type RigOptions, say, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

function newRig(world: World, options?: RigOptions): Rig {
  const rig = createRig(world, options)
  rigs.push(rig)
  return rig
}

/** A world with one workload, under way at its first step. */
async function underWay() {
  const world = new World(['checkout'])
  const rig = newRig(world)
  await rig.start([planFor('checkout')])
  await sweep(world, 3)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
  return { world, rig }
}

const codesOf = (rig: Rig) => rig.engine.notReady().map(({ code }) => code)

describe('a migration', () => {
  test('of three workloads ends as each of them deserves, with everything in the journal', async () => {
    const world = new World(['catalog', 'checkout', 'search'])
    world.newBadPercent.set('checkout', 50)
    const rig = newRig(world)
    await rig.start([planFor('catalog'), planFor('checkout'), planFor('search', { after: 'catalog' })])
    await sweep(world, 60)
    expect(world.workloads.map((name) => [rig.phaseOf(name), world.weightOf(name)])).toEqual([
      ['completed', 100],
      ['reverted', 0],
      ['completed', 100],
    ])
    const raised = (await world.eventsOf('weight-intended')).filter(({ workload }) => workload === 'catalog')
    expect(raised.map(({ toPercent }) => toPercent)).toEqual([10, 50, 100])
    expect(new Set(rig.sweeps)).toEqual(new Set(['committed']))
    expect(rig.log.lines).toEqual([])
  })

  test('writes each weight once, and reads it back at once rather than at the next sweep', async () => {
    const { world } = await underWay()
    expect(world.traffic.writes.map((changes) => changes.map(({ weightPercent }) => weightPercent))).toEqual([[10]])
    const [confirmed] = await world.eventsOf('weight-confirmed')
    expect(confirmed?.secondsSinceIntended).toBe(0)
  })

  test('writes again what the provider acknowledged and did not do', async () => {
    const world = new World(['catalog', 'checkout'])
    const rig = newRig(world)
    world.traffic.faults.appliesHalf = true
    await rig.start([planFor('catalog'), planFor('checkout')])
    await sweep(world, 3)
    expect(world.workloads.map((name) => world.weightOf(name))).toEqual([10, 10])
  })
})

describe('a provider that does not do what it is told is not stormed', () => {
  test.each(['refusesWrites', 'unreachable'] as const)('when it %s, a step is tried once a sweep', async (fault) => {
    const world = new World(['checkout'])
    const rig = newRig(world)
    await rig.start([planFor('checkout')])
    await sweep(world)
    if (fault === 'refusesWrites') world.traffic.faults.refusesWrites = true
    await sweep(world)
    world.traffic.faults[fault] = true
    const before = world.writes.length
    await sweep(world, 5)
    expect(world.writes.length - before).toBeLessThanOrEqual(5)
    world.traffic.faults[fault] = false
    await sweep(world, 40)
    expect(rig.phaseOf('checkout')).toBe('completed')
  })

  test('when it acknowledges and does nothing, a step is tried once a sweep', async () => {
    const world = new World(['catalog', 'checkout'])
    const rig = newRig(world)
    await rig.start([planFor('catalog'), planFor('checkout')])
    await sweep(world)
    const deaf = world.traffic.weights
    const set = deaf.set.bind(deaf)
    deaf.set = () => deaf
    await sweep(world, 5)
    expect(world.writes.length).toBeLessThanOrEqual(5)
    deaf.set = set
    await sweep(world, 40)
    expect(rig.phaseOf('checkout')).toBe('completed')
  })
})

describe('after a crash', () => {
  test.each([
    ['before the write', 0],
    ['after the write', 10],
    ['and a hand that undid the write', 0],
  ])('targets are brought to the committed intent: %s', async (_, weightPercent) => {
    const world = new World(['checkout'])
    const first = createRig(world)
    await first.start([planFor('checkout')])
    world.traffic.faults.refusesWrites = true
    await sweep(world, 2)
    expect(await world.eventsOf('weight-intended')).toHaveLength(1)
    first.kill()
    world.traffic.faults.refusesWrites = false
    world.setWeight('checkout', weightPercent)
    const second = newRig(world, { owner: 'two' })
    second.begin([planFor('checkout')])
    await sweep(world, 3)
    expect(world.weightOf('checkout')).toBe(10)
    expect(await world.eventsOf('weight-intended')).toHaveLength(1)
    expect(await world.eventsOf('rollout-created')).toHaveLength(1)
    expect(await world.eventsOf('plan-pinned')).toHaveLength(1)
  })

  test('what the gates say is unknown until they are judged again, and what came of it is not', async () => {
    const { world, rig } = await underWay()
    const judged = rig.control.workloads().map(({ verdicts }) => verdicts?.map(({ gate, outcome }) => [gate, outcome]))
    expect(judged[0]?.length).toBeGreaterThan(0)
    rig.kill()
    rigs.splice(0)
    const second = newRig(world)
    await second.start([planFor('checkout')])
    expect(second.control.workloads().map(({ verdicts, state }) => [verdicts, Object.entries(state.outcomes)])).toEqual(
      [[null, judged[0]]],
    )
    await sweep(world, 2)
    expect(second.control.workloads()[0]?.verdicts?.map(({ gate }) => gate)).toEqual(judged[0]?.map(([gate]) => gate))
  })

  test('a revert goes on', async () => {
    const { world, rig } = await underWay()
    world.traffic.faults.unreachable = true
    await say(rig, 'revert', 'checkout')
    rig.kill()
    rigs.splice(0)
    await sweep(world)
    world.traffic.faults.unreachable = false
    newRig(world, { owner: 'two' }).begin([planFor('checkout')])
    await sweep(world, 3)
    expect(world.weightOf('checkout')).toBe(0)
    expect(await world.eventsOf('revert-started')).toHaveLength(1)
    expect(await world.eventsOf('revert-confirmed')).toHaveLength(1)
  })
})

describe('a new config', () => {
  test('begins new workloads, and leaves those under way at the plan that they have pinned', async () => {
    const { world, rig } = await underWay()
    const faster = planFor('checkout', { steps: '90/10,100/10' })
    await rig.engine.configure([faster, planFor('catalog')], 'second')
    await sweep(world, 2)
    expect(world.weightOf('checkout')).toBe(50)
    expect(rig.engine.book.subject('checkout')?.plan.steps[0]?.weightPercent).toBe(10)
    expect(await world.eventsOf('config-loaded')).toMatchObject([
      { hash: 'hash', added: ['checkout'], removed: [] },
      { hash: 'second', added: ['catalog'], removed: [] },
    ])
  })

  test('is followed by workloads that still wait', async () => {
    const world = new World(['catalog', 'checkout'])
    const rig = newRig(world)
    await rig.start([planFor('catalog'), planFor('checkout', { after: 'catalog' })])
    await sweep(world)
    await rig.engine.configure([planFor('catalog'), planFor('checkout', { steps: '5/10,100/10' })], 'second')
    await sweep(world, 3)
    const steps = (await world.eventsOf('weight-intended')).filter(({ workload }) => workload === 'checkout')
    expect(steps[0]?.toPercent).toBe(5)
  })

  test('without a workload under way lets it run on, and tells that it is gone, once', async () => {
    const { world, rig } = await underWay()
    await rig.engine.configure([planFor('catalog')], 'second')
    await rig.engine.configure([planFor('catalog', { bake: '30' })], 'third')
    await sweep(world, 40)
    expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['completed', 100])
    expect((await world.eventsOf('config-loaded')).map(({ removed }) => removed)).toEqual([[], ['checkout'], []])
  })

  test('that was refused is journaled, and changes nothing', async () => {
    const { world, rig } = await underWay()
    await rig.engine.rejectConfig([problem('CONFIG_FILE_UNREADABLE', 'a colon').toJSON()])
    await sweep(world, 3)
    expect(await world.eventsOf('config-rejected')).toMatchObject([{ problems: [{ cause: 'a colon' }] }])
    expect(world.weightOf('checkout')).toBe(50)
  })

  test('that changes a scope is not held up by a call that hangs in it', async () => {
    const world = new World(['checkout', 'catalog'])
    const rig = newRig(world)
    await rig.start([planFor('checkout')])
    world.traffic.hang()
    await world.clock.advance(10_000)
    expect(world.traffic.waiting()).toBe(1)
    await rig.engine.configure([planFor('checkout'), planFor('catalog')], 'second')
    expect(world.traffic.waiting()).toBe(1)
    world.traffic.resume()
    await sweep(world, 40)
    expect([rig.phaseOf('checkout'), rig.phaseOf('catalog')]).toEqual(['completed', 'completed'])
  })

  test('does not answer facts for workloads that it does not have with silence', async () => {
    const { world, rig } = await underWay()
    await expect(say(rig, 'pause', 'nobody')).rejects.toMatchObject({ code: 'API_NOT_FOUND' })
    const fact = { id: 'f9', kind: 'command', workload: 'gone', command: 'pause', reason: 'a test' } as const
    await world.memory.inbox.put({ ...fact, actor: 'ann', receivedAtMs: 0, force: false, roles: [] })
    await sweep(world, 2)
    expect(await world.eventsOf('command-refused')).toMatchObject([
      { factId: 'f9', workload: 'gone', actor: 'ann', problem: { code: 'API_NOT_FOUND' } },
    ])
    expect(codesOf(rig)).toEqual([])
  })
})

describe('reading', () => {
  test('that a slow source holds up does not hold up a command: it is decided and written meanwhile', async () => {
    const { world, rig } = await underWay()
    world.sourceFault = 'hangs'
    await world.clock.advance(10_000)
    const sweeps = rig.sweeps.length
    const beforeMs = world.clock.nowMs()
    await say(rig, 'revert', 'checkout')
    expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
    expect(world.clock.nowMs()).toBe(beforeMs)
    expect(rig.sweeps).toHaveLength(sweeps)
    world.sourceFault = null
    await sweep(world)
  })

  test('that is late makes the SLI missing: the weight stays, and nothing is reverted', async () => {
    const { world, rig } = await underWay()
    world.sourceFault = 'hangs'
    await sweep(world, 20)
    expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
    expect(await world.eventsOf('blind-too-long')).toHaveLength(1)
    expect(rig.sweeps.at(-1)).toBe('committed')
    world.sourceFault = null
    await sweep(world, 60)
    expect(rig.phaseOf('checkout')).toBe('completed')
  })

  test('that fails whole earns no time, and the service says that it stalls', async () => {
    const { world, rig } = await underWay()
    const heldMs = rig.engine.book.subject('checkout')?.state.heldMs
    world.sourceFault = 'throws'
    await sweep(world, 6)
    expect(rig.sweeps.slice(-6)).toEqual(Array(6).fill('failed'))
    expect(rig.engine.book.subject('checkout')?.state.heldMs).toBe(heldMs)
    expect(codesOf(rig)).toContain('ENGINE_STALLED')
    expect(world.weightOf('checkout')).toBe(10)
    await say(rig, 'revert', 'checkout')
    expect(world.weightOf('checkout')).toBe(0)
    world.sourceFault = null
    await sweep(world)
    expect(codesOf(rig)).toEqual([])
  })

  test('of a provider that is away holds its own workloads, and is told', async () => {
    const { world, rig } = await underWay()
    world.traffic.faults.unreachable = true
    await sweep(world, 10)
    expect(rig.engine.book.subject('checkout')?.state.holds).toMatchObject([{ cause: 'blind' }])
    world.traffic.faults.unreachable = false
    await sweep(world, 40)
    expect(rig.phaseOf('checkout')).toBe('completed')
  })
})

describe('stop', () => {
  test('journals the end, gives the lease up, and writes nothing more', async () => {
    const { world, rig } = await underWay()
    await rig.stop()
    rigs.splice(0)
    expect((await world.events()).at(-1)).toMatchObject({ type: 'controller-stopped', reason: 'the test is over' })
    const writes = world.writes.length
    world.setWeight('checkout', 0)
    await sweep(world, 5)
    expect(world.writes).toHaveLength(writes)
    expect(world.clock.sleepers()).toBe(0)
    await newRig(world, { owner: 'two' }).start([planFor('checkout')])
    expect(await world.eventsOf('controller-started')).toHaveLength(2)
  })

  test('waits for the write under way, and leaves a revert that fails to the next start', async () => {
    const { world, rig } = await underWay()
    world.traffic.hang()
    await say(rig, 'revert', 'checkout')
    let hasStopped = false
    const stopped = rig.stop().then(() => {
      hasStopped = true
    })
    rigs.splice(0)
    await settled()
    expect(hasStopped).toBe(false)
    world.traffic.faults.refusesWrites = true
    world.traffic.resume()
    await stopped
    expect(world.writes.length).toBe(2)
    expect((await world.events()).at(-1)).toMatchObject({ type: 'controller-stopped' })
    world.traffic.faults.refusesWrites = false
    await newRig(world).start([planFor('checkout')])
    await sweep(world, 2)
    expect(world.weightOf('checkout')).toBe(0)
  })

  test('before the lease was ever had journals nothing, and takes no lease', async () => {
    const { world } = await underWay()
    const second = createRig(world, { owner: 'two' })
    second.begin([planFor('checkout')])
    await sweep(world)
    const count = (await world.events()).length
    await second.stop()
    expect(await world.events()).toHaveLength(count)
  })
})
