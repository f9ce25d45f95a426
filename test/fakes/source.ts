import { z } from 'zod'
import { type Missing, missing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type Measure, type MetricSource, type SliVector, type SourceKind } from '../../src/ports/source.ts'
import type { Pod, Requests } from '../support/pods.ts'

/** A source in memory. Pods tell it their requests, and it tells each SLI what it has not told it yet. */
export interface FakeSource {
  readonly kind: SourceKind<FakeSettings>
  readonly source: MetricSource
  /** A new process of a workload. */
  pod(cluster: string, workload: string): Pod
  /** What an SLI of the form `value` reads there; null: nothing. */
  setValue(cluster: string, workload: string, value: number | null): void
  /** While this is set it is the answer to everything; null: the source works. */
  fault: Missing | null
}

type FakeSettings = Record<string, never>

/** The metrics that the fake's pods have; an SLI of another one finds no groups. */
const COUNTER = /^http_requests_total\b/
const HISTOGRAM = /^http_request_duration_seconds\b/
const BOUNDS: readonly number[] = [0.5, 1]
const NOT_A_NUMBER = 'odd'

const keyOf = (sli: SliSpec) => JSON.stringify(sli)

export function createFakeSource(): FakeSource {
  const pods = new Set<FakePod>()
  const values = new Map<string, number>()

  const readOne = (sli: SliSpec): ReadonlyMap<string, Measure> => {
    if (sli.measure.kind === 'value')
      return new Map([...values].map(([group, value]) => [group, { kind: 'value', value }]))
    const groups = new Map<string, Measure>()
    for (const pod of pods) {
      const measure = pod.tell(sli)
      const before = groups.get(pod.group)
      if (measure === null) continue
      if (before?.kind === 'counts' && measure.kind === 'counts')
        groups.set(pod.group, { kind: 'counts', total: before.total + measure.total, bad: before.bad + measure.bad })
      else if (before?.kind !== 'counts') groups.set(pod.group, measure)
    }
    return groups
  }

  const fake: FakeSource = {
    kind: {
      kind: 'fake',
      settings: z.strictObject({}),
      measures: ['selector', 'histogram', 'query', 'value'],
      open: () => fake.source,
    },
    source: {
      async poll(slis, tick, signal) {
        const fault = signal.aborted ? missing('timeout', 'the deadline came first') : fake.fault
        // Equal SLIs get one answer: what was told once is not told again.
        const groups = new Map<string, ReadonlyMap<string, Measure>>()
        if (!fault)
          for (const sli of new Map(slis.map((sli) => [keyOf(sli), sli])).values()) groups.set(keyOf(sli), readOne(sli))
        return new Map(
          slis.map((sli): [SliSpec, SliVector] => [
            sli,
            fault ?? { kind: 'vector', ...tick, groups: groups.get(keyOf(sli)) ?? new Map() },
          ]),
        )
      },
      history: async () => fake.fault ?? [],
      async close() {},
    },
    pod(cluster, workload) {
      const pod = new FakePod(groupKey(cluster, workload))
      pods.add(pod)
      return pod
    },
    setValue(cluster, workload, value) {
      if (value === null) values.delete(groupKey(cluster, workload))
      else values.set(groupKey(cluster, workload), value)
    },
    fault: null,
  }
  return fake
}

class FakePod implements Pod {
  readonly group: string
  isAway = false
  served = { good: 0, bad: 0, slow: 0 }
  /** By SLI: what it was told so far. */
  readonly told = new Map<string, { total: number; bad: number }>()

  constructor(group: string) {
    this.group = group
  }

  serve({ good = 0, bad = 0, slow = 0 }: Requests): void {
    this.served = { good: this.served.good + good, bad: this.served.bad + bad, slow: this.served.slow + slow }
  }
  /** The fake deals in events, so a counter's beginning anew means nothing to it. */
  restart(): void {}
  vanish(): void {
    this.isAway = true
  }
  comeBack(): void {
    this.isAway = false
  }

  /** What happened since this SLI asked last; null: this pod has no such metric, or cannot be read. */
  tell(sli: SliSpec): Measure | null {
    const { measure } = sli
    const all = this.served.good + this.served.bad
    const isHistogram = measure.kind === 'histogram'
    if (this.isAway || measure.kind === 'value') return null
    if (!isHistogram && measure.total === NOT_A_NUMBER) return missing('not-a-number', 'a count is NaN')
    if (!(isHistogram ? HISTOGRAM.test(measure.metric) : COUNTER.test(measure.total))) return null
    if (isHistogram && !BOUNDS.includes(measure.slowerThanSeconds))
      return missing('empty', `no bucket with the bound ${measure.slowerThanSeconds} s`)
    const slow = isHistogram && measure.slowerThanSeconds === 1 ? 0 : this.served.slow
    const now = { total: all, bad: isHistogram ? slow : this.served.bad }
    const key = keyOf(sli)
    const before = this.told.get(key)
    this.told.set(key, now)
    if (before === undefined) return missing('no-baseline', 'asked for the first time')
    return { kind: 'counts', total: now.total - before.total, bad: now.bad - before.bad }
  }
}
