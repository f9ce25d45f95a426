import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import { createClient } from '../../src/cli/client.ts'
import type { Display } from './display.ts'
import { createFollower, isReady } from './follow.ts'
import type { Load } from './load.ts'
import { isAsExpected, outcomeOf, type Report, reportOn } from './report.ts'
import { WORKLOADS, type World } from './world.ts'

const LOOK_MS = 250

interface Limits {
  /** Its reason is thrown at once. */
  readonly ending: AbortSignal
  /** Reports on what there is by then. */
  readonly deadline: AbortSignal
}

/** Watches until every workload has its outcome, and reports. */
export async function watchToTheEnd(world: World, load: Load, display: Display, limits: Limits): Promise<Report> {
  const { ending, deadline } = limits
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  const client = createClient({ url: world.apiUrl, token: world.apiToken, signal: ending })
  const look = createFollower(client)
  const journal: JournalRowJson[] = []
  let workloads: readonly WorkloadJson[] = []
  let isUp = false
  while (!deadline.aborted) {
    await sleep(LOOK_MS, undefined, { signal: ending })
    isUp ||= await isReady(client)
    if (!isUp) continue
    const glance = await look()
    workloads = glance.workloads
    journal.push(...glance.newRows)
    display.show(glance, seconds())
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
