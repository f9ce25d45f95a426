import { expect, test } from 'vitest'
import type { ShardStand } from '../../src/ports/control.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const metrics = createMetrics({ version: '0.0.0', clock: createFakeClock(0) })

/** The lines of what Prometheus would scrape that begin so, with these shards. */
async function samples(start: string, stands: readonly ShardStand[]): Promise<readonly string[]> {
  metrics.observe({ workloads: () => [], fleets: () => [], levels: () => [], stands: () => stands })
  return (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(start))
}

test('gauges tell of all shards that there are, and of the sweeps of those that this replica has', async () => {
  const stands: readonly ShardStand[] = [
    { shard: 'main', isHeld: true, lastSweepAtMs: 1_800_000_000_500 },
    { shard: 'new here', isHeld: true, lastSweepAtMs: null },
    { shard: 'elsewhere', isHeld: false, lastSweepAtMs: null },
    { shard: 'lost', isHeld: false, lastSweepAtMs: 1_800_000_000_500 },
  ]
  expect(await samples('headgate_last_sweep', stands)).toEqual([
    'headgate_last_sweep_timestamp_seconds{shard="main"} 1800000000.5',
    'headgate_last_sweep_timestamp_seconds{shard="new here"} 0',
  ])
  expect(await samples('headgate_shard_held', stands)).toEqual([
    'headgate_shard_held{shard="main"} 1',
    'headgate_shard_held{shard="new here"} 1',
    'headgate_shard_held{shard="elsewhere"} 0',
    'headgate_shard_held{shard="lost"} 0',
  ])
  expect(await samples('headgate_shard_held', [])).toEqual([])
})
