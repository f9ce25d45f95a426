import { describe, expect, test } from 'vitest'
import { rulesOf } from '../../../src/core/gates/harm.ts'
import { evidenceOf, type HarmRule, raise, type Stakes } from '../../../src/core/gates/harm-test.ts'
import { judgeLatency, weighLatency } from '../../../src/core/gates/latency.ts'
import { NO_PROOF, type Proof, proofOf, prove } from '../../../src/core/gates/proof-test.ts'
import { NO_RESTARTS, restart } from '../../../src/core/gates/restarts.ts'
import type { HarmGate, LatencyGate } from '../../../src/core/plan.ts'
import type { LatencyState } from '../../../src/core/state.ts'
import { type Chance, poissons } from '../../support/chance.ts'
import {
  countFiring,
  mostFiring,
  oldRequests,
  SETTINGS,
  type Setting,
  STAGE_TICKS,
  STAGES,
  wander,
} from './boundary.ts'

// `npm test` makes 20,000 rollouts a rule, over all settings together. HEADGATE_BOUND_RUNS=20000 makes as many in each
// setting, which takes minutes.
const RUNS = Number(process.env['HEADGATE_BOUND_RUNS'] ?? 2000)
const TIMEOUT_MS = 60_000 + RUNS * 200

const BUDGET = 0.01
const gate: HarmGate = {
  kind: 'harm',
  id: 'harm/availability',
  of: { sli: 'availability' },
  worst: 'revert',
  revert: { ratio: 1.5, margin: BUDGET, alpha: 0.001 },
  halt: { ratio: 1, margin: BUDGET / 2, alpha: 0.01 },
  absolute: { ratio: 0, margin: 2 * BUDGET, alpha: 0.01 },
  dispersion: { assumed: 1, max: 50 },
}
const draw = poissons()

/** What fires in each setting, and in all together, must stay within the bound. */
function expectBound(alpha: number, fires: (setting: Setting) => (chance: Chance) => boolean): void {
  const fired = SETTINGS.map((setting) => ({ name: setting.name, count: countFiring(setting, RUNS, fires(setting)) }))
  const total = fired.reduce((sum, { count }) => sum + count, 0)
  expect(fired.filter(({ count }) => count > mostFiring(alpha, RUNS))).toEqual([])
  expect(total).toBeLessThanOrEqual(mostFiring(alpha, RUNS * SETTINGS.length))
  if (process.env['HEADGATE_BOUND_RUNS']) process.stdout.write(`α ${alpha}: ${JSON.stringify(fired)}\n`)
}

/** A whole rollout in which NEW has exactly what the rule allows. */
function harmFires(rule: HarmRule, alpha: number, timesAllowed = 1) {
  return (setting: Setting) => (chance: Chance) => {
    const rate = wander(setting, chance)
    let stakes: Stakes = []
    let restarts = NO_RESTARTS
    for (let tick = 0; tick < STAGES * STAGE_TICKS; tick++) {
      const index = Math.floor(tick / STAGE_TICKS)
      const [n0, n1, p0] = [oldRequests(setting, index), setting.requests, rate()]
      const counts = {
        old: { total: n0, bad: draw(n0 * p0, chance) },
        new: { total: n1, bad: draw(n1 * timesAllowed * (rule.ratio * p0 + rule.margin), chance) },
      }
      const next = restart(restarts, { index, count: STAGES, plannedTicks: STAGE_TICKS })
      restarts = next.restarts
      stakes = raise(stakes, rule, { counts, share: next.share, dispersion: 1 })
      if (evidenceOf(stakes, rule, restarts.spent) >= 1 / alpha) return true
    }
    return false
  }
}

describe('a NEW that has all that is allowed and no more sets off too few alarms to matter', () => {
  test.each([
    ['revert', gate.revert.alpha],
    ['halt', gate.halt.alpha],
    ['absolute', gate.absolute.alpha],
  ] as const)(
    '%s: at most %f of the rollouts',
    (name, alpha) => {
      expectBound(alpha, harmFires(rulesOf(gate)[name], alpha))
    },
    TIMEOUT_MS,
  )

  test(
    'latency: at most 0.01 of the rollouts, over all boundaries together',
    () => {
      expectBound(latency.alpha.halt, latencyFires)
    },
    TIMEOUT_MS,
  )

  test(
    'proof: at most 1 of 10 at one weight, when NEW is as bad as must not be',
    () => {
      expectBound(1 / 10, proves)
    },
    TIMEOUT_MS,
  )
})

test.each(['revert', 'halt', 'absolute'] as const)('%s: a NEW with five times as much does set it off', (name) => {
  const [setting] = SETTINGS.filter((one) => one.weightsPercent[0] === 50)
  const fires = harmFires(rulesOf(gate)[name], gate[name].alpha, 5)
  expect(setting && countFiring(setting, 100, fires(setting))).toBe(100)
})

const latency: LatencyGate = {
  kind: 'latency',
  id: 'latency/latency',
  sli: 'latency',
  worst: 'revert',
  margin: 0.0025,
  alpha: { halt: 0.01, revert: 0.001 },
  dispersion: { assumed: 1, max: 50 },
}
const BOUNDS_SECONDS = [0.1, 2.5]

/** Beyond every boundary NEW has OLD's share and the margin; OLD's own tail grows and shrinks with its rate. */
function latencyFires(setting: Setting) {
  return (chance: Chance) => {
    const rate = wander(setting, chance)
    let state: LatencyState | null = null
    for (let tick = 0; tick < STAGES * STAGE_TICKS; tick++) {
      const index = Math.floor(tick / STAGE_TICKS)
      const [n0, n1, p0] = [oldRequests(setting, index), setting.requests, rate()]
      state = weighLatency(latency, state, {
        atMs: tick,
        counts: { old: { total: n0, bad: 0 }, new: { total: n1, bad: 0 } },
        stage: { index, count: STAGES, plannedTicks: STAGE_TICKS },
        phi: 1,
        latencies: {
          boundsSeconds: BOUNDS_SECONDS,
          slower: { old: slower(n0, p0, 0, chance), new: slower(n1, p0, latency.margin, chance) },
        },
      })
      if (mayFire(state) && judgeLatency(latency, state).outcome !== 'pass') return true
    }
    return false
  }
}

/** Events between two boundaries come by themselves, so that those beyond a boundary are nested as buckets are. */
function slower(requests: number, rate: number, margin: number, chance: Chance): readonly number[] {
  const beyond = [0.2 + 10 * rate, 0.001 + rate / 2]
  const counts: number[] = []
  let sum = draw(requests * ((beyond.at(-1) ?? 0) + margin), chance)
  for (let bound = beyond.length - 1; bound >= 0; bound--) {
    counts.unshift(sum)
    const between = (beyond[bound - 1] ?? 0) - (beyond[bound] ?? 0)
    if (bound > 0) sum += draw(requests * between, chance)
  }
  return counts
}

/** Spares the judgement of what cannot fire: the mean over boundaries is at most the largest, and at most 1 is kept back. */
function mayFire({ stakes }: LatencyState): boolean {
  const least = Math.log(1 / latency.alpha.halt - 1)
  return stakes.some((one) => one.some((log) => log >= least))
}

/** One weight only: a proof begins anew with the next. */
function proves(setting: Setting) {
  const rule = { ratio: 1.5, margin: BUDGET }
  return (chance: Chance) => {
    const rate = wander(setting, chance)
    const n0 = oldRequests(setting, 0)
    let proof: Proof = NO_PROOF
    for (let tick = 0; tick < STAGE_TICKS; tick++) {
      const [n1, p0] = [setting.requests, rate()]
      const counts = {
        old: { total: n0, bad: draw(n0 * p0, chance) },
        new: { total: n1, bad: draw(n1 * (rule.ratio * p0 + rule.margin), chance) },
      }
      proof = prove(proof, rule, counts, 1)
      if (proofOf(proof) >= 10) return true
    }
    return false
  }
}
