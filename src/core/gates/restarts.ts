/**
 * How a test spreads its restarts over a rollout. A test that begins anew at every tick finds a fault soon, whenever it
 * comes; each restart takes a share of the error bound, and all shares together are at most 1, so that the bound covers
 * the whole rollout (Shekhar & Ramdas, "Reducing sequential change detection to sequential estimation"). Faults that a
 * new weight brings come with it, so a step's first tick gets most.
 */
const FIRST_TICKS = 0.65
const EVERY_TICK = 0.28
/** For ticks beyond the plan: each takes a part of what is left, so that it never ends. */
const OVERTIME = 0.07

/** Where in its plan a rollout stands: stages are the steps, and at last the bake, which brings no new weight. */
export interface Stage {
  /** From 0. */
  readonly index: number
  /** Stages of the whole plan, ≥ 2. */
  readonly count: number
  /** Ticks that this stage is planned to last, ≥ 1. */
  readonly plannedTicks: number
}

/** What of the error bound was given away so far; plain JSON. */
export interface Restarts {
  /** The stage of the newest tick; -1: no tick yet. */
  readonly stage: number
  /** Ticks of that stage so far. */
  readonly ticks: number
  /** Shares given so far, in [0, 1]. */
  readonly spent: number
  /** Of these, to ticks beyond their plan. */
  readonly overtime: number
}

export const NO_RESTARTS: Restarts = { stage: -1, ticks: 0, spent: 0, overtime: 0 }

/** The share of the next tick's restart, and the restarts with it. */
export function restart({ stage, ticks, spent, overtime }: Restarts, at: Stage): { share: number; restarts: Restarts } {
  const tick = at.index === stage ? ticks : 0
  const isOvertime = tick >= at.plannedTicks
  const planned = isOvertime
    ? (OVERTIME - overtime) / (2 * at.plannedTicks)
    : EVERY_TICK / at.plannedTicks / at.count +
      (tick === 0 && at.index < at.count - 1 ? FIRST_TICKS / (at.count - 1) : 0)
  // Stages that come again, or a plan whose ticks became shorter, must not give away more than there is.
  const share = Math.min(planned, 1 - spent)
  return {
    share,
    restarts: {
      stage: at.index,
      ticks: tick + 1,
      spent: Math.min(1, short(spent + share)),
      overtime: short(overtime + (isOvertime ? share : 0)),
    },
  }
}

/** Twelve decimals, so that what is stored is no longer than what it means. */
function short(share: number): number {
  return Math.round(share * 1e12) / 1e12
}
