import { z } from 'zod'
import { type Missing, missing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type Measure, type MetricSource, type SliVector, type SourceKind } from '../../src/ports/source.ts'
import { FIRST_BOUNDS, type Pod, type Requests } from '../support/pods.ts'

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
/** Those that any pod has. */
const ANY_BOUNDS: readonly number[] = [0.25, 0.5, 1, 2.5]
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
      if (before?.kind === 'counts' && measure.kind === 'counts') groups.set(pod.group, added(before, measure))
      else if (before?.kind !== 'counts') groups.set(pod.group, measure)
    }
    return new Map([...groups].map(([group, measure]) => [group, withOwnBound(measure, sli)]))
  }

  const fake: FakeSource = {
    kind: {
      kind: 'fake',
      settings: z.strictObject({}),
      measures: ['selector', 'histogram', 'nativeHistogram', 'query', 'value'],
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

type CountsMeasure = Extract<Measure, { kind: 'counts' }>

/** Two pods as one: they tell of the boundaries that both have. */
function added(a: CountsMeasure, b: CountsMeasure): CountsMeasure {
  const slowerThan = ({ latencies }: CountsMeasure, bound: number) =>
    latencies?.slower[latencies.boundsSeconds.indexOf(bound)]
  const boundsSeconds = (a.latencies?.boundsSeconds ?? []).filter((bound) => slowerThan(b, bound) !== undefined)
  const slower = boundsSeconds.map((bound) => (slowerThan(a, bound) ?? 0) + (slowerThan(b, bound) ?? 0))
  const latencies = a.latencies && b.latencies && { boundsSeconds, slower }
  return { kind: 'counts', total: a.total + b.total, bad: a.bad + b.bad, latencies }
}

function withOwnBound(measure: Measure, sli: SliSpec): Measure {
  if (measure.kind !== 'counts' || measure.latencies === null || !('slowerThanSeconds' in sli.measure)) return measure
  const bound = sli.measure.slowerThanSeconds
  if (measure.latencies.boundsSeconds.includes(bound)) return measure
  return missing('bad-answer', `not all pods have a bucket with the bound ${bound} s`)
}

class FakePod implements Pod {
  readonly group: string
  isAway = false
  served = { good: 0, bad: 0, slow: 0, stuck: 0 }
  bounds: readonly number[] = FIRST_BOUNDS.map(Number)
  /** By SLI: what had been served when it was told last. */
  readonly told = new Map<string, Required<Requests>>()

  constructor(group: string) {
    this.group = group
  }

  serve(requests: Requests): void {
    this.served = mapped(this.served, (count, key) => count + (requests[key] ?? 0))
  }
  useBounds(bounds: readonly string[]): void {
    this.bounds = bounds.map(Number)
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
    const isHistogram = measure.kind === 'histogram' || measure.kind === 'nativeHistogram'
    if (this.isAway || measure.kind === 'value' || measure.kind === 'askValue') return null
    if (!isHistogram && measure.total === NOT_A_NUMBER) return missing('not-a-number', 'a count is NaN')
    if (!(isHistogram ? HISTOGRAM.test(measure.metric) : COUNTER.test(measure.total))) return null
    if (isHistogram && !ANY_BOUNDS.includes(measure.slowerThanSeconds))
      return missing('empty', `no bucket with the bound ${measure.slowerThanSeconds} s`)
    const key = keyOf(sli)
    const before = this.told.get(key)
    this.told.set(key, this.served)
    if (before === undefined) return missing('no-baseline', 'asked for the first time')
    const { good, bad, slow, stuck } = mapped(this.served, (count, name) => count - before[name])
    const slowerThan = (bound: number) => stuck + (bound < 1 ? slow : 0)
    const latencies = { boundsSeconds: this.bounds, slower: this.bounds.map(slowerThan) }
    return isHistogram
      ? { kind: 'counts', total: good + bad, bad: slowerThan(measure.slowerThanSeconds), latencies }
      : { kind: 'counts', total: good + bad, bad, latencies: null }
  }
}

function mapped(
  { good, bad, slow, stuck }: Required<Requests>,
  change: (count: number, name: keyof Requests) => number,
): Required<Requests> {
  return {
    good: change(good, 'good'),
    bad: change(bad, 'bad'),
    slow: change(slow, 'slow'),
    stuck: change(stuck, 'stuck'),
  }
}
