import type { Registry } from 'prom-client'
import type { FleetView } from '../core/fleet-view.ts'
import type { ShardStand } from '../ports/control.ts'
import type { QuotaLevel } from '../ports/quota.ts'
import type { MetricName } from './names.ts'
import { registerScraped, type Sample } from './samples.ts'

const FLEET = {
  headgate_wave_workloads: ({ waves }) =>
    waves.flatMap(({ name: wave, counts }) =>
      Object.entries(counts).map(([state, value]) => ({ labels: { wave, state }, value })),
    ),
  headgate_breaker_tripped: ({ breaker }) =>
    breaker === null ? [] : [{ labels: {}, value: breaker.tripped === null ? 0 : 1 }],
  headgate_signal_value: ({ signals }) =>
    signals.flatMap(({ gate, evidence }) =>
      (['old', 'new'] as const).flatMap((side) => {
        const value = evidence[`${side}Value`]
        return typeof value === 'number' ? [{ labels: { signal: signalOf(gate), side }, value }] : []
      }),
    ),
  headgate_signal_outcome: ({ signals }) =>
    signals.map(({ gate, outcome }) => ({ labels: { signal: signalOf(gate), outcome }, value: 1 })),
} as const satisfies Partial<Record<MetricName, (view: FleetView) => readonly Sample[]>>

const QUOTA = {
  headgate_quota_calls_left: ({ left }) => left,
  headgate_quota_calls_burst: ({ burst }) => burst,
  headgate_quota_waiting: ({ waiting }) => waiting,
} as const satisfies Partial<Record<MetricName, (stand: QuotaLevel['by']['revert']) => number>>

/** Metrics of migrations as wholes, made anew from the views at each scrape. */
export function registerFleetGauges(registry: Registry, views: () => readonly FleetView[]): void {
  for (const [name, samplesOf] of Object.entries(FLEET))
    registerScraped(registry, name as keyof typeof FLEET, () =>
      views().flatMap((view) =>
        samplesOf(view).map(({ labels, value }) => ({ labels: { migration: view.migration, ...labels }, value })),
      ),
    )
}

/** Metrics of the providers' quotas. */
export function registerQuotaGauges(registry: Registry, levels: () => readonly QuotaLevel[]): void {
  for (const [name, numberOf] of Object.entries(QUOTA))
    registerScraped(registry, name as keyof typeof QUOTA, () =>
      levels().flatMap(({ account, by }) =>
        Object.entries(by).map(([use, stand]) => ({ labels: { account, use }, value: numberOf(stand) })),
      ),
    )
}

/** Metrics of the shards: whether this replica has each that there is, and how those stand that it has. */
export function registerShardGauges(registry: Registry, stands: () => readonly ShardStand[]): void {
  registerScraped(registry, 'headgate_shard_held', () =>
    stands().map(({ shard, isHeld }) => ({ labels: { shard }, value: isHeld ? 1 : 0 })),
  )
  registerScraped(registry, 'headgate_last_sweep_timestamp_seconds', () =>
    stands().flatMap(({ shard, isHeld, lastSweepAtMs }) =>
      isHeld ? [{ labels: { shard }, value: (lastSweepAtMs ?? 0) / 1000 }] : [],
    ),
  )
}

/** The gate of a signal's verdict is `signal/ID`. */
function signalOf(gate: string): string {
  return gate.replace(/^signal\//, '')
}
