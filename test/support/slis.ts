import type { SliMeasure, SliSpec } from '../../src/core/plan.ts'

/** An SLI for tests, with the labels of `test/support/pods.ts`. */
export function sliSpec(measure: SliMeasure, name = 'sli'): SliSpec {
  return {
    name,
    source: 'any',
    objectivePercent: 99.9,
    labels: { cluster: 'cluster', workload: 'service' },
    measure,
  }
}

/** Of the pods that began with this `run`. */
export function availabilitySli(run: string): SliSpec {
  const total = `http_requests_total{run="${run}"}`
  return sliSpec({ kind: 'selector', total, bad: `http_requests_total{run="${run}",code=~"5.."}` }, 'availability')
}

export function latencySli(run: string, slowerThanSeconds = 0.5): SliSpec {
  const metric = `http_request_duration_seconds{run="${run}"}`
  return sliSpec({ kind: 'histogram', metric, slowerThanSeconds }, 'latency')
}
