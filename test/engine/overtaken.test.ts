import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WRITE_TIMEOUT_MS } from '../../src/engine/lease.ts'
import { createRig, planFor, say, sweep, World } from './rig.ts'

// The raise is decided at a sweep; the revert comes while its write is under way, and so do sweeps that read 0 %.
test('a revert is not called over while a raise that was sent before it may still land', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 10_000 }),
      async (landing, later) => {
        const world = new World(['checkout'])
        const rig = createRig(world, { sweepSeconds: 1 })
        try {
          await rig.start([planFor('checkout', { steps: '10/600,100/600' })])
          world.traffic.faults.landingMs = landing
          while (world.traffic.writes.length === 0) await world.clock.advance(100)
          await world.clock.advance(later)
          world.traffic.faults.landingMs = 0
          await say(rig, 'revert', 'checkout')
          for (let seconds = 0; seconds < 60; seconds++) {
            await world.clock.advance(1000)
            if (rig.phaseOf('checkout') === 'reverted') expect(world.weightOf('checkout')).toBe(0)
          }
          expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
        } finally {
          await rig.stop()
        }
      },
    ),
    { numRuns: 60 },
  )
})

const PLANS = [planFor('checkout', { steps: '10/600,100/600' })]

/** A process has sent a raise and decided to revert it, and was killed before either came to anything. */
async function killedInRevert(): Promise<World> {
  const world = new World(['checkout'])
  const first = createRig(world, { owner: 'first' })
  await first.start(PLANS)
  world.traffic.faults.landingMs = 60_000
  while (world.traffic.writes.length === 0) await world.clock.advance(100)
  await world.clock.advance(1)
  await say(first, 'revert', 'checkout')
  first.kill()
  expect([first.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverting', 0])
  // What it sent is on its way, and this test says when it lands.
  Object.assign(world.traffic.faults, { landingMs: 0, refusesWrites: true })
  await world.clock.advance(WRITE_TIMEOUT_MS)
  world.traffic.faults.refusesWrites = false
  return world
}

test('a revert that a dead process left is written once more before what is read may prove it', async () => {
  const world = await killedInRevert()
  const second = createRig(world, { owner: 'second' })
  try {
    second.begin(PLANS)
    await sweep(world, 4)
    expect(second.phaseOf('checkout')).toBe('reverted')
    expect(world.writes.map(({ owner }) => owner)).toEqual(['first', 'second'])
  } finally {
    await second.stop()
  }
})

test('a revert is over at a provider that takes no writes, once no raise from before can land any more', async () => {
  const world = await killedInRevert()
  world.traffic.faults.refusesWrites = true
  const second = createRig(world, { owner: 'second' })
  try {
    second.begin(PLANS)
    await sweep(world, 10)
    expect(second.phaseOf('checkout')).toBe('reverting')
    await sweep(world, 6)
    expect(second.phaseOf('checkout')).toBe('reverted')
  } finally {
    await second.stop()
  }
})

test("a dead process's raise that lands when the revert is over is taken back by whoever is there then", async () => {
  const world = await killedInRevert()
  const second = createRig(world, { owner: 'second' })
  second.begin(PLANS)
  await sweep(world, 4)
  expect(second.phaseOf('checkout')).toBe('reverted')
  second.kill()
  world.setWeight('checkout', 10)
  const third = createRig(world, { owner: 'third' })
  try {
    third.begin(PLANS)
    await sweep(world, 4)
    expect([third.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
    expect(await world.eventsOf('weight-reasserted')).toMatchObject([{ foundPercents: [10], weightPercent: 0 }])
  } finally {
    await third.stop()
  }
})
