import type { JournalRow } from '../../src/core/event.ts'
import type { Counts } from '../../src/core/observation.ts'
import type { Plan, Sides } from '../../src/core/plan.ts'
import type { RolloutState } from '../../src/core/state.ts'
import { groupKey, type SliVector } from '../../src/ports/source.ts'
import { createRig, planFor, say, sweep, World } from '../engine/rig.ts'

/** A run as it was stored, and what the backends themselves counted of it. */
export interface Recording {
  readonly madeAtMs: number
  readonly rows: readonly JournalRow[]
  readonly rollouts: readonly RolloutState[]
  readonly plans: readonly Plan[]
  /** By workload, from its start until its state says that all is counted. */
  readonly served: Readonly<Record<string, Sides<Counts>>>
}

const WORKLOADS = ['catalog', 'checkout', 'search'] as const
/** Of a thousand requests, OLD fails one, and so does a healthy NEW. */
const USUAL_BAD = 0.001

/**
 * Runs three workloads through the real engine: `catalog` is paused by a person and moves, `checkout` fails on NEW and is
 * reverted, `search` fails a while, is halted, and goes on when a person says so.
 */
export async function playMigration(): Promise<Recording> {
  const world = new World(WORKLOADS)
  const stateOf = (workload: string) => rig.engine.book.subject(workload)?.state ?? null
  const served = countAtBackends(world, stateOf)
  const rig = createRig(world)
  const settings = { gates: 'all', steps: '10/60,50/60,100/60', bake: '120' }
  await rig.start([
    planFor('catalog', settings),
    planFor('checkout', settings),
    planFor('search', { ...settings, worst: 'halt', after: 'catalog' }),
  ])
  await sweep(world, 12)
  await say(rig, 'pause', 'catalog')
  world.newBadPercent.set('checkout', 6)
  await sweep(world, 15)
  await say(rig, 'resume', 'catalog')
  await until(world, () => stateOf('search')?.intendedWeightPercent === 50)
  await sweep(world, 3)
  world.newBadPercent.set('search', 3)
  await until(world, () => stateOf('search')?.holds.some(({ cause }) => cause === 'halted') === true)
  await say(rig, 'advance', 'checkout')
  world.newBadPercent.set('search', 0)
  await sweep(world, 20)
  await say(rig, 'resume', 'search')
  await until(world, () => WORKLOADS.every((workload) => stateOf(workload)?.isCounted === true))
  const { store, journal } = world.memory
  const { rollouts, plans } = await store.load()
  const rows = await journal.read({ afterSeq: 0, limit: 100_000 })
  await rig.stop()
  return { madeAtMs: world.clock.nowMs(), rows, rollouts, plans: [...plans.values()], served }
}

async function until(world: World, isSo: () => boolean): Promise<void> {
  for (let sweeps = 0; !isSo(); sweeps++) {
    if (sweeps > 500) throw new Error('the run does not come so far')
    await sweep(world)
  }
}

/**
 * Stands for the backends: fails what is to fail, and counts what it serves by itself, from the tick on that began after
 * a rollout started, until its state says that all is counted.
 */
function countAtBackends(world: World, stateOf: (workload: string) => RolloutState | null): Recording['served'] {
  const served: Record<string, Sides<Counts>> = {}
  const { poll } = world.source
  const answer = (vector: SliVector): SliVector => {
    if (vector.kind !== 'vector') return vector
    const groups = new Map(vector.groups)
    for (const workload of WORKLOADS) {
      const [old, fresh] = ['blue', 'green'].map((cluster) => {
        const group = groups.get(groupKey(cluster, workload))
        if (group?.kind !== 'counts') throw new Error('the world counts every tick')
        const counts = { total: group.total, bad: group.bad + Math.round(group.total * USUAL_BAD) }
        groups.set(groupKey(cluster, workload), { ...group, ...counts })
        return counts
      })
      const state = stateOf(workload)
      const isUnderWay = state?.startedAtMs != null && vector.atMs > state.startedAtMs && !state.isCounted
      if (isUnderWay && old && fresh)
        served[workload] = { old: sum(served[workload]?.old, old), new: sum(served[workload]?.new, fresh) }
    }
    return { ...vector, groups }
  }
  world.source.poll = async (slis, tick, signal) => {
    const answers = await poll(slis, tick, signal)
    // Workloads with one SLI between them share its answer, and it is counted once.
    const once = new Map([...new Set(answers.values())].map((vector) => [vector, answer(vector)]))
    return new Map([...answers].map(([sli, vector]) => [sli, once.get(vector) ?? vector]))
  }
  return served
}

function sum(before: Counts | undefined, { total, bad }: Counts): Counts {
  return { total: (before?.total ?? 0) + total, bad: (before?.bad ?? 0) + bad }
}
