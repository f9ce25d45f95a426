import { afterEach, describe, expect, test } from 'vitest'
import type { Wakeups } from '../../src/ports/runtime.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'

const MIDNIGHT_MS = Date.UTC(2026, 0, 1)
/** So long that a sweep is due, and not two. */
const SWEEP_LATER_MS = 25_000

/** What every kind of wakeups does alike. `open` gives them with a sweep each 15 s and none due. */
export function wakeupsConformance(name: string, open: (clock: FakeClock) => Promise<Wakeups>): void {
  describe(`wakeups by ${name}`, () => {
    const opened: Wakeups[] = []
    afterEach(async () => {
      for (const wakeups of opened.splice(0)) await wakeups.close()
    })
    const begin = async () => {
      const clock = createFakeClock(MIDNIGHT_MS)
      const wakeups = await open(clock)
      opened.push(wakeups)
      return { clock, wakeups }
    }

    test('do not queue sweeps for a consumer that comes late', async () => {
      const { clock, wakeups } = await begin()
      await clock.advance(100_000)
      expect(await wakeups.next()).toEqual({ kind: 'sweep' })
      const second = wakeups.next()
      await clock.advance(1_000)
      expect(await Promise.race([second, 'nothing yet'])).toBe('nothing yet')
      await clock.advance(SWEEP_LATER_MS)
      expect(await second).toEqual({ kind: 'sweep' })
    })

    test('end the wait at once for urgent work', async () => {
      const { clock, wakeups } = await begin()
      const next = wakeups.next()
      wakeups.urgent(['checkout'])
      expect(await next).toEqual({ kind: 'urgent', workloads: ['checkout'] })
      expect(clock.nowMs()).toBe(MIDNIGHT_MS)
    })

    test('merge urgent work that comes meanwhile, each workload once', async () => {
      const { wakeups } = await begin()
      wakeups.urgent(['checkout'])
      wakeups.urgent(['search', 'checkout'])
      expect(await wakeups.next()).toEqual({ kind: 'urgent', workloads: ['checkout', 'search'] })
    })

    test('wake nobody for urgent work of no workload', async () => {
      const { wakeups } = await begin()
      const next = wakeups.next()
      wakeups.urgent([])
      await new Promise((resolve) => setImmediate(resolve))
      expect(await Promise.race([next, 'nothing yet'])).toBe('nothing yet')
    })

    test('put urgent work before a sweep that is due as well, and do not replace it', async () => {
      const { clock, wakeups } = await begin()
      await clock.advance(SWEEP_LATER_MS)
      wakeups.urgent(['checkout'])
      expect(await wakeups.next()).toEqual({ kind: 'urgent', workloads: ['checkout'] })
      expect(await wakeups.next()).toEqual({ kind: 'sweep' })
    })

    test('do not let urgent work without end starve the sweep', async () => {
      const { clock, wakeups } = await begin()
      await clock.advance(SWEEP_LATER_MS)
      const kinds: (string | undefined)[] = []
      for (let turn = 0; turn < 4; turn++) {
        wakeups.urgent(['checkout'])
        kinds.push((await wakeups.next())?.kind)
      }
      expect(kinds).toEqual(['urgent', 'sweep', 'urgent', 'urgent'])
    })

    test('end a wait with null when they are closed, and leave no sleeper behind', async () => {
      const { clock, wakeups } = await begin()
      const next = wakeups.next()
      await wakeups.close()
      expect(await next).toBeNull()
      expect(clock.sleepers()).toBe(0)
    })

    test('give nothing that is due when they are closed', async () => {
      const { wakeups } = await begin()
      wakeups.urgent(['checkout'])
      await wakeups.close()
      expect(await wakeups.next()).toBeNull()
    })
  })
}
