import { describe, expect, test } from 'vitest'
import type { Allowance, AllowanceLimits, AllowanceUse, Grant } from '../../src/ports/quota.ts'

export interface AllowancePlace {
  /** Of an account that nobody has used before. */
  open(limits: AllowanceLimits): Allowance
  /** Lets so much time pass, at least. */
  pass(ms: number): Promise<void>
}

/** Nothing comes back while a test looks. */
const SLOW: AllowanceLimits = {
  whole: { callsPerSecond: 0.001, burst: 6 },
  others: { callsPerSecond: 0.0005, burst: 3 },
}

/** What every count of an account's calls does alike. */
export function allowanceConformance(name: string, place: () => AllowancePlace): void {
  describe(`calls counted by ${name}`, () => {
    const takeAll = async (allowance: Allowance, use: AllowanceUse) => {
      for (let taken = 0; ; taken++) {
        const grant = await allowance.take(use)
        if (!grant.isTaken) return { taken, waitMs: grant.waitMs }
      }
    }
    /** What is left in whole calls, without what came in since. */
    const leftOf = (allowance: Allowance) => {
      const { revert, other } = allowance.stand()
      return { revert: Math.floor(revert.left + 1e-6), other: Math.floor(other.left + 1e-6) }
    }

    test('are all there for reverts, and then come back at their rate', async () => {
      const { open } = place()
      const { taken, waitMs } = await takeAll(open(SLOW), 'revert')
      expect(taken).toBe(6)
      expect(waitMs).toBeGreaterThan(900_000)
      expect(waitMs).toBeLessThanOrEqual(1_000_000)
    })

    test('are there in part for others, whose calls are missing to reverts too', async () => {
      const allowance = place().open(SLOW)
      const { taken, waitMs } = await takeAll(allowance, 'other')
      expect(taken).toBe(3)
      expect(waitMs).toBeGreaterThan(1_900_000)
      expect(leftOf(allowance)).toEqual({ revert: 3, other: 0 })
      expect((await takeAll(allowance, 'revert')).taken).toBe(3)
    })

    test('are not there for others when reverts have used the whole', async () => {
      const allowance = place().open(SLOW)
      await takeAll(allowance, 'revert')
      expect(leftOf(allowance)).toEqual({ revert: 0, other: 3 })
      expect((await takeAll(allowance, 'other')).taken).toBe(0)
    })

    test('are gone for all when the provider refuses', async () => {
      const allowance = place().open(SLOW)
      await allowance.take('revert')
      allowance.exhaust()
      expect((await takeAll(allowance, 'revert')).taken).toBe(0)
      expect((await takeAll(allowance, 'other')).taken).toBe(0)
      expect(leftOf(allowance)).toEqual({ revert: 0, other: 0 })
    })

    test('can be taken when the time that was told is over', async () => {
      const { open, pass } = place()
      const allowance = open({ whole: { callsPerSecond: 20, burst: 2 }, others: { callsPerSecond: 10, burst: 1 } })
      for (const use of ['revert', 'other'] as const) {
        let grant: Grant = { isTaken: false, waitMs: (await takeAll(allowance, use)).waitMs }
        // Others may find that they are to make way a little longer for the revert that was there before.
        for (let tries = 0; tries < 2 && !grant.isTaken; tries++) {
          await pass(grant.waitMs)
          grant = await allowance.take(use)
        }
        expect(grant).toEqual({ isTaken: true })
      }
    })
  })
}
