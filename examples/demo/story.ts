import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import type { Follower } from './follow.ts'
import type { Load } from './load.ts'
import { isAsExpected, outcomeOf, type Report, reportOn } from './report.ts'
import type { Screen } from './screen.ts'
import { WORKLOADS, type World } from './world.ts'

const LOOK_MS = 250

/** Watches until every workload has its outcome, or until `deadline` aborts, and reports. Throws when `ending` aborts. */
export async function watchToTheEnd(
  world: World,
  load: Load,
  follower: Follower,
  screen: Screen,
  { ending, deadline }: { ending: AbortSignal; deadline: AbortSignal },
): Promise<Report> {
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  const journal: JournalRowJson[] = []
  let workloads: readonly WorkloadJson[] = []
  while (!deadline.aborted) {
    await sleep(LOOK_MS, undefined, { signal: ending })
    // Until Headgate is up there is nothing to look at.
    if (workloads.length === 0 && !(await follower.isReady(ending))) continue
    const glance = await follower.look(ending)
    workloads = glance.workloads
    journal.push(...glance.newRows)
    screen.show(glance, seconds())
    if (workloads.length > 0 && workloads.every((workload) => outcomeOf(workload) !== 'running')) break
  }
  return report(world, load, workloads, journal, seconds())
}

async function report(
  world: World,
  load: Load,
  workloads: readonly WorkloadJson[],
  journal: readonly JournalRowJson[],
  seconds: number,
): Promise<Report> {
  const weights = await world.weightsPercent()
  const reports = Object.fromEntries(
    WORKLOADS.map((name) => {
      const workload = workloads.find((one) => one.name === name)
      const outcome = workload ? outcomeOf(workload) : 'running'
      return [name, reportOn(name, outcome, lookUp(weights, name), lookUp(load.tallies, name), journal)]
    }),
  )
  const ok = Object.values(reports).every(isAsExpected)
  return { ok, seconds: Math.round(seconds * 10) / 10, workloads: reports }
}

function lookUp<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name)
  if (value === undefined) throw new Error(`nothing is known of ${name}`)
  return value
}
