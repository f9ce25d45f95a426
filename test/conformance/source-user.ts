import { expect } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type Measure, type MetricSource, type SliVector, type Tick } from '../../src/ports/source.ts'
import type { Pod, PodName } from '../support/pods.ts'

/** A source that runs, and the pods of `test/support/pods.ts`, all at zero and all there. */
export interface SourcePlace {
  readonly source: MetricSource
  /** The value of the label `run` that the pods' series have: no place before had the same. */
  readonly run: string
  readonly pods: Readonly<Record<PodName, Pod>>
  /** Waits until the source can know what the pods have counted. The tick begins where the last one ended. */
  tick(): Promise<Tick>
  /** From now on nobody is there to ask. */
  stop(): Promise<void>
  /** Ends and removes everything, also after `stop`. */
  remove(): Promise<void>
}

export const A_CATALOG = groupKey('prod-a', 'catalog')
export const B_CATALOG = groupKey('prod-b', 'catalog')
export const A_CHECKOUT = groupKey('prod-a', 'checkout')

/** What the parts of the suite work with. */
export interface User {
  place(): SourcePlace
  availability(): SliSpec
  latency(slowerThanSeconds?: number): SliSpec
  /** The groups of each SLI in the next tick. */
  poll(...slis: SliSpec[]): Promise<ReadonlyMap<string, Measure>[]>
}

export function groupsOf(vector: SliVector | undefined, tick: Tick): ReadonlyMap<string, Measure> {
  if (vector === undefined || isMissing(vector)) throw new Error(`no vector: ${vector?.detail}`)
  expect({ sinceMs: vector.sinceMs, atMs: vector.atMs }).toEqual(tick)
  return vector.groups
}

export function counts(total: number, bad: number): Measure {
  return { kind: 'counts', total, bad, latencies: null }
}

/** `slower` by boundary in seconds, rising. */
export function latencies(
  total: number,
  bad: number,
  slower: readonly (readonly [bound: number, count: number])[],
): Measure {
  const [boundsSeconds, counted] = [slower.map(([bound]) => bound), slower.map(([, count]) => count)]
  return { kind: 'counts', total, bad, latencies: { boundsSeconds, slower: counted } }
}

export function missingWhy(why: string): unknown {
  return { kind: 'missing', why, detail: expect.stringMatching(/./) }
}

/** Polls a place in its next tick. */
export async function pollNext(place: SourcePlace, slis: readonly SliSpec[]): Promise<ReadonlyMap<string, Measure>[]> {
  const tick = await place.tick()
  const answers = await place.source.poll(slis, tick, anyLongWhile())
  expect(answers.size, 'one answer an SLI').toBe(slis.length)
  return slis.map((sli) => groupsOf(answers.get(sli), tick))
}

/** A form that the source cannot measure. */
export async function expectRefused(place: SourcePlace, sli: SliSpec): Promise<void> {
  const answers = await place.source.poll([sli], await place.tick(), anyLongWhile())
  expect(answers.get(sli)).toEqual(missingWhy('refused'))
}

/** Longer than any call of the suite; ends what would hang. */
export function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}
