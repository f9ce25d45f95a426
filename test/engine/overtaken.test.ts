import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRig, planFor, say, World } from './rig.ts'

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
