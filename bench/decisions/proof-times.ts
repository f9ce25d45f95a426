/** How long a rollout takes when proof, not the schedule, raises the weight. */

import { judgeProof, weighProof } from '../../src/core/gates/proof.ts'
import { NO_PROOF } from '../../src/core/gates/proof-test.ts'
import { addCounts, NO_COUNTS } from '../../src/core/observation.ts'
import type { Plan, ProofGate } from '../../src/core/plan.ts'
import type { Table } from '../lib.ts'
import { percentile } from '../lib.ts'
import { poisson, type Random, seeded } from './random.ts'
import { CALM_BAD_SHARE } from './scenarios.ts'
import { TICK_SECONDS, WEIGHTS_PERCENT } from './schedule.ts'

/** A day at one weight: longer is told as this. */
const LONGEST_TICKS = 2880
const ROLLOUTS = 41

/** Median minutes in force until the availability SLI's proof lets the weight be raised, by traffic and weight. */
export function proofTimes(plan: Plan, firstSeed: number): Table {
  const gate = plan.gates.find((one): one is ProofGate => one.kind === 'proof')
  if (!gate) throw new Error('the plan has no proof')
  return Object.fromEntries(
    [1, 10, 20, 200, 1000].map((requestsPerSecond) => {
      const rollouts = Array.from({ length: ROLLOUTS }, (_, run) =>
        ticksByWeight(gate, requestsPerSecond, seeded(firstSeed + run)),
      )
      const minutes = (ticks: readonly number[]) => (percentile(ticks, 50) * TICK_SECONDS) / 60
      const row = WEIGHTS_PERCENT.map((weight, stage) => {
        const ticks = rollouts.map((one) => one[stage] ?? LONGEST_TICKS)
        return [`${weight} %`, `${percentile(ticks, 50) >= LONGEST_TICKS ? '≥ ' : ''}${minutes(ticks)}`]
      })
      const sums = rollouts.map((one) => one.reduce((sum, ticks) => sum + ticks, 0))
      return [`${requestsPerSecond} requests/s`, { ...Object.fromEntries(row), 'all weights': minutes(sums) }]
    }),
  )
}

function ticksByWeight(gate: ProofGate, requestsPerSecond: number, random: Random): readonly number[] {
  return WEIGHTS_PERCENT.map((nowPercent, stage) => {
    const raise = { nowPercent, nextPercent: WEIGHTS_PERCENT[stage + 1] ?? 100 }
    const side = (share: number) => {
      const total = poisson(requestsPerSecond * TICK_SECONDS * share, random)
      return { total, bad: Math.min(total, poisson(total * CALM_BAD_SHARE, random)) }
    }
    let [proof, old, fresh] = [NO_PROOF, NO_COUNTS, NO_COUNTS]
    for (let ticks = 1; ticks < LONGEST_TICKS; ticks++) {
      const counts = { old: side(1 - nowPercent / 100), new: side(nowPercent / 100) }
      proof = weighProof(gate, proof, { counts, raise, phi: 1 })
      old = addCounts(old, counts.old)
      fresh = addCounts(fresh, counts.new)
      const { outcome } = judgeProof(
        gate,
        proof,
        { old, new: fresh },
        { raise, heldSeconds: 0, isProbed: false, verb: 'fails' },
      )
      if (outcome === 'pass') return ticks
    }
    return LONGEST_TICKS
  })
}
