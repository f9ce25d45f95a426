/** One simulated rollout: what both clusters really did, and what a metric source says of it. */
import type { Counts } from '../../src/core/observation.ts'
import { BOUNDS_SECONDS, drawSlower, SLOW_INDEX, slowShares } from './latency.ts'
import { Past } from './past.ts'
import { binomial, bursts, poisson, type Random, seeded } from './random.ts'
import type { Fault, Scenario, Trouble } from './scenarios.ts'
import {
  firstTickOf,
  HISTORY_TICKS,
  observedShare,
  TICK_SECONDS,
  TICKS,
  TICKS_A_STAGE,
  TTL_SECONDS,
} from './schedule.ts'

const BUCKETS = BOUNDS_SECONDS.length

/** Counts of one cluster by tick. */
export interface Cluster {
  readonly total: Float64Array
  readonly bad: Float64Array
  /** By tick, then by boundary. */
  readonly slower: Float64Array
}

export interface World {
  /** What really happened to users of NEW: bad requests by tick. */
  readonly trulyBad: Float64Array
  readonly trulyTotal: Float64Array
  /** What is measured, with its gaps. */
  readonly past: Past
  readonly old: Cluster
  readonly new: Cluster
  /** OLD alone, before: by SLI. */
  readonly history: { readonly bad: readonly Counts[]; readonly slow: readonly Counts[] }
  /** When NEW's fault begins; null: it has none. */
  readonly faultTick: number | null
  /** Bad requests until the last resolver has forgotten NEW, if the weight goes to 0 at the end of a tick. */
  drain(tick: number): number
}

/** Plays a rollout; the same seed gives the same one. */
export function play(scenario: Scenario, seed: number): World {
  const random = seeded(seed)
  const phase = random()
  const faultTick = scenario.fault && faultTickOf(scenario.fault, random)
  const shockTick = Math.floor(random() * (TICKS - (scenario.shock?.ticks ?? 0)))
  const usual = slowShares({ p50: 1, p99: 1 })
  const spoilt = scenario.fault?.slower ? slowShares(scenario.fault.slower) : usual
  const history = playHistory(scenario, phase, usual, random)
  const [old, fresh] = [emptyCluster(), emptyCluster()]
  const badShareOfNew = (tick: number, badShare: number) =>
    faultTick !== null && tick >= faultTick ? (scenario.fault?.badShare?.(tick - faultTick) ?? badShare) : badShare
  for (let tick = 0; tick < TICKS; tick++) {
    const swing = swingOf(scenario, phase, tick)
    const isShock = scenario.shock !== null && tick >= shockTick && tick < shockTick + scenario.shock.ticks
    const badShare = scenario.badShare * swing * (isShock ? (scenario.shock?.times ?? 1) : 1)
    const requests = scenario.requestsPerSecond * TICK_SECONDS * swing
    const share = observedShare(tick)
    draw(old, tick, requests * (1 - share), { badShare, burst: scenario.burst, slow: usual }, random)
    const isSlow = faultTick !== null && tick >= faultTick
    const ofNew = { badShare: badShareOfNew(tick, badShare), burst: scenario.burst, slow: isSlow ? spoilt : usual }
    draw(fresh, tick, requests * share, ofNew, random)
  }
  const [trulyBad, trulyTotal] = [fresh.bad.slice(), fresh.total.slice()]
  const gaps = scenario.trouble ? spoil(scenario.trouble, [old, fresh], random) : null
  return {
    trulyBad,
    trulyTotal,
    old,
    new: fresh,
    past: new Past(old, fresh, gaps),
    history,
    faultTick,
    drain: (tick) => {
      // Cached answers run out evenly, so that half a TTL's requests still come.
      const requests =
        scenario.requestsPerSecond * swingOf(scenario, phase, tick) * observedShare(tick) * (TTL_SECONDS / 2)
      return poisson(requests * badShareOfNew(tick, scenario.badShare), random)
    },
  }
}

function faultTickOf({ weightPercent, begins }: Fault, random: Random): number {
  const first = firstTickOf(weightPercent)
  if (begins === 'with the weight') return first
  // From when the weight is all there, to when the rest of the step is still long enough to see it.
  return first + 2 + Math.floor(random() * (TICKS_A_STAGE * 0.6))
}

/** What a day's wave multiplies traffic and bad share with, in [0.4, 1.6]. */
function swingOf({ isDiurnal }: Scenario, phase: number, tick: number): number {
  return isDiurnal ? 1 + 0.6 * Math.sin(2 * Math.PI * (phase + (tick * TICK_SECONDS) / 86_400)) : 1
}

interface Behaviour {
  readonly badShare: number
  readonly burst: number
  readonly slow: readonly number[]
}

function draw(into: Cluster, tick: number, requests: number, { badShare, burst, slow }: Behaviour, random: Random) {
  const total = poisson(requests, random)
  into.total[tick] = total
  into.bad[tick] = Math.min(total, bursts(total * badShare, burst, random))
  drawSlower(total, slow, random, into.slower, tick * BUCKETS)
}

function playHistory(scenario: Scenario, phase: number, slow: readonly number[], random: Random): World['history'] {
  const history: { bad: Counts[]; slow: Counts[] } = { bad: [], slow: [] }
  for (let tick = -HISTORY_TICKS; tick < 0; tick++) {
    const swing = swingOf(scenario, phase, tick)
    const total = poisson(scenario.requestsPerSecond * TICK_SECONDS * swing, random)
    const bad = Math.min(total, bursts(total * scenario.badShare * swing, scenario.burst, random))
    history.bad.push({ total, bad })
    history.slow.push({ total, bad: binomial(total, slow[SLOW_INDEX] ?? 0, random) })
  }
  return history
}

const GAP_TICKS = 10
const RESET_CHANCE = 0.1
const LATE_CHANCE = 0.2

/** Does to the measurements what happens to them; gives the ticks in which there are none. */
function spoil(trouble: Trouble, clusters: readonly Cluster[], random: Random): Uint8Array | null {
  if (trouble === 'gap') {
    const gaps = new Uint8Array(TICKS)
    const from = Math.floor(random() * (TICKS - GAP_TICKS))
    gaps.fill(1, from, from + GAP_TICKS)
    return gaps
  }
  for (const cluster of clusters) {
    for (let tick = 0; tick < TICKS; tick++) {
      if (random() >= (trouble === 'resets' ? RESET_CHANCE : LATE_CHANCE)) continue
      // After a reset what came between the last sample and it is lost; a late sample comes with the next tick.
      move(cluster, tick, trouble === 'resets' ? null : tick + 1, random(), random)
    }
  }
  return null
}

/** Takes a share of a tick's events away, and adds it to another tick's if there is one. */
function move({ total, bad, slower }: Cluster, from: number, to: number | null, share: number, random: Random): void {
  const target = to !== null && to < TICKS ? to : null
  const change = (values: Float64Array, index: number, count: number) => {
    values[index] = at(values, index) - count
  }
  let [moved, above] = [0, 0]
  // From the slowest bucket down, each by itself: a boundary's count is the sum of the buckets above it.
  for (let bucket = BUCKETS; bucket >= 0; bucket--) {
    const values = bucket === 0 ? total : slower
    const index = (tick: number) => (bucket === 0 ? tick : tick * BUCKETS + bucket - 1)
    const upTo = at(values, index(from))
    moved += binomial(upTo - above, share, random)
    above = upTo
    change(values, index(from), moved)
    if (target !== null) change(values, index(target), -moved)
  }
  const movedBad = Math.min(moved, binomial(at(bad, from), share, random))
  change(bad, from, movedBad)
  if (target !== null) change(bad, target, -movedBad)
}

function emptyCluster(): Cluster {
  return { total: new Float64Array(TICKS), bad: new Float64Array(TICKS), slower: new Float64Array(TICKS * BUCKETS) }
}

/** Index within a fixed-size array: always there. */
function at(values: Float64Array, index: number): number {
  return values[index] as number
}
