/** Plays runs of a scenario, and asks every decider about each of them. */

import type { Look, Peer } from './decider.ts'
import { type OurDecider, ours } from './deciders.ts'
import { PEERS } from './peers/all.ts'
import { SCENARIOS } from './scenarios.ts'
import { TICKS } from './schedule.ts'
import { addTally, emptyTally, type Outcome, type Tallies, type Tally } from './tally.ts'
import { play, type World } from './world.ts'

export interface Job {
  readonly scenario: string
  /** Seeds from here on, one a run. */
  readonly firstSeed: number
  readonly runs: number
}

export function measureRuns({ scenario: name, firstSeed, runs }: Job): Tallies {
  const scenario = SCENARIOS.find((one) => one.name === name)
  if (!scenario) throw new Error(`no scenario is called ${name}`)
  const tallies: Record<string, Tally> = {}
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const world = play(scenario, seed)
    const asked = [
      ...ours(scenario, seed).map((decider: OurDecider) => ({ name: decider.name, look: decider.begin(world) })),
      ...PEERS.map((peer) => ({ name: nameOf(peer), look: peer.begin() })),
    ]
    for (const { name: decider, look } of asked) {
      tallies[decider] ??= emptyTally()
      addTally(tallies[decider], follow(world, look))
    }
  }
  return tallies
}

/** How tables and tallies call a peer's setting. */
export function nameOf({ family, setting }: Peer): string {
  return `${family}: ${setting}`
}

/** One run of one decider. The schedule goes on after a halt: a person takes some time. */
export function follow(world: World, look: Look): Tally {
  let haltTick: number | null = null
  let revertTick: number | null = null
  for (let tick = 0; tick < TICKS && revertTick === null; tick++) {
    const say = look(world.past, tick)
    if (say === 'halt') haltTick ??= tick
    if (say === 'revert') revertTick = tick
  }
  const { faultTick } = world
  const first = haltTick ?? revertTick
  const tally = { ...emptyTally(), runs: 1, reverts: revertTick === null ? 0 : 1, halts: haltTick === null ? 0 : 1 }
  if (faultTick === null) return tally
  if (first !== null && first < faultTick) return { ...tally, reverts: 0, halts: 0, early: 1 }
  return { ...tally, outcomes: [outcomeOf(world, faultTick, first, revertTick)] }
}

function outcomeOf(world: World, faultTick: number, first: number | null, revertTick: number | null): Outcome {
  const ticks = (tick: number | null) => (tick === null ? null : tick - faultTick + 1)
  const until = (values: Float64Array, tick: number | null) => {
    let sum = 0
    for (let n = faultTick; n <= (tick ?? TICKS - 1); n++) sum += values[n] ?? 0
    return sum
  }
  return {
    decisionTicks: ticks(first),
    revertTicks: ticks(revertTick),
    failedUntilDecision: until(world.trulyBad, first),
    failedUntilRevert: until(world.trulyBad, revertTick),
    requestsUntilRevert: until(world.trulyTotal, revertTick),
    failedInDrain: revertTick === null ? null : world.drain(revertTick),
  }
}
