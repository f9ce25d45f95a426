import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createRandom, systemClock } from '../../src/telemetry/runtime.ts'

describe('ids', () => {
  test('are 26 characters of the ULID alphabet, and begin with the time', () => {
    const random = createRandom(createFakeClock(1_469_918_176_385))
    // The time part of the example in the ULID specification's own tests.
    expect(random.id()).toMatch(/^01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$/)
  })

  test('rise within one millisecond', () => {
    const random = createRandom(createFakeClock(1_800_000_000_000))
    const ids = Array.from({ length: 10_000 }, () => random.id())
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('rise after the clock was put back', () => {
    const clock = createFakeClock(1_800_000_000_000)
    const random = createRandom(clock)
    const before = random.id()
    clock.set(1_700_000_000_000)
    expect(random.id() > before).toBe(true)
  })

  test('of two processes differ in the same millisecond', () => {
    const clock = createFakeClock(1_800_000_000_000)
    expect(createRandom(clock).id()).not.toBe(createRandom(clock).id())
  })
})

describe('the system clock', () => {
  test('ends a sleep when the signal aborts, without an error', async () => {
    const controller = new AbortController()
    const sleeping = systemClock.sleep(2 ** 40, controller.signal)
    controller.abort()
    await expect(sleeping).resolves.toBeUndefined()
  })

  test('does not sleep when the signal is aborted before', async () => {
    await expect(systemClock.sleep(2 ** 40, AbortSignal.abort())).resolves.toBeUndefined()
  })

  test('sleeps longer than a Node timer can', async () => {
    const controller = new AbortController()
    let isOver = false
    const sleeping = systemClock.sleep(2 ** 32, controller.signal).then(() => {
      isOver = true
    })
    await systemClock.sleep(20)
    expect(isOver).toBe(false)
    controller.abort()
    await sleeping
  })

  test.each([0, -1])('does not mind %d milliseconds', async (ms) => {
    await expect(systemClock.sleep(ms)).resolves.toBeUndefined()
  })
})
