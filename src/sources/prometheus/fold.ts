import { type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { Sums } from '../counters.ts'
import type { Series, TakeSeries } from './answer.ts'
import { GroupKeys } from './keys.ts'

/** Adds up what an answer, or several that follow each other, say of each group. */
export interface Fold<T extends object> {
  readonly take: TakeSeries
  /** After the last series. */
  end(): T | Missing
}

/**
 * The values by moment (milliseconds since 1970) and group. `NaN` and infinities stay what they are, for the reader to
 * refuse. A series that lacks one of the labels belongs to no group; without a workload label the cluster alone is it.
 */
export function momentsOf(labels: SliSpec['labels'], keys: GroupKeys): Fold<ReadonlyMap<number, Sums>> {
  const moments = new Map<number, Map<string, number | Missing>>()
  const places: { readonly atMs: number; readonly sums: Map<string, number | Missing> }[] = []
  let isEmpty = true
  return {
    take(series) {
      for (const { metric, points } of series) {
        isEmpty = false
        const key = groupOf(metric, labels, keys)
        if (key === null) continue
        for (const [index, [seconds, text]] of points.entries()) {
          const atMs = Math.round(seconds * 1000)
          // Most often the series have the same moments: the one at the same place is looked at first.
          let moment = places[index]
          if (moment?.atMs !== atMs) {
            moment = { atMs, sums: moments.get(atMs) ?? new Map() }
            moments.set(atMs, moment.sums)
            places[index] = moment
          }
          putOnce(moment.sums, key, text, labels)
        }
      }
    },
    end: () => (moments.size === 0 && !isEmpty ? noGroup(labels) : moments),
  }
}

/** As `momentsOf`, of series that are all there. */
export function sumsByMoment(
  series: readonly Series[],
  labels: SliSpec['labels'],
): ReadonlyMap<number, Sums> | Missing {
  const fold = momentsOf(labels, new GroupKeys())
  fold.take(series)
  return fold.end()
}

/** A second series for the same is none of them. */
function putOnce(sums: Map<string, number | Missing>, key: string, text: string, labels: SliSpec['labels']): void {
  const before = sums.size
  sums.set(key, numberOf(text))
  if (sums.size === before) sums.set(key, severalSeries(labels))
}

/** The group of a series; null: it belongs to none. */
export function groupOf(metric: Series['metric'], labels: SliSpec['labels'], keys: GroupKeys): string | null {
  const cluster = metric[labels.cluster]
  const workload = labels.workload === '' ? '' : metric[labels.workload]
  return cluster === undefined || workload === undefined ? null : keys.of(cluster, workload)
}

/** None of the series belongs to a group. */
export function noGroup({ cluster, workload }: SliSpec['labels']): Missing {
  const lacks = workload === '' ? `the label ${cluster}` : `both labels, ${cluster} and ${workload}`
  return missing('bad-answer', `no series has ${lacks}`)
}

/** Several series for one place in a group. */
export function severalSeries({ cluster, workload }: SliSpec['labels']): Missing {
  const [what, by] = workload === '' ? ['cluster', cluster] : ['workload', `${cluster}, ${workload}`]
  return missing('bad-answer', `several series for one ${what}: write sum by (${by})`)
}

/** The number that a server printed; NaN for what is none. */
export function numberOf(text: string): number {
  const value = Number(text)
  if (value !== 0 && !Number.isNaN(value)) return value
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  // An empty text would be taken for 0.
  return text.trim() === '' ? Number.NaN : value
}
