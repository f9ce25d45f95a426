import { afterEach, expect, test } from 'vitest'
import { createRig, planFor, type Rig, say, sweep, World } from './rig.ts'

const TEN_MINUTES_MS = 600_000

let rig: Rig

afterEach(() => rig.stop())

/** One workload at its first step, in a world whose clock has just gone back. */
async function wentBack(settings: Readonly<Record<string, string>> = { steps: '10/600,100/600' }): Promise<World> {
  const world = new World(['checkout'])
  rig = createRig(world)
  await rig.start([planFor('checkout', settings)])
  await sweep(world, 6)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
  world.clock.set(world.clock.nowMs() - TEN_MINUTES_MS)
  return world
}

test('a revert is proven by what is read after the clock went back, not by what was read before', async () => {
  const world = await wentBack()
  await sweep(world)
  await say(rig, 'revert', 'checkout')
  await sweep(world, 2)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
})

test('a reading of before the clock went back confirms nothing', async () => {
  const world = await wentBack()
  world.setWeight('checkout', 33)
  await sweep(world, 2)
  expect(rig.engine.book.subject('checkout')?.state.holds.map(({ cause }) => cause)).toEqual(['drift'])
})

test('harm is seen as soon as it was without the jump', async () => {
  const world = await wentBack()
  world.newBadPercent.set('checkout', 50)
  await sweep(world, 12)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['reverted', 0])
})

test('ticks that were read before the clock went back, at another weight maybe, prove nothing, and it is told until when', async () => {
  const world = await wentBack({ steps: '10/60,100/600' })
  const heardAtMs = world.clock.nowMs() + TEN_MINUTES_MS
  await sweep(world, 50)
  expect(world.clock.nowMs()).toBeLessThan(heardAtMs)
  expect(world.weightOf('checkout')).toBe(10)
  const [blind, ...others] = rig.engine.book.subject('checkout')?.state.holds ?? []
  expect(others).toEqual([])
  expect(blind).toMatchObject({
    cause: 'blind',
    detail: expect.stringMatching(/the clock was set back: .* until 20.*Z/),
  })

  await sweep(world, 12)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 10])
  await sweep(world, 12)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 100])
})

test('a person who trusts the clock as it is now ends the wait with `pause` and `resume`', async () => {
  const world = await wentBack({ steps: '10/60,100/600' })
  await sweep(world, 2)
  await say(rig, 'pause', 'checkout')
  await say(rig, 'resume', 'checkout')
  await sweep(world, 12)
  expect([rig.phaseOf('checkout'), world.weightOf('checkout')]).toEqual(['stepping', 100])
})
