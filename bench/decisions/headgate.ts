/** Headgate itself: the core's own gates, fed with a rollout's readings as the engine would. */
import type { Draft } from '../../src/core/draft.ts'
import { takeIn } from '../../src/core/evidence.ts'
import { estimateDispersion } from '../../src/core/gates/dispersion.ts'
import { judgeAll } from '../../src/core/harm.ts'
import { freshEvidence, initialState } from '../../src/core/initial.ts'
import {
  type CountsReading,
  type Dispersion,
  type Latencies,
  missing,
  type Observation,
  type SliReading,
} from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import { hasHold, type RolloutState } from '../../src/core/state.ts'
import { SliWindows } from '../../src/engine/rings.ts'
import { PLAIN_SIGHT } from '../../test/support/plain.ts'
import type { Say } from './decider.ts'
import { BOUNDS_SECONDS, SLOW_INDEX } from './latency.ts'
import { windowsOf } from './plan.ts'
import { stageOf, TICK_SECONDS, TICKS_A_STAGE, weightOf } from './schedule.ts'
import type { Cluster, World } from './world.ts'

export const TICK_MS = TICK_SECONDS * 1000
/** Any time will do: nothing here depends on it. */
export const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0)
/** From a new weight to its being in force: propagation, TTL, and a look at the observed share. */
const IN_FORCE_AFTER_TICKS = 3
const BUCKETS = BOUNDS_SECONDS.length

/** What one tick made Headgate say, and how strong its relative tests are. */
export interface Said {
  readonly say: Say
  /** Gates that asked for it. */
  readonly gates: readonly string[]
}

interface Watched {
  readonly name: string
  readonly isSlow: boolean
  readonly windows: SliWindows
  readonly dispersion: Dispersion | null
}

export class Headgate {
  private readonly world: World
  private readonly plan: Plan
  private readonly slis: readonly Watched[]
  private state: RolloutState
  /** The first tick that the source has not told of. */
  private untoldTick = 0

  constructor(world: World, plan: Plan) {
    this.world = world
    this.plan = plan
    this.state = { ...initialState(plan.workload, 'RUN', START_MS - 1), planHash: plan.hash }
    this.slis = plan.slis.map(({ name, measure }) => {
      const isSlow = measure.kind === 'histogram'
      const history = isSlow ? world.history.slow : world.history.bad
      return { name, isSlow, windows: refilled(history, windowsOf(plan)), dispersion: estimateDispersion(history) }
    })
  }

  /**
   * Thinks once, at the end of a tick.
   * @param before is shown what it thinks about
   */
  look(tick: number, before: (draft: Draft) => void = () => {}): Said {
    const nowMs = START_MS + (tick + 1) * TICK_MS
    if (tick % TICKS_A_STAGE === 0) this.enterStage(tick)
    if (tick % TICKS_A_STAGE === IN_FORCE_AFTER_TICKS)
      this.state = { ...this.state, inForceAtMs: START_MS + tick * TICK_MS }
    const draft = draftOf(this.plan, this.state, this.observe(tick, nowMs), nowMs)
    before(draft)
    takeIn(draft)
    const isRevert = judgeAll(draft)
    const say: Say = isRevert ? 'revert' : hasHold(draft.state, 'halted') ? 'halt' : 'on'
    const gates = say === 'on' ? [] : (draft.verdicts ?? []).filter(({ outcome }) => outcome === say)
    this.state = draft.state
    return { say, gates: gates.map(({ gate }) => gate) }
  }

  /** By schedule, not by proof, so that all deciders see the same requests. */
  private enterStage(tick: number): void {
    this.state = {
      ...this.state,
      ...freshEvidence(),
      phase: { name: 'stepping', stepIndex: stageOf(tick) },
      intendedWeightPercent: weightOf(tick),
    }
  }

  private observe(tick: number, nowMs: number): Observation {
    const slis: Record<string, SliReading> = {}
    const isGap = this.world.past.isGap(tick)
    // What a gap has kept back comes with the next answer: counters go on counting.
    const from = this.untoldTick
    if (!isGap) this.untoldTick = tick + 1
    for (const sli of this.slis)
      slis[sli.name] = isGap ? missing('timeout', 'the source did not answer') : this.read(sli, from, tick, nowMs)
    return { facts: [], targets: {}, writes: [], slis, probes: {}, dependencies: {}, ...PLAIN_SIGHT }
  }

  private read({ isSlow, windows, dispersion }: Watched, from: number, tick: number, nowMs: number): CountsReading {
    const of = (cluster: Cluster) => ({
      total: sum(cluster.total, from, tick),
      bad: isSlow ? slowerOf(cluster, from, tick, SLOW_INDEX) : sum(cluster.bad, from, tick),
    })
    const counts = { old: of(this.world.old), new: of(this.world.new) }
    const lengthMs = (tick - from + 1) * TICK_MS
    windows.add('old', nowMs, counts.old, lengthMs)
    windows.add('new', nowMs, counts.new, lengthMs)
    const window = (side: 'old' | 'new', seconds: number) =>
      windows.sum(side, seconds, nowMs, 0) ?? missing('empty', 'no series')
    return {
      kind: 'counts',
      sinceMs: nowMs - lengthMs,
      atMs: nowMs,
      tick: counts,
      windows: windows.seconds.map((seconds) => ({
        seconds,
        counts: { old: window('old', seconds), new: window('new', seconds) },
      })),
      latencies: isSlow ? latenciesOf(this.world, from, tick) : null,
      dispersion,
    }
  }
}

/** The windows as they are after a start: filled from the source's memory of OLD alone. */
function refilled(history: World['history']['bad'], seconds: readonly number[]): SliWindows {
  const windows = new SliWindows(seconds)
  const last = history.slice(-Math.max(...seconds) / TICK_SECONDS)
  for (const [index, counts] of last.entries())
    windows.add('old', START_MS - (last.length - index - 1) * TICK_MS, counts, TICK_MS)
  return windows
}

/** What `step` makes of its input before it thinks. */
export function draftOf(plan: Plan, state: RolloutState, observation: Observation, nowMs: number): Draft {
  return {
    plan,
    observation,
    nowMs,
    sweepSeconds: TICK_SECONDS,
    elapsedMs: TICK_MS,
    state,
    verdicts: null,
    events: [],
    effects: [],
    tasks: [],
  }
}

function latenciesOf(world: World, from: number, tick: number): Latencies {
  const of = (cluster: Cluster) => BOUNDS_SECONDS.map((_, bound) => slowerOf(cluster, from, tick, bound))
  return { boundsSeconds: BOUNDS_SECONDS, slower: { old: of(world.old), new: of(world.new) } }
}

function sum(values: Float64Array, from: number, to: number): number {
  let total = 0
  for (let tick = from; tick <= to; tick++) total += values[tick] ?? 0
  return total
}

function slowerOf(cluster: Cluster, from: number, to: number, bound: number): number {
  let total = 0
  for (let tick = from; tick <= to; tick++) total += cluster.slower[tick * BUCKETS + bound] ?? 0
  return total
}
