import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { EventBody } from '../../src/core/event.ts'
import type { FleetView } from '../../src/core/fleet-view.ts'
import type { RolloutState } from '../../src/core/state.ts'
import type { WorkloadView } from '../../src/ports/control.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createMetrics, type Metrics, type Observed } from '../../src/telemetry/metrics.ts'
import { METRICS, type MetricSpec } from '../../src/telemetry/names.ts'
import { samplePlan, sampleState } from '../store/samples.ts'

let metrics: Metrics
const clock = createFakeClock(1_800_000_000_500)

beforeEach(() => {
  metrics = createMetrics({ version: '1.2.3', clock })
})

/** The samples of Headgate's own, as in the exposition text, without those of buckets. */
async function samples(prefix: string): Promise<string[]> {
  const text = await metrics.registry.metrics()
  return text.split('\n').filter((line) => line.startsWith(prefix) && !line.includes('_bucket'))
}

function observe(workloads: () => readonly WorkloadView[], others: Partial<Observed> = {}): void {
  metrics.observe({ workloads, fleets: () => [], levels: () => [], stands: () => [], ...others })
}

function view(
  workload: string,
  changes: Partial<RolloutState> = {},
  verdicts: WorkloadView['verdicts'] = null,
): WorkloadView {
  return {
    state: sampleState(workload, changes),
    plan: samplePlan('aaaa', workload),
    verdicts,
    observation: { targets: {}, slis: {}, probes: {}, checks: {}, replicas: null },
  }
}

const row = (body: EventBody) => ({
  seq: 1,
  event: { ...body, atMs: 0, runId: '01RUN', workload: 'checkout', actor: 'headgate' },
})

describe('gauges of workloads', () => {
  test('tell weight, phase, holds and gates', async () => {
    observe(() => [
      view('checkout', {
        phase: { name: 'stepping', stepIndex: 1 },
        phaseSinceMs: 1_500,
        intendedWeightPercent: 25,
        confirmedWeightPercent: 10,
        share: { settledAtMs: null, untilMs: 0, requests: { old: 0, new: 0 }, lastPercent: 9.7 },
        holds: [{ cause: 'paused', detail: 'a look', sinceMs: 0, actor: 'ada' }],
        outcomes: { 'burnRate:availability': 'pass' },
      }),
    ])
    expect(await samples('headgate_weight_percent{')).toEqual([
      'headgate_weight_percent{migration="m",workload="checkout",kind="intended"} 25',
      'headgate_weight_percent{migration="m",workload="checkout",kind="confirmed"} 10',
      'headgate_weight_percent{migration="m",workload="checkout",kind="observed"} 9.7',
    ])
    expect(await samples('headgate_phase')).toEqual([
      'headgate_phase{migration="m",workload="checkout",phase="stepping"} 1',
      'headgate_phase_entered_timestamp_seconds{migration="m",workload="checkout"} 1.5',
    ])
    expect(await samples('headgate_hold{')).toEqual([
      'headgate_hold{migration="m",workload="checkout",cause="paused"} 1',
    ])
    expect(await samples('headgate_gate_outcome{')).toEqual([
      'headgate_gate_outcome{migration="m",workload="checkout",gate="burnRate:availability",outcome="pass"} 1',
    ])
  })

  test('leave out what is not known, instead of telling zero', async () => {
    observe(() => [view('checkout')])
    expect(await samples('headgate_weight_percent{')).toEqual([
      'headgate_weight_percent{migration="m",workload="checkout",kind="intended"} 0',
    ])
  })

  test('tell what each test has gathered, and where it speaks up', async () => {
    const evidence = { haltEvidence: 40, haltNeeds: 100, spentPercent: 0.4, newP99Seconds: 0.8, oldP99Seconds: null }
    observe(() => [view('checkout', {}, [{ gate: 'harm:a', outcome: 'pass', evidence, sentence: 'fine' }])])
    const whose = 'migration="m",workload="checkout",gate="harm:a"'
    expect(await samples('headgate_evidence')).toEqual([
      `headgate_evidence{${whose},test="halt"} 40`,
      `headgate_evidence_limit{${whose},test="halt"} 100`,
    ])
    expect(await samples('headgate_budget_spent')).toEqual([`headgate_budget_spent_percent{${whose}} 0.4`])
    expect(await samples('headgate_latency')).toEqual([
      `headgate_latency_seconds{${whose},side="new",quantile="0.99"} 0.8`,
    ])
  })

  test('count what both sides served, as often as they are scraped', async () => {
    const counts = { old: { total: 90, bad: 1 }, new: { total: 10, bad: 2 } }
    observe(() => [view('checkout', { totals: { availability: { untilMs: 1, counts } } })])
    await metrics.registry.metrics()
    const whose = 'migration="m",workload="checkout",sli="availability"'
    expect(await samples('headgate_sli_requests_total')).toEqual([
      `headgate_sli_requests_total{${whose},side="old",outcome="all"} 90`,
      `headgate_sli_requests_total{${whose},side="old",outcome="bad"} 1`,
      `headgate_sli_requests_total{${whose},side="new",outcome="all"} 10`,
      `headgate_sli_requests_total{${whose},side="new",outcome="bad"} 2`,
    ])
  })

  test('leave the checks of a workload that has ended alone', async () => {
    const checks = { ttls: { outcome: 'fail', sentence: '', hint: null, atMs: 0 } } as const
    const of = (phase: RolloutState['phase']) => [
      { ...view('checkout', { phase }), observation: { ...view('checkout').observation, checks } },
    ]
    observe(() => of({ name: 'preflight' }))
    expect(await samples('headgate_check{')).toEqual([
      'headgate_check{migration="m",workload="checkout",check="ttls",outcome="fail"} 1',
    ])
    observe(() => of({ name: 'completed' }))
    expect(await samples('headgate_check{')).toEqual([])
  })

  test('ask once a scrape, and anew at the next one', async () => {
    let asked = 0
    observe(() => {
      asked += 1
      return [view('checkout')]
    })
    await metrics.registry.metrics()
    await metrics.registry.metrics()
    expect(asked).toBe(2)
  })

  test('forget a phase that is over and a workload that is gone', async () => {
    let views = [view('checkout'), view('search')]
    observe(() => views)
    await metrics.registry.metrics()
    views = [view('search', { phase: { name: 'completed' } })]
    expect(await samples('headgate_phase{')).toEqual([
      'headgate_phase{migration="m",workload="search",phase="completed"} 1',
    ])
    expect((await samples('headgate_')).filter((line) => line.includes('checkout'))).toEqual([])
  })

  test('are absent before anybody says where they come from', async () => {
    expect(await samples('headgate_phase{')).toEqual([])
  })
})

describe('gauges of migrations and accounts', () => {
  test('tell waves, breaker, signals and quotas', async () => {
    const counts = { waiting: 2, underWay: 1, baked: 0, reverted: 0, cancelled: 0 }
    const fleet: FleetView = {
      migration: 'm',
      clusters: { old: 'a', new: 'b' },
      waves: [{ name: 'first', workloads: [], concurrency: null, counts }],
      concurrency: null,
      spacingSeconds: 0,
      canaryFirst: false,
      breaker: { reverts: 2, withinSeconds: 60, reverted: [], tripped: 'two reverted' },
      signals: [
        { gate: 'signal/errors', outcome: 'wait', evidence: { newValue: 3, oldValue: null }, sentence: 'errors' },
      ],
    }
    const stand = { left: 4.5, burst: 50, waiting: 2 }
    observe(() => [], { fleets: () => [fleet], levels: () => [{ account: 'a', by: { revert: stand, other: stand } }] })
    expect(await samples('headgate_wave_workloads{migration="m",wave="first",state="underWay"')).toHaveLength(1)
    expect(await samples('headgate_breaker')).toEqual(['headgate_breaker_tripped{migration="m"} 1'])
    expect(await samples('headgate_signal')).toEqual([
      'headgate_signal_value{migration="m",signal="errors",side="new"} 3',
      'headgate_signal_outcome{migration="m",signal="errors",outcome="wait"} 1',
    ])
    expect(await samples('headgate_quota_waiting')).toEqual([
      'headgate_quota_waiting{account="a",use="revert"} 2',
      'headgate_quota_waiting{account="a",use="other"} 2',
    ])
  })
})

describe('decisions', () => {
  test('are counted by workload, each kind from zero', async () => {
    observe(() => [view('checkout')])
    const revert = { fromPercent: 10, toPercent: 0, reason: 'harm', evidence: [] }
    metrics.meter.events([
      row({ type: 'revert-started', ...revert }),
      row({ type: 'hold-added', hold: { cause: 'halted', detail: '', sinceMs: 0, actor: 'ada' }, evidence: [] }),
      row({ type: 'weight-intended', ...revert, trial: null, urgency: 'revert' }),
    ])
    const line = (decision: string, count: number) =>
      `headgate_decisions_total{migration="m",workload="checkout",decision="${decision}"} ${count}`
    expect(await samples('headgate_decisions_total')).toEqual([
      line('raise', 0),
      line('hold', 0),
      line('halt', 1),
      line('revert', 1),
      line('revert-refused', 0),
    ])
  })
})

describe('the meter', () => {
  test('counts sweeps', async () => {
    metrics.meter.sweep(0.2, 'conflict')
    metrics.meter.sweep(0.3, 'committed')
    expect(await samples('headgate_sweeps_total')).toEqual([
      'headgate_sweeps_total{outcome="committed"} 1',
      'headgate_sweeps_total{outcome="conflict"} 1',
      'headgate_sweeps_total{outcome="failed"} 0',
    ])
    expect(await samples('headgate_sweep_seconds')).toEqual([
      'headgate_sweep_seconds_sum 0.5',
      'headgate_sweep_seconds_count 2',
    ])
  })

  test('times every call, and counts those that failed', async () => {
    metrics.meter.call('source', 'prometheus', 0.25, true)
    expect(await samples('headgate_call_errors_total')).toEqual([
      'headgate_call_errors_total{kind="source",name="prometheus"} 0',
    ])
    metrics.meter.call('source', 'prometheus', 0.25, false)
    expect(await samples('headgate_call')).toEqual([
      'headgate_call_seconds_sum{kind="source",name="prometheus"} 0.5',
      'headgate_call_seconds_count{kind="source",name="prometheus"} 2',
      'headgate_call_errors_total{kind="source",name="prometheus"} 1',
    ])
  })

  test('counts events by type, each type from the start', async () => {
    expect(await samples('headgate_events_total{type="revert-started"}')).toEqual([
      'headgate_events_total{type="revert-started"} 0',
    ])
    metrics.meter.events([
      row({ type: 'revert-confirmed', weightPercent: 0, secondsSinceStarted: 4 }),
      row({ type: 'weight-confirmed', weightPercent: 0, secondsSinceIntended: 3 }),
    ])
    expect(await samples('headgate_events_total{type="revert-confirmed"}')).toEqual([
      'headgate_events_total{type="revert-confirmed"} 1',
    ])
    expect(await samples('headgate_revert_seconds_sum')).toEqual(['headgate_revert_seconds_sum 4'])
    expect(await samples('headgate_write_to_confirm_seconds_sum')).toEqual(['headgate_write_to_confirm_seconds_sum 3'])
  })

  test('keeps the time of the config in force when a newer one is refused', async () => {
    metrics.meter.reload(true)
    metrics.meter.reload(false)
    expect(await samples('headgate_config_reload')).toEqual([
      'headgate_config_reload_ok 0',
      'headgate_config_reload_timestamp_seconds 1800000000.5',
    ])
  })
})

describe('the registry', () => {
  test('says which version runs', async () => {
    expect(await samples('headgate_build_info')).toEqual(['headgate_build_info{version="1.2.3"} 1'])
  })

  test('holds what is documented in names.ts, and nothing else of that prefix', async () => {
    const registered = metrics.registry.getMetricsAsArray().filter(({ name }) => name.startsWith('headgate_'))
    const sorted = (names: readonly string[]) => [...names].sort()
    expect(sorted(registered.map(({ name }) => name))).toEqual(sorted(Object.keys(METRICS)))
    const text = await metrics.registry.metrics()
    for (const [name, { type }] of Object.entries(METRICS)) expect(text).toContain(`# TYPE ${name} ${type}\n`)
  })

  test('has the metrics of the process, and shares nothing with another registry', async () => {
    const other = createMetrics({ version: '2', clock })
    expect(await other.registry.metrics()).toContain('process_cpu_seconds_total')
    expect(await other.registry.metrics()).not.toContain('1.2.3')
  })

  test('is what docs/metrics.md lists', () => {
    const doc = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
    const line = ([name, { type, labels, unit, help }]: [string, MetricSpec]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${unit} | ${help} |`
    expect(doc.split('\n').filter((text) => text.startsWith('| `headgate_'))).toEqual(Object.entries(METRICS).map(line))
  })
})
