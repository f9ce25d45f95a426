import { expect, onTestFinished, test } from 'vitest'
import { isUnderWay } from '../../src/core/fleet.ts'
import type { FleetPlan } from '../../src/core/fleet-plan.ts'
import type { Plan } from '../../src/core/plan.ts'
import { fleetOf, signalOf } from '../support/fleet.ts'
import { createRig, planFor, type Rig, SWEEP_SECONDS, say, sweep, World } from './rig.ts'

const NAMES = ['catalog', 'checkout', 'mailer'] as const
const WAVES = { first: ['mailer', 'catalog'], second: ['checkout'] }

/** A running migration of three workloads; its fleet may be changed at any time. */
async function started(first: FleetPlan, workloads: readonly string[] = NAMES) {
  const world = new World(workloads)
  const config = { fleet: first }
  const rig = createRig(world, { fleets: () => [config.fleet] })
  onTestFinished(() => rig.stop())
  const plans: readonly Plan[] = workloads.map((name) => planFor(name))
  await rig.start(plans)
  return { world, config, rig }
}

function underWay({ engine }: Rig): readonly string[] {
  return engine.book
    .subjects()
    .filter(({ state }) => isUnderWay(state.phase))
    .map(({ plan }) => plan.workload)
}

function holdsOf({ engine }: Rig, workload: string) {
  const holds = engine.book.subject(workload)?.state.holds ?? []
  return Object.fromEntries(holds.map(({ cause, detail }) => [cause, detail]))
}

test('a migration goes wave by wave, never more at once than its limit, to its end', async () => {
  const { world, rig } = await started(fleetOf(WAVES, { concurrency: 1, spacingSeconds: 40 }))
  for (let n = 0; n < 150; n++) {
    await sweep(world)
    expect(underWay(rig).length).toBeLessThanOrEqual(1)
  }
  expect(NAMES.map((name) => rig.phaseOf(name))).toEqual(NAMES.map(() => 'completed'))
  const starts = (await world.eventsOf('plan-pinned')).map(({ workload, atMs }) => ({ workload, atMs }))
  expect(starts.map(({ workload }) => workload)).toEqual(['mailer', 'catalog', 'checkout'])
})

test('who waits says for what, and a limit that is edited counts at once', async () => {
  const { world, config, rig } = await started(fleetOf(WAVES, { concurrency: 1 }))
  await sweep(world, 2)
  expect(holdsOf(rig, 'catalog')).toEqual({ dependency: '1 of 1 workloads are under way: mailer' })
  expect(holdsOf(rig, 'checkout')).toEqual({
    dependency: 'wave first comes first: 0 of 2 workloads are done, not mailer, catalog',
  })
  config.fleet = fleetOf({ only: NAMES }, { concurrency: 2 })
  await sweep(world)
  expect(underWay(rig)).toEqual(['catalog', 'mailer'])
  expect(rig.control.fleets()[0]?.waves[0]?.counts).toMatchObject({ underWay: 2, waiting: 1 })
})

test('reverts halt the others by the breaker, until a person has looked', async () => {
  const { world, rig } = await started(
    fleetOf({ first: ['mailer', 'catalog'], second: ['checkout'] }, { breaker: { reverts: 1, withinSeconds: 3600 } }),
  )
  await sweep(world, 3)
  await say(rig, 'revert', 'mailer')
  await sweep(world, 3)
  expect(rig.phaseOf('mailer')).toBe('reverted')
  expect(holdsOf(rig, 'catalog')).toEqual({ halted: '1 workload reverted within 1 h: mailer' })
  expect(holdsOf(rig, 'checkout')['dependency']).toContain('nothing starts until they are retried or cancelled')
  const heldAt = world.weightOf('catalog')
  await sweep(world, 10)
  expect(world.weightOf('catalog')).toBe(heldAt)

  await say(rig, 'resume', 'catalog')
  await say(rig, 'cancel', 'mailer')
  await sweep(world, 100)
  expect(rig.phaseOf('mailer')).toBe('cancelled')
  expect([rig.phaseOf('catalog'), rig.phaseOf('checkout')]).toEqual(['completed', 'completed'])
})

test('a bad signal halts whoever is under way, and its silence is blind', async () => {
  const signals = [signalOf({ forSeconds: 2 * SWEEP_SECONDS })]
  const { world, rig } = await started(fleetOf({ all: NAMES }, { concurrency: 1, signals, signalSource: 'fake' }))
  await sweep(world, 2)
  expect(underWay(rig)).toEqual([])
  expect(holdsOf(rig, 'catalog')['dependency']).toContain('queue: green cannot be read')
  world.newSignal = 10
  await sweep(world, 3)
  expect(rig.phaseOf('catalog')).toBe('stepping')
  expect(holdsOf(rig, 'catalog')).toEqual({})
  world.newSignal = null
  await sweep(world)
  expect(holdsOf(rig, 'catalog')['blind']).toContain('queue: green cannot be read: the query gives nothing')
  world.newSignal = 11
  await sweep(world)
  expect(holdsOf(rig, 'catalog')).toEqual({})
  await sweep(world, 2)
  expect(holdsOf(rig, 'catalog')['halted']).toBe('queue: green has 11 (at most 10) for 20 s')
})
