import { explain } from '../core/explain.ts'
import { isAtRest } from '../core/state.ts'
import { SWEEP_SECONDS } from './config.ts'
import { heal, misbehave } from './faults.ts'
import type { Violation } from './invariants.ts'
import type { EndOfWorld } from './judge.ts'
import { type Sabotage, World, type WorldOptions } from './world.ts'

/** Sweeps with faults, and the most that may pass after them until everything has come to rest. */
const TROUBLED_SWEEPS = 45
const CALM_SWEEPS = 90
/** A person looks so often, and ends what a person may end. */
const PERSON_EVERY_SWEEPS = 12
/** The last time early enough that what was said can come to its end. */
const PERSON_UNTIL_SWEEP = 50
/** Lines of a trace. */
const TRACE_LINES = 60
/** Whoever insists on a fact has been answered by then, and the fact acted on, sweeps. */
const LEAST_CALM_SWEEPS = 11

export interface Outcome {
  readonly seed: number
  readonly options: WorldOptions
  /** Empty: every invariant held. */
  readonly violations: readonly Violation[]
  readonly sweeps: number
  readonly events: number
  /** What happened before the first violation, or at the end: faults and events, oldest first. */
  readonly trace: readonly string[]
}

/** Runs one seed to its end, or to the sweep of its first violation. The same seed gives the same outcome. */
export async function simulate(seed: number, sabotage: Sabotage = {}): Promise<Outcome> {
  const world = new World(seed, sabotage)
  for (const process of world.processes) process.start()
  let sweeps = 0
  for (; sweeps < TROUBLED_SWEEPS && world.violations.length === 0; sweeps++) await troubled(world)
  heal(world)
  for (let calm = 0; calm < CALM_SWEEPS && world.violations.length === 0; calm++, sweeps++) {
    await world.clock.advance(SWEEP_SECONDS * 1000)
    world.judge.swept(world.provider)
    if (calm >= LEAST_CALM_SWEEPS && hasEnded(world)) break
    if (calm > 0 && calm <= PERSON_UNTIL_SWEEP && calm % PERSON_EVERY_SWEEPS === 0) tidy(world)
  }
  if (world.violations.length === 0) {
    sabotage.atEnd?.(world)
    await world.judge.ended(endOf(world))
  }
  for (const process of world.processes) process.kill()
  const { options, violations, ledger } = world
  return { seed, options, violations, sweeps, events: ledger.events.length, trace: traceOf(world) }
}

function endOf(world: World): EndOfWorld {
  const { memory, provider, people, editedAtMs, sweptAtMs, options, config, processes } = world
  const shards = processes.map(({ running }) => running?.keeper.seen() ?? [])
  return {
    ...{ memory, provider, editedAtMs, sweptAtMs, promisedFacts: people.promised, harmed: new Set(options.harmed) },
    owned: shards.map((seen) => seen.flatMap(({ shard, isOwn }) => (isOwn ? [shard] : []))),
    configured: new Set(config.newest.plans.map(({ workload }) => workload)),
  }
}

/** One sweep in which up to three things happen, each at any moment. */
async function troubled(world: World): Promise<void> {
  const { chance, clock } = world
  const many = chance.is(0.55) ? chance.whole(1, 3) : 0
  const moments = Array.from({ length: many }, () => chance.whole(0, SWEEP_SECONDS * 1000)).sort((a, b) => a - b)
  const endMs = clock.nowMs() + SWEEP_SECONDS * 1000
  const startMs = clock.nowMs()
  for (const moment of moments) {
    await clock.advance(startMs + moment - clock.nowMs())
    misbehave(world, (seconds, work) => void clock.sleep(seconds * 1000).then(work))
  }
  await clock.advance(endMs - clock.nowMs())
  world.judge.swept(world.provider)
}

function hasEnded({ memory, config }: World): boolean {
  const rollouts = new Map(
    memory
      .inspect()
      .rollouts()
      .map((state) => [state.workload, state]),
  )
  const wanted = config.newest.plans.map(({ workload }) => rollouts.get(workload))
  const begun = [...rollouts.values()].filter(({ planHash }) => planHash !== null)
  return [...wanted, ...begun].every((state) => state !== undefined && isAtRest(state))
}

/** What a person does who finds these holds in the morning. */
function tidy(world: World): void {
  for (const [workload, { holds, phase }] of world.ledger.entries) {
    if (phase === 'reverted' || phase === 'completed' || phase === 'cancelled') continue
    const causes = [...holds.keys()]
    if (causes.some((cause) => cause === 'paused' || cause === 'halted' || cause === 'alert'))
      world.people.say('resume', workload)
    if (causes.includes('drift') || causes.includes('hook')) world.people.say('retry', workload)
    if (causes.includes('unknown-weight')) world.people.say('adopt', workload)
    if (causes.includes('approval')) world.people.say('approve', workload)
    if (causes.length > 0) world.tell(`a person tidies ${workload}: ${causes}`)
  }
}

function traceOf(world: World): readonly string[] {
  const events = world.ledger.events.map(({ atMs, event }) => {
    const text = `${event.type} ${event.workload ?? ''}: ${explain(event)}`
    return { atMs, text: text.slice(0, 240) }
  })
  const deeds = world.deeds.map(({ atMs, text }) => ({ atMs, text: `FAULT ${text}` }))
  return [...events, ...deeds]
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-TRACE_LINES)
    .map(({ atMs, text }) => `+${world.secondsOf(atMs).toFixed(1)}s ${text}`)
}
