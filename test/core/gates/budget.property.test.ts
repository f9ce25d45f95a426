import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BudgetTick, judgeBudget, weighBudget } from '../../../src/core/gates/budget.ts'
import type { BudgetState } from '../../../src/core/state.ts'
import { budgetGate } from '../../scenarios/plans.ts'

const TICK_MS = 30_000
const BUDGET = 0.001

const counts = fc
  .tuple(fc.nat({ max: 5000 }), fc.double({ min: 0, max: 0.3, noNaN: true }))
  .map(([total, share]) => ({ total, bad: Math.round(total * share) }))
const tick = fc.record({
  counts: fc.record({ old: counts, new: counts }),
  oldRate: fc.option(fc.double({ min: 0, max: 0.2, noNaN: true })),
  isNextStage: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
})
type Tick = typeof tick extends fc.Arbitrary<infer T> ? T : never

function ledgerOf(ticks: readonly Tick[]): BudgetState | null {
  let [state, stageIndex] = [null as BudgetState | null, 0]
  for (const [index, one] of ticks.entries()) {
    if (one.isNextStage) stageIndex++
    const next: BudgetTick = {
      sinceMs: index * TICK_MS,
      atMs: (index + 1) * TICK_MS,
      counts: one.counts,
      stageIndex,
      oldRate: one.oldRate,
    }
    state = weighBudget(state, next)
    state = JSON.parse(JSON.stringify(state)) as BudgetState
  }
  return state
}

/** Stage by stage, with all ticks at hand. */
function naiveSpentBad(ticks: readonly Tick[]): number {
  const stages: number[] = [0]
  let rate: number | null = null
  for (const { counts: both, oldRate, isNextStage } of ticks) {
    if (isNextStage) stages.push(0)
    rate = oldRate ?? rate
    const excess = rate === null ? 0 : both.new.bad - rate * both.new.total
    stages.push((stages.pop() ?? 0) + excess)
  }
  return stages.reduce((sum, excess) => sum + Math.max(0, excess), 0)
}

test('the ledger of the error budget adds up as one that keeps every tick', () => {
  fc.assert(
    fc.property(fc.array(tick, { minLength: 1, maxLength: 60 }), (ticks) => {
      const state = ledgerOf(ticks)
      if (!state) return expect.fail('no tick was taken in')
      const { evidence } = judgeBudget(budgetGate('availability', {}), state, BUDGET)
      const requests = ticks.reduce((sum, { counts: both }) => sum + both.old.total + both.new.total, 0)
      const monthly = (requests / ((ticks.length * TICK_MS) / 1000)) * 30 * 86_400
      const spentBad = naiveSpentBad(ticks)
      expect(evidence['spentBad']).toBeCloseTo(spentBad, 5)
      if (ticks.length >= 2) expect(evidence['monthlyRequests']).toBeCloseTo(monthly, -1)
      if (ticks.length >= 2 && monthly > 0)
        expect(evidence['spentPercent']).toBeCloseTo((spentBad / (monthly * BUDGET)) * 100, 5)
    }),
  )
})

test('the budget that was spent never comes back with a new stage', () => {
  fc.assert(
    fc.property(fc.array(tick, { minLength: 2, maxLength: 40 }), tick, (ticks, last) => {
      const spent = (of: readonly Tick[]) => ledgerOf(of)?.spentBefore ?? Number.NaN
      expect(spent([...ticks, { ...last, isNextStage: true }])).toBeGreaterThanOrEqual(spent(ticks))
    }),
  )
})
