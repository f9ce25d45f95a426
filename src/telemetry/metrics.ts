import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { EventType, JournalRow } from '../core/event.ts'
import type { Delivery } from '../ports/channel.ts'
import type { Control, ShardStand } from '../ports/control.ts'
import type { QuotaLevels } from '../ports/quota.ts'
import type { Clock, Meter } from '../ports/runtime.ts'
import { registerDecisions } from './decisions.ts'
import { registerFleetGauges, registerQuotaGauges, registerShardGauges } from './fleet-gauges.ts'
import { METRICS, type MetricName } from './names.ts'
import { oncePerScrape } from './samples.ts'
import type { SpanOutcome } from './span-queue.ts'
import { registerWorkloadGauges } from './workload-gauges.ts'

export interface Metrics {
  readonly meter: Meter
  /** What `/metrics` answers with: `registry.metrics()` as `registry.contentType`. */
  readonly registry: Registry
  /** Says what the gauges tell of; asked at each scrape. */
  observe(observed: Observed): void
  /** A channel was told, or was not. */
  notification(channel: string, outcome: Delivery['outcome']): void
  /** So many spans came to this. */
  spans(outcome: SpanOutcome, count: number): void
}

/** What gauges are made from. */
export interface Observed extends Pick<Control, 'workloads' | 'fleets'>, QuotaLevels {
  stands(): readonly ShardStand[]
}

const NOTHING: Observed = { workloads: () => [], fleets: () => [], levels: () => [], stands: () => [] }

/**
 * Makes the metrics of one service, in a registry of its own, with those of the process (`process_*`, `nodejs_*`)
 * beside them.
 */
export function createMetrics({ version, clock }: { readonly version: string; readonly clock: Clock }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  let observed = NOTHING
  const workloads = oncePerScrape(() => observed.workloads())
  const notifications = counter(registry, 'headgate_notifications_total')
  const spans = counter(registry, 'headgate_spans_total')
  for (const outcome of ['exported', 'refused', 'dropped'] as const) spans.inc({ outcome }, 0)
  gauge(registry, 'headgate_build_info').set({ version }, 1)
  registerWorkloadGauges(registry, workloads)
  registerFleetGauges(
    registry,
    oncePerScrape(() => observed.fleets()),
  )
  registerQuotaGauges(
    registry,
    oncePerScrape(() => observed.levels()),
  )
  registerShardGauges(
    registry,
    oncePerScrape(() => observed.stands()),
  )
  return {
    registry,
    meter: createMeter(registry, clock, registerDecisions(registry, workloads)),
    observe: (source) => {
      observed = source
    },
    notification(channel, outcome) {
      // A series that begins with its first failure shows no increase to `rate`.
      for (const one of ['accepted', 'later', 'refused'] as const)
        notifications.inc({ channel, outcome: one }, one === outcome ? 1 : 0)
    },
    spans: (outcome, count) => spans.inc({ outcome }, count),
  }
}

function createMeter(registry: Registry, clock: Clock, decisions: Meter['events']): Meter {
  const sweepSeconds = histogram(registry, 'headgate_sweep_seconds')
  const sweeps = counter(registry, 'headgate_sweeps_total')
  const callSeconds = histogram(registry, 'headgate_call_seconds')
  const callErrors = counter(registry, 'headgate_call_errors_total')
  const reloadOk = gauge(registry, 'headgate_config_reload_ok')
  const reloaded = gauge(registry, 'headgate_config_reload_timestamp_seconds')
  const events = createEventMeter(registry)
  // A series that begins with its first event shows no increase to `rate`: all that may come are there from the start.
  for (const outcome of ['committed', 'conflict', 'failed'] as const) sweeps.inc({ outcome }, 0)

  return {
    sweep(seconds, outcome) {
      sweepSeconds.observe(seconds)
      sweeps.inc({ outcome })
    },
    call(kind, name, seconds, ok) {
      callSeconds.observe({ kind, name }, seconds)
      callErrors.inc({ kind, name }, ok ? 0 : 1)
    },
    events(rows) {
      events(rows)
      decisions(rows)
    },
    reload(ok) {
      reloadOk.set(ok ? 1 : 0)
      if (ok) reloaded.set(clock.nowMs() / 1000)
    },
  }
}

/** Every event type, so that the compiler misses a new one here. */
const EVENT_TYPES: Readonly<Record<EventType, true>> = {
  'controller-started': true,
  'controller-stopped': true,
  'config-loaded': true,
  'config-rejected': true,
  'rollout-created': true,
  'plan-pinned': true,
  'phase-entered': true,
  'weight-intended': true,
  'weight-adopted': true,
  'weight-reasserted': true,
  'weight-applied': true,
  'weight-confirmed': true,
  'weight-in-force': true,
  'ttls-lowered': true,
  'ttls-restored': true,
  'write-failed': true,
  'hold-added': true,
  'hold-removed': true,
  'verdict-changed': true,
  'sight-changed': true,
  'revert-started': true,
  'revert-refused': true,
  'revert-confirmed': true,
  'command-done': true,
  'command-refused': true,
  'alert-taken': true,
  'alert-unmatched': true,
  'blind-too-long': true,
  'share-stuck': true,
  'clock-gap': true,
  'check-changed': true,
  'task-started': true,
  'task-ended': true,
  'old-quiet': true,
  'old-not-quiet': true,
  'rollout-closed': true,
}

function createEventMeter(registry: Registry): (rows: readonly JournalRow[]) => void {
  const events = counter(registry, 'headgate_events_total')
  const revertSeconds = histogram(registry, 'headgate_revert_seconds')
  const appliedSeconds = histogram(registry, 'headgate_write_to_applied_seconds')
  const confirmSeconds = histogram(registry, 'headgate_write_to_confirm_seconds')
  const inForceSeconds = histogram(registry, 'headgate_write_to_in_force_seconds')
  for (const type of Object.keys(EVENT_TYPES)) events.inc({ type }, 0)
  return (rows) => {
    for (const { event } of rows) {
      events.inc({ type: event.type })
      if (event.type === 'revert-confirmed') revertSeconds.observe(event.secondsSinceStarted)
      if (event.type === 'weight-applied') appliedSeconds.observe(event.secondsSinceIntended)
      if (event.type === 'weight-confirmed') confirmSeconds.observe(event.secondsSinceIntended)
      if (event.type === 'weight-in-force') inForceSeconds.observe(event.secondsSinceIntended)
    }
  }
}

function gauge(registry: Registry, name: MetricName): Gauge {
  const { help, labels } = METRICS[name]
  return new Gauge({ name, help, labelNames: labels, registers: [registry] })
}

function counter(registry: Registry, name: MetricName): Counter {
  const { help, labels } = METRICS[name]
  return new Counter({ name, help, labelNames: labels, registers: [registry] })
}

type HistogramName = { [N in MetricName]: (typeof METRICS)[N]['type'] extends 'histogram' ? N : never }[MetricName]

function histogram(registry: Registry, name: HistogramName): Histogram {
  const { help, labels, buckets } = METRICS[name]
  return new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] })
}
