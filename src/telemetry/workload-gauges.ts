import { Gauge, type Registry } from 'prom-client'
import type { WorkloadView } from '../ports/control.ts'
import { METRICS, type MetricName } from './names.ts'

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const GAUGES = {
  headgate_weight_percent: ({ state }) =>
    Object.entries({
      intended: state.intendedWeightPercent,
      confirmed: state.confirmedWeightPercent,
      'in-force': state.inForceAtMs === null ? null : state.intendedWeightPercent,
      observed: state.share.lastPercent,
    }).flatMap(([kind, value]) => (value === null ? [] : [{ labels: { kind }, value }])),
  headgate_phase: ({ state }) => [{ labels: { phase: state.phase.name }, value: 1 }],
  headgate_phase_entered_timestamp_seconds: ({ state }) => [{ labels: {}, value: state.phaseSinceMs / 1000 }],
  headgate_hold: ({ state }) => state.holds.map(({ cause }) => ({ labels: { cause }, value: 1 })),
  headgate_gate_outcome: ({ state }) =>
    state.verdicts.map(({ gate, outcome }) => ({ labels: { gate, outcome }, value: 1 })),
} as const satisfies Partial<Record<MetricName, (view: WorkloadView) => readonly Sample[]>>

/**
 * Gauges that are made anew from the views at each scrape, so that they never tell of a phase that is over or of a
 * workload that is gone.
 */
export function registerWorkloadGauges(registry: Registry, views: () => readonly WorkloadView[]): void {
  for (const [name, samples] of Object.entries(GAUGES)) {
    const { help, labels } = METRICS[name as keyof typeof GAUGES]
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset()
        for (const view of views()) {
          const whose = { migration: view.plan.migration, workload: view.state.workload }
          for (const { labels, value } of samples(view)) this.set({ ...whose, ...labels }, value)
        }
      },
    })
  }
}
