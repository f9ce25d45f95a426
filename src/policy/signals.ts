import type { Signal } from '../core/fleet-plan.ts'
import { isPromMeasure } from '../core/prom-measure.ts'
import { parseSelector, selectorText } from '../shared/promql/selector.ts'
import type { ParsedConfig } from './schema.ts'
import type { SignalId } from './schema-fleet.ts'

/** What `$window` stands for in a signal's query, seconds. */
export const SIGNAL_WINDOW_SECONDS = 300

/** What a signal is unless the config says otherwise. */
export type StandardSignal = Omit<Signal, 'id' | 'clusterLabel' | 'query'> & {
  /** null: the config has nothing that it could be read from. */
  readonly query: string | null
}

/**
 * The signals that Headgate knows how to read, by the metrics of Kubernetes 1.26 and newer, kube-state-metrics 2 and etcd
 * 3.4. Each query gives one sample a cluster, and none where what it rests on is not scraped: only the series of what is
 * bad may be absent, while those of the whole are there.
 */
export function standardSignals(config: ParsedConfig): Readonly<Record<SignalId, StandardSignal>> {
  const c = clusterLabelOf(config)
  const by = (metric: string) => `sum by (${c}) (${metric})`
  const pods = by('kube_pod_status_phase')
  const ready = 'kube_node_status_condition{condition="Ready", status="true"}'
  const etcd = `sum by (${c}, instance, le) (rate(etcd_disk_backend_commit_duration_seconds_bucket[$window]))`
  const attached = `storage_operation_duration_seconds_count{operation_name="volume_attach"}`
  return {
    apiAvailability: {
      title: 'requests that the API server answers',
      query: `100 - ${shareOf(by('rate(apiserver_request_total{code=~"5.."}[$window])'), by('rate(apiserver_request_total[$window])'))}`,
      bound: { min: 99.9 },
      unit: '%',
      forSeconds: 60,
      ofTraffic: false,
    },
    nodeReadiness: {
      title: 'nodes that are ready',
      query: `100 * ${by(ready)} / count by (${c}) (${ready})`,
      bound: { min: 100 },
      unit: '%',
      // A node that joins is not ready for a moment.
      forSeconds: 180,
      ofTraffic: false,
    },
    podEvictions: {
      title: 'pods that were evicted',
      query: shareOf(by('kube_pod_status_reason{reason="Evicted"}'), pods),
      bound: { timesOld: 1, plus: 1 },
      unit: '%',
      forSeconds: 60,
      ofTraffic: false,
    },
    latency: {
      title: 'p95 latency',
      query: latencyQuery(config, c),
      bound: { timesOld: 1.2, plus: 0 },
      unit: 's',
      forSeconds: 300,
      ofTraffic: true,
    },
    errors: {
      title: 'failed requests',
      query: errorsQuery(config, by),
      // A few errors over a spotless OLD are no harm yet; the gates of each workload look closer.
      bound: { timesOld: 2, plus: 0.1 },
      unit: '%',
      forSeconds: 120,
      ofTraffic: true,
    },
    etcdCommit: {
      title: 'p99 of etcd commits',
      // Of the slowest member: a quorum waits for it sooner or later.
      query: `max by (${c}) (histogram_quantile(0.99, ${etcd}))`,
      bound: { max: 0.2 },
      unit: 's',
      forSeconds: 120,
      ofTraffic: false,
    },
    volumeAttach: {
      title: 'volumes that could not be attached in 10 min',
      query: `${by(`increase(${attached.replace('}', ', status!="success"}')}[10m])`)} or 0 * ${by(attached)} or 0 * ${by('attachdetach_controller_total_volumes')}`,
      bound: { max: 0 },
      unit: '',
      forSeconds: 0,
      ofTraffic: false,
    },
  }
}

/** The label that says which cluster a signal's sample is of: the config's own, else that of the first SLI of Prometheus. */
export function clusterLabelOf({ fleet, slis }: ParsedConfig): string {
  const first = Object.values(slis).find(({ measure }) => isPromMeasure(measure))
  return fleet.clusterLabel ?? first?.labels.cluster ?? 'cluster'
}

/** In percent; where the part has no series there is nothing of it. */
function shareOf(part: string, whole: string): string {
  return `100 * (${part} or 0 * ${whole}) / ${whole}`
}

/** Of the config's first histogram: what it is called is known there alone. */
function latencyQuery({ slis }: ParsedConfig, label: string): string | null {
  for (const { measure } of Object.values(slis)) {
    if (measure.kind === 'histogram') {
      const histogram = parseSelector(measure.metric)
      if ('refused' in histogram) continue
      const buckets = selectorText({ ...histogram, metric: `${histogram.metric}_bucket` })
      return `histogram_quantile(0.95, sum by (${label}, le) (rate(${buckets}[$window])))`
    }
    if (measure.kind === 'nativeHistogram')
      return `histogram_quantile(0.95, sum by (${label}) (rate(${measure.metric}[$window])))`
  }
  return null
}

/** Of the config's first SLI that counts good and bad requests. */
function errorsQuery({ slis }: ParsedConfig, by: (metric: string) => string): string | null {
  for (const { measure } of Object.values(slis)) {
    if (measure.kind !== 'selector') continue
    return shareOf(by(`rate(${measure.bad}[$window])`), by(`rate(${measure.total}[$window])`))
  }
  return null
}
