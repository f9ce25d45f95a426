import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Wake, Wakeups } from '../../src/ports/runtime.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { createTimerWakeups } from '../../src/wake/timer.ts'
import { wakeupsConformance } from '../conformance/wakeups.ts'

const MIDNIGHT_MS = Date.UTC(2026, 0, 1)
const opened: Wakeups[] = []

afterEach(async () => {
  for (const wakeups of opened.splice(0)) await wakeups.close()
})

/** Takes every wake as it comes, with the time at which it came, milliseconds after midnight. */
function consume(clock: FakeClock, sweepSeconds: number) {
  const wakeups = createTimerWakeups(clock, sweepSeconds)
  opened.push(wakeups)
  const wakes: { atMs: number; wake: Wake }[] = []
  const done = (async () => {
    for (let wake = await wakeups.next(); wake; wake = await wakeups.next())
      wakes.push({ atMs: clock.nowMs() - MIDNIGHT_MS, wake })
  })()
  return { wakeups, wakes, done, sweepsAtMs: () => wakes.filter(isSweep).map(({ atMs }) => atMs) }
}

const isSweep = ({ wake }: { wake: Wake }) => wake.kind === 'sweep'

wakeupsConformance('a timer', async (clock) => createTimerWakeups(clock, 15))

describe('sweeps', () => {
  test('come at multiples of the interval, whenever the process started', async () => {
    const clock = createFakeClock(MIDNIGHT_MS + 4_321)
    const { sweepsAtMs } = consume(clock, 15)
    await clock.advance(50_000)
    expect(sweepsAtMs()).toEqual([15_000, 30_000, 45_000])
  })

  test('come at the start too where they are wanted at once, and then at the same multiples', async () => {
    const clock = createFakeClock(MIDNIGHT_MS + 4_321)
    const wakeups = createTimerWakeups(clock, 15, { first: 'at once' })
    opened.push(wakeups)
    expect(await wakeups.next()).toEqual({ kind: 'sweep' })
    const second = wakeups.next()
    await clock.advance(10_678)
    expect(await Promise.race([second, 'nothing yet'])).toBe('nothing yet')
    await clock.advance(1)
    expect(await second).toEqual({ kind: 'sweep' })
  })

  test.each([
    ['an hour ahead', 3_600_000 + 4_000],
    ['an hour back', -3_600_000 - 4_000],
    ['to another moment of the same interval', -3_000],
  ])('come within one interval after the clock was put %s, one at a time, and aligned again', async (_, jumpMs) => {
    const clock = createFakeClock(MIDNIGHT_MS)
    const { sweepsAtMs } = consume(clock, 15)
    await clock.advance(20_000)
    clock.set(MIDNIGHT_MS + 20_000 + jumpMs)
    await clock.advance(15_000)
    const [before, afterJump, ...more] = sweepsAtMs()
    expect([before, typeof afterJump]).toEqual([15_000, 'number'])
    // The wake that was under way when the clock jumped may fall anywhere; the one after it is on the grid.
    expect(more.length).toBeLessThanOrEqual(1)
    await clock.advance(45_000)
    const aligned = sweepsAtMs().slice(2)
    expect(aligned.length).toBeGreaterThanOrEqual(3)
    expect(aligned.filter((atMs) => atMs % 15_000 !== 0)).toEqual([])
  })

  test('do not come twice when the timer fires a hair early', async () => {
    const clock = createFakeClock(MIDNIGHT_MS)
    const { sweepsAtMs } = consume(clock, 15)
    await clock.advance(14_000)
    clock.set(MIDNIGHT_MS + 14_000 - 2)
    await clock.advance(1_000)
    expect(sweepsAtMs()).toEqual([14_998])
    await clock.advance(15_002)
    expect(sweepsAtMs()).toEqual([14_998, 30_000])
  })

  test('are never further apart than one interval and the slack, nor a storm, however the clock jumps', async () => {
    const move = fc.oneof(
      fc.record({ advanceMs: fc.integer({ min: 1, max: 40_000 }) }),
      fc.record({ jumpMs: fc.integer({ min: -10_000_000, max: 10_000_000 }) }),
      fc.record({ urgent: fc.constant(true) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 30 }), async (moves) => {
        const clock = createFakeClock(MIDNIGHT_MS)
        const { wakeups, wakes, done } = consume(clock, 10)
        let passedMs = 0
        for (const step of moves) {
          if ('jumpMs' in step) clock.set(clock.nowMs() + step.jumpMs)
          else if ('urgent' in step) wakeups.urgent(['a'])
          else {
            await clock.advance(step.advanceMs)
            passedMs += step.advanceMs
          }
        }
        const sweeps = wakes.filter(isSweep).length
        await wakeups.close()
        await done
        const jumps = moves.filter((step) => 'jumpMs' in step).length
        expect(sweeps).toBeGreaterThanOrEqual(Math.floor(passedMs / 10_050))
        expect(sweeps).toBeLessThanOrEqual(Math.floor(passedMs / 10_000) + jumps)
      }),
      { numRuns: 50 },
    )
  })
})
