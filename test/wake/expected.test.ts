import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { createExpectedWakeups, type ExpectedWakeups } from '../../src/wake/expected.ts'
import { wakeupsConformance } from '../conformance/wakeups.ts'

const MIDNIGHT_MS = Date.UTC(2026, 0, 1)
const opened: ExpectedWakeups[] = []

afterEach(async () => {
  for (const wakeups of opened.splice(0)) await wakeups.close()
})

wakeupsConformance('somebody else', async (clock) => {
  const wakeups = createExpectedWakeups(clock, 15, () => {})
  await wakeups.next()
  return wakeups
})

/** Takes every wake as it comes, with the time at which it came, milliseconds after midnight; sweeps each 10 s. */
function consume(clock: FakeClock) {
  const missedAtMs: number[] = []
  const now = () => clock.nowMs() - MIDNIGHT_MS
  const wakeups = createExpectedWakeups(clock, 10, () => missedAtMs.push(now()))
  opened.push(wakeups)
  const sweepsAtMs: number[] = []
  const urgent: (readonly string[])[] = []
  const done = (async () => {
    for (let wake = await wakeups.next(); wake; wake = await wakeups.next()) {
      if (wake.kind === 'sweep') sweepsAtMs.push(now())
      else urgent.push(wake.workloads)
    }
  })()
  return { wakeups, sweepsAtMs, urgent, missedAtMs, done }
}

describe('sweeps that somebody else tells', () => {
  test('begin at once, and then come when they are told', async () => {
    const clock = createFakeClock(MIDNIGHT_MS + 3_000)
    const { wakeups, sweepsAtMs, missedAtMs } = consume(clock)
    await clock.advance(0)
    for (const waitMs of [7_100, 10_000, 9_900]) {
      await clock.advance(waitMs)
      wakeups.sweep()
    }
    await clock.advance(0)
    expect(sweepsAtMs).toEqual([3_000, 10_100, 20_100, 30_000])
    expect(missedAtMs).toEqual([])
  })

  test('count once in an interval, however often and late they are told', async () => {
    const clock = createFakeClock(MIDNIGHT_MS)
    const { wakeups, sweepsAtMs } = consume(clock)
    await clock.advance(1_000)
    wakeups.sweep()
    for (const waitMs of [9_000, 10, 2_000, 6_000]) {
      await clock.advance(waitMs)
      wakeups.sweep()
      wakeups.sweep()
    }
    await clock.advance(0)
    expect(sweepsAtMs).toEqual([0, 10_000])
  })

  test('go on every interval, half an interval late, when nobody tells them, and are told as missed', async () => {
    const clock = createFakeClock(MIDNIGHT_MS)
    const { wakeups, sweepsAtMs, missedAtMs } = consume(clock)
    await clock.advance(40_000)
    expect(sweepsAtMs).toEqual([0, 15_000, 25_000, 35_000])
    expect(missedAtMs).toEqual([15_000, 25_000, 35_000])
    // One that was only late does not make another sweep; the next one in time ends it.
    await clock.advance(6_000)
    wakeups.sweep()
    await clock.advance(4_000)
    wakeups.sweep()
    await clock.advance(9_000)
    expect(sweepsAtMs.slice(4)).toEqual([45_000, 50_000])
    expect(missedAtMs).toHaveLength(4)
  })

  test('are told a hair before their time without being taken for the last one', async () => {
    const clock = createFakeClock(MIDNIGHT_MS)
    const { wakeups, sweepsAtMs, missedAtMs } = consume(clock)
    await clock.advance(9_998)
    wakeups.sweep()
    await clock.advance(9_000)
    expect(sweepsAtMs).toEqual([0, 9_998])
    expect(missedAtMs).toEqual([])
  })

  test('are never further apart than one and a half intervals, nor a storm, however the clock jumps and whatever is told', async () => {
    const move = fc.oneof(
      fc.record({ advanceMs: fc.integer({ min: 1, max: 40_000 }) }),
      fc.record({ jumpMs: fc.integer({ min: -10_000_000, max: 10_000_000 }) }),
      fc.record({ told: fc.constant(true) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 30 }), async (moves) => {
        const clock = createFakeClock(MIDNIGHT_MS)
        const { wakeups, sweepsAtMs, done } = consume(clock)
        let passedMs = 0
        for (const step of moves) {
          if ('jumpMs' in step) clock.set(clock.nowMs() + step.jumpMs)
          else if ('told' in step) wakeups.sweep()
          else {
            await clock.advance(step.advanceMs)
            passedMs += step.advanceMs
          }
        }
        await clock.advance(0)
        await wakeups.close()
        await done
        const jumps = moves.filter((step) => 'jumpMs' in step).length
        expect(sweepsAtMs.length).toBeGreaterThanOrEqual(1 + Math.floor((passedMs - 15_000 * (jumps + 1)) / 10_050))
        expect(sweepsAtMs.length).toBeLessThanOrEqual(2 + Math.ceil(passedMs / 10_000) + 2 * jumps)
      }),
      { numRuns: 50 },
    )
  })
})

test('facts that somebody else put into the inbox wake for no workload of their own, once', async () => {
  const clock = createFakeClock(MIDNIGHT_MS)
  const wakeups = createExpectedWakeups(clock, 10, () => {})
  opened.push(wakeups)
  await wakeups.next()
  wakeups.look()
  wakeups.look()
  wakeups.urgent(['checkout'])
  expect(await wakeups.next()).toEqual({ kind: 'urgent', workloads: ['checkout'] })
  wakeups.look()
  expect(await wakeups.next()).toEqual({ kind: 'urgent', workloads: [] })
})
