import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fleetReadings, servingOf } from '../../src/core/fleet.ts'
import type { FleetPlan } from '../../src/core/fleet-plan.ts'
import { SignalWatch } from '../../src/engine/signal-watch.ts'
import { createTimer } from '../../src/engine/timer.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { SIGNAL_IDS } from '../../src/policy/schema-fleet.ts'
import type { MetricSource } from '../../src/ports/source.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeMeter } from '../../src/simulate/runtime.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { openPrometheus } from '../../src/sources/prometheus/source.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { pastOfClusters } from '../support/cluster-past.ts'
import { memberOf } from '../support/fleet.ts'
import { type RealPrometheus, startPrometheus } from '../support/prometheus.ts'
import { requireServer } from '../support/servers.ts'

const suite = 'the suite of the cluster signals'
const prometheus = requireServer('prometheus', suite)
const promtool = requireServer('promtool', suite)

const SWEEP_SECONDS = 10
// On the hour, an hour ago and more: what was scraped has settled.
const END_MS = (Math.floor(Date.now() / 3_600_000) - 1) * 3_600_000
const MINUTE_MS = 60_000

/** The fleet of a config that wants all signals, for a NEW of this name. */
function planFor(fresh: string): FleetPlan {
  const config = {
    apiVersion: 'headgate/v1',
    migration: 'm',
    clusters: { old: 'old', new: fresh },
    sources: { prometheus: { url: 'http://127.0.0.1:1' } },
    slis: {
      availability: { objective: '99%', total: 'http_requests_total', bad: 'http_requests_total{code=~"5.."}' },
      latency: { objective: '99%', histogram: 'http_request_duration_seconds', slowerThan: '1s' },
    },
    fleet: { signals: 'standard' },
    workloads: [{ name: 'a', traffic: { http: { url: 'http://127.0.0.1:1', split: 'a' } } }],
  }
  const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }
  const result = parseConfig(JSON.stringify(config), 'test.yaml', kinds, {})
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config.migrations[0].fleet
}

// A workload that is served by both clusters, so that signals of users' requests count.
const members = [memberOf('a', { phase: 'stepping', intendedWeightPercent: 10, inForceAtMs: END_MS })]

describe.skipIf(prometheus === null || promtool === null)('the seven signals of a real Prometheus', () => {
  let server: RealPrometheus
  let source: MetricSource

  beforeAll(async () => {
    const clusters = { old: 'as-old', fine: 'fine', bad: 'bad' } as const
    const openMetrics = pastOfClusters(clusters, { fromMs: END_MS - 30 * MINUTE_MS, untilMs: END_MS })
    server = await startPrometheus(prometheus ?? '', [], { promtool: promtool ?? '', openMetrics })
    source = openPrometheus(prometheusSettings.parse({ url: server.url }), adapterContext())
  })
  afterAll(async () => {
    await source.close()
    await server.stop()
  })

  /** By signal, what the migration to this cluster hears after some minutes of it. */
  async function heard(fresh: string, minutes: readonly number[]) {
    const plan = planFor(fresh)
    const watch = new SignalWatch(new Map([['prometheus', source]]), SWEEP_SECONDS, {
      log: createFakeLog(),
      meter: createFakeMeter(),
      timer: createTimer(createFakeClock(0)),
      tracer: NO_TRACER,
    })
    for (const minute of minutes) {
      const atMs = END_MS - (10 - minute) * MINUTE_MS
      await watch.poll(atMs, [plan], () => servingOf(members), new AbortController().signal)
    }
    const nowMs = END_MS - (10 - (minutes.at(-1) ?? 0)) * MINUTE_MS
    const verdicts = fleetReadings(plan, members, watch.readings('m'), nowMs).get('a')?.verdicts ?? []
    expect(verdicts.map(({ gate }) => gate)).toEqual(SIGNAL_IDS.map((id) => `signal/${id}`))
    return new Map(verdicts.map((verdict) => [verdict.gate.replace('signal/', ''), verdict]))
  }

  test('a cluster a little worse than OLD, within every bound, passes all of them', async () => {
    const verdicts = await heard('fine', [5, 10])
    expect(outcomes(verdicts)).toEqual(allOf('pass'))
  })

  test('a bad cluster is waited for, and halts by all of them when it stays bad', async () => {
    expect(outcomes(await heard('bad', [5]))).toEqual({ ...allOf('wait'), volumeAttach: 'halt' })
    const verdicts = await heard('bad', [5, 10])
    expect(outcomes(verdicts)).toEqual(allOf('halt'))
    const sentences = [...verdicts.values()].map(({ sentence }) => sentence.replace(/bad has ([\d.]+)/, 'bad has N'))
    expect(sentences).toEqual([
      'requests that the API server answers: bad has N % (at least 99.9 %) for 5 min',
      'nodes that are ready: bad has N % (at least 100 %) for 5 min',
      'pods that were evicted: bad has N % (at most 3 %, by 2 % of old) for 5 min',
      'p95 latency: bad has N s (at most 0.22 s, by 0.18 s of old) for 5 min',
      'failed requests: bad has N % (at most 2.08 %, by 0.99 % of old) for 5 min',
      'p99 of etcd commits: bad has N s (at most 0.2 s) for 5 min',
      'volumes that could not be attached in 10 min: bad has N (at most 0) for 5 min',
    ])
    const valueIn = (id: string) => verdicts.get(id)?.evidence['newValue']
    expect(valueIn('apiAvailability')).toBeCloseTo(100 - (100 * 2) / 1002, 3)
    expect(valueIn('nodeReadiness')).toBeCloseTo((100 * 2) / 3, 3)
    expect(valueIn('podEvictions')).toBeCloseTo(4, 3)
    expect(valueIn('latency')).toBeCloseTo(0.2 + 0.8 * (30 / 80), 3)
    expect(valueIn('errors')).toBeCloseTo((100 * 40) / 1040, 3)
    expect(valueIn('etcdCommit')).toBeCloseTo(0.128 + 0.384 * (4 / 5), 3)
    expect(valueIn('volumeAttach')).toBeCloseTo(40, 0)
  })

  test('a cluster of which nothing is scraped is blind in all of them', async () => {
    const verdicts = await heard('away', [5, 10])
    expect(outcomes(verdicts)).toEqual(allOf('blind'))
    expect(verdicts.get('etcdCommit')?.sentence).toBe(
      'p99 of etcd commits: away cannot be read: the query gives nothing with cluster="away"',
    )
  })
})

function outcomes(verdicts: ReadonlyMap<string, { readonly outcome: string }>): Readonly<Record<string, string>> {
  return Object.fromEntries([...verdicts].map(([id, { outcome }]) => [id, outcome]))
}

function allOf(outcome: string): Readonly<Record<string, string>> {
  return Object.fromEntries(SIGNAL_IDS.map((id) => [id, outcome]))
}
