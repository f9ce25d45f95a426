/** How a cluster of the tests is: as OLD, a little worse than OLD but within every bound, or worse than allowed. */
export type Condition = 'as-old' | 'fine' | 'bad'

const STEP_SECONDS = 15

/** By series: what it grows by at each step, or, of a gauge, its value. */
type Series = Readonly<Record<string, Readonly<Record<Condition, number | null>>>>

const same = (value: number) => ({ 'as-old': value, fine: value, bad: value })

/** What Kubernetes, kube-state-metrics, etcd and a service count. `null`: there is no such series. */
const COUNTERS: Readonly<Record<string, Series>> = {
  apiserver_request: {
    'apiserver_request_total{code="200"}': same(1000),
    // A code that was never answered has no series.
    'apiserver_request_total{code="500"}': { 'as-old': null, fine: 0.5, bad: 2 },
  },
  http_requests: {
    'http_requests_total{code="200"}': same(1000),
    'http_requests_total{code="503"}': { 'as-old': 10, fine: 20, bad: 40 },
  },
  http_request_duration_seconds: {
    'http_request_duration_seconds_bucket{le="0.1"}': same(900),
    'http_request_duration_seconds_bucket{le="0.2"}': { 'as-old': 960, fine: 955, bad: 920 },
    'http_request_duration_seconds_bucket{le="1.0"}': same(1000),
    'http_request_duration_seconds_bucket{le="+Inf"}': same(1000),
    http_request_duration_seconds_count: same(1000),
    http_request_duration_seconds_sum: same(100),
  },
  etcd_disk_backend_commit_duration_seconds: {
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-1",le="0.128"}': same(1000),
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-1",le="0.512"}': same(1000),
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-1",le="+Inf"}': same(1000),
    // One slow member is enough.
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-2",le="0.128"}': {
      'as-old': 100,
      fine: 99.5,
      bad: 95,
    },
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-2",le="0.512"}': same(100),
    'etcd_disk_backend_commit_duration_seconds_bucket{instance="etcd-2",le="+Inf"}': same(100),
  },
  storage_operation_duration_seconds: {
    'storage_operation_duration_seconds_count{operation_name="volume_attach",status="success"}': same(1),
    'storage_operation_duration_seconds_count{operation_name="volume_attach",status="fail-unknown"}': {
      'as-old': 1,
      fine: null,
      bad: 1,
    },
    'storage_operation_duration_seconds_count{operation_name="volume_mount",status="fail-unknown"}': same(1),
  },
}

const GAUGES: Series = {
  ...gauges('kube_node_status_condition{condition="Ready",status="true",node="node-', 3, {
    'as-old': [1, 1, 0],
    fine: [1, 1, 1],
    bad: [1, 1, 0],
  }),
  ...gauges('kube_pod_status_phase{phase="Running",pod="pod-', 50, { 'as-old': [], fine: [], bad: [] }),
  ...gauges('kube_pod_status_phase{phase="Failed",pod="pod-', 50, {
    'as-old': Array(50).fill(0),
    fine: Array(50).fill(0),
    bad: Array(50).fill(0),
  }),
  'kube_pod_status_reason{reason="Evicted",pod="pod-1"}': same(1),
  'kube_pod_status_reason{reason="Evicted",pod="pod-2"}': { 'as-old': null, fine: 0, bad: 1 },
}

function gauges(start: string, count: number, values: Readonly<Record<Condition, readonly number[]>>): Series {
  const at = (condition: Condition, index: number) => values[condition][index] ?? 1
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${start}${index + 1}"}`,
      { 'as-old': at('as-old', index), fine: at('fine', index), bad: at('bad', index) },
    ]),
  )
}

/** What was measured of clusters over a while, as OpenMetrics; each series with its cluster's name. */
export function pastOfClusters(
  clusters: Readonly<Record<string, Condition>>,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): string {
  const steps = Math.floor((untilMs - fromMs) / 1000 / STEP_SECONDS)
  const lines = (series: Series, valueAt: (value: number, step: number) => number): string[] =>
    Object.entries(series).flatMap(([name, values]) =>
      Object.entries(clusters).flatMap(([cluster, condition]) => {
        const value = values[condition]
        if (value === null) return []
        const labelled = name.includes('{')
          ? name.replace('{', `{cluster="${cluster}",`)
          : `${name}{cluster="${cluster}"}`
        return Array.from({ length: steps + 1 }, (_, step) => {
          return `${labelled} ${valueAt(value, step)} ${fromMs / 1000 + step * STEP_SECONDS}`
        })
      }),
    )
  const families = Object.values(COUNTERS).flatMap((series) => lines(series, (growth, step) => growth * step))
  return [...families, ...lines(GAUGES, (value) => value), '# EOF', ''].join('\n')
}
