import { type Chance, chanceOf } from '../../support/chance.ts'

/** The rollouts on which the error bounds are shown: 7 stages of 20 ticks. */
export const STAGES = 7
export const STAGE_TICKS = 20

/** Where a rollout stands that keeps exactly to the edge of what is allowed. */
export interface Setting {
  readonly name: string
  /** NEW's share by stage, percent; a single one holds throughout. */
  readonly weightsPercent: readonly number[]
  /** Requests on NEW in each tick. */
  readonly requests: number
  /** OLD's rate of bad events: steady, or wandering over these levels. */
  readonly oldRates: readonly number[]
}

const WANDERING = [0, 0.0001, 0.0005, 0.001, 0.002, 0.004, 0.007, 0.01] as const

export const SETTINGS: readonly Setting[] = [
  { name: 'weight 1 %, 1 request, 1 %', weightsPercent: [1], requests: 1, oldRates: [0.01] },
  { name: 'weight 1 %, 20 requests, wandering', weightsPercent: [1], requests: 20, oldRates: WANDERING },
  { name: 'weight 1 %, 2,000 requests, 0.05 %', weightsPercent: [1], requests: 2000, oldRates: [0.0005] },
  { name: 'weight 5 %, 10 requests, 0.1 %', weightsPercent: [5], requests: 10, oldRates: [0.001] },
  { name: 'weight 10 %, 100 requests, wandering', weightsPercent: [10], requests: 100, oldRates: WANDERING },
  { name: 'weight 25 %, 50 requests, never', weightsPercent: [25], requests: 50, oldRates: [0] },
  { name: 'weight 50 %, 500 requests, 1 %', weightsPercent: [50], requests: 500, oldRates: [0.01] },
  { name: 'weight 75 %, 2,000 requests, wandering', weightsPercent: [75], requests: 2000, oldRates: WANDERING },
  { name: 'weight 99 %, 2,000 requests, wandering', weightsPercent: [99], requests: 2000, oldRates: WANDERING },
  {
    name: 'weight 1 to 90 %, 200 requests, wandering',
    weightsPercent: [1, 5, 10, 25, 50, 75, 90],
    requests: 200,
    oldRates: WANDERING,
  },
]

/** Requests on OLD in each tick of a stage: what is left of a steady traffic. */
export function oldRequests({ weightsPercent, requests }: Setting, stage: number): number {
  const weight = weightsPercent[stage] ?? weightsPercent[0] ?? Number.NaN
  return Math.round((requests * (100 - weight)) / weight)
}

/** OLD's rate tick by tick: one level up or down, or as it was. */
export function wander({ oldRates }: Setting, chance: Chance): () => number {
  let level = Math.floor(chance() * oldRates.length)
  return () => {
    const move = Math.floor(chance() * 3) - 1
    level = Math.min(oldRates.length - 1, Math.max(0, level + move))
    return oldRates[level] ?? Number.NaN
  }
}

/** How many of so many seeded rollouts fire. */
export function countFiring(setting: Setting, runs: number, fires: (chance: Chance) => boolean): number {
  const chance = chanceOf(2026 + SETTINGS.indexOf(setting))
  let fired = 0
  for (let run = 0; run < runs; run++) if (fires(chance)) fired++
  return fired
}

/** The most that may fire: the bound and three standard errors. */
export function mostFiring(alpha: number, runs: number): number {
  return runs * (alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / runs))
}
