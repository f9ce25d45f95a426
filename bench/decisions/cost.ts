/** What one decision costs. */
import type { Draft } from '../../src/core/draft.ts'
import { judge } from '../../src/core/gates/judge.ts'
import type { Plan } from '../../src/core/plan.ts'
import { weighGates } from '../../src/core/weigh.ts'
import { Headgate } from './headgate.ts'
import { NAMES, SCENARIOS } from './scenarios.ts'
import { TICKS } from './schedule.ts'
import { play } from './world.ts'

export interface Cost {
  readonly decisionMicroseconds: number
  readonly emptyLoopMicroseconds: number
  readonly gates: number
}

const WARM_UP = 20_000

/**
 * Times `decisions` decisions of one workload: taking one tick of its SLIs into all tests and proofs, and judging all gates with
 * their numbers and sentences. The ticks are those of a healthy rollout, each with the state that the ones before it left.
 */
export function measureCost(plan: Plan, decisions: number): Cost {
  const healthy = SCENARIOS.find(({ name }) => name === NAMES.healthy)
  if (!healthy) throw new Error('there is no healthy scenario')
  const headgate = new Headgate(play(healthy, 1), plan)
  const drafts: Draft[] = []
  for (let tick = 0; tick < TICKS; tick++) headgate.look(tick, (draft) => drafts.push({ ...draft }))
  time(drafts, WARM_UP, decide)
  const loops = { decide: time(drafts, decisions, decide), empty: time(drafts, decisions, (draft) => draft.nowMs % 2) }
  return {
    decisionMicroseconds: loops.decide,
    emptyLoopMicroseconds: loops.empty,
    gates: plan.gates.length,
  }
}

function decide(draft: Draft): number {
  const state = { ...draft.state, ...weighGates(draft) }
  return judge(draft.plan, state, draft.observation).length
}

/** Mean of one call, microseconds of this process's CPU: on a busy machine the clock would time the others as well. */
function time(drafts: readonly Draft[], calls: number, call: (draft: Draft) => number): number {
  let sum = 0
  const start = process.cpuUsage()
  for (let n = 0; n < calls; n++) {
    const draft = drafts[n % drafts.length]
    if (draft) sum += call(draft)
  }
  const { user, system } = process.cpuUsage(start)
  // The sum is used, so that the calls are not left out.
  if (sum < 0) throw new Error('no call gives less than nothing')
  return (user + system) / calls
}
