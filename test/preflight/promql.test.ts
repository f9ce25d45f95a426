import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/core/plan.ts'
import type { MetricSource } from '../../src/ports/source.ts'
import { createBudgetMemory } from '../../src/preflight/budget-memory.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { type RealPrometheus, startPrometheus } from '../support/prometheus.ts'
import { testSource } from '../support/prometheus-answers.ts'
import { requireServer } from '../support/servers.ts'
import { sliSpec } from '../support/slis.ts'
import { checkedPlan } from './plan.ts'
import { checkerRig } from './rig.ts'

const prometheus = requireServer('prometheus', 'prometheus, the real one')
const promtool = requireServer('promtool', 'prometheus, the real one')

const HOUR_SECONDS = 3600
/** A whole hour, some days ago: Prometheus takes no samples of the future, and drops what is too old. */
const END_SECONDS = (Math.floor(Date.now() / 3_600_000) - 2) * HOUR_SECONDS

/** A metric with its samples, every five minutes of the last so many hours, by hours since the first one. */
function series(name: string, labels: string, valueAt: (hours: number) => number, hours = 26): string[] {
  const count = hours * 12
  return Array.from({ length: count + 1 }, (_, index) => {
    const seconds = END_SECONDS - (count - index) * 300
    return `${name}{${labels}} ${valueAt(index / 12)} ${seconds}`
  })
}

const of = (cluster: string) => `cluster="${cluster}",service="checkout"`

const PAST = [
  '# TYPE http_requests counter',
  // 1,000 requests an hour at OLD, 5 of them bad; the process restarts half-way, so its counters begin anew.
  ...series('http_requests_total', `${of('blue')},code="200"`, (hours) => 995 * (hours < 13 ? hours : hours - 13)),
  ...series('http_requests_total', `${of('blue')},code="500"`, (hours) => 5 * (hours < 13 ? hours : hours - 13)),
  '# TYPE apiserver_current_inflight_requests gauge',
  ...series('apiserver_current_inflight_requests', 'cluster="green",request_kind="mutating"', () => 1, 1),
  ...series('apiserver_current_inflight_requests', 'cluster="clean",request_kind="mutating"', () => 1, 1),
  '# TYPE apiserver_requested_deprecated_apis gauge',
  ...series(
    'apiserver_requested_deprecated_apis',
    'cluster="green",group="batch",version="v1beta1",resource="cronjobs",subresource="",removed_release="1.25"',
    () => 1,
    1,
  ),
  ...series(
    'apiserver_requested_deprecated_apis',
    'cluster="green",group="",version="v1",resource="componentstatuses",subresource="",removed_release=""',
    () => 1,
    1,
  ),
  '# TYPE lag gauge',
  ...series('lag', 'replica="a"', () => 1, 1),
  ...series('lag', 'replica="b"', () => 7, 1),
  '# EOF',
  '',
].join('\n')

describe.skipIf(prometheus === null || promtool === null)('what is asked of a real Prometheus', () => {
  let server: RealPrometheus
  let source: MetricSource
  beforeAll(async () => {
    server = await startPrometheus(prometheus ?? '', [], { promtool: promtool ?? '', openMetrics: PAST })
  })
  afterAll(() => server.stop())

  async function look(id: Plan['checks'][number]['id'], changes: Partial<Plan> = {}) {
    source = testSource(server.url, { delay: '0s' })
    const clock = createFakeClock(END_SECONDS * 1000)
    const sources = new Map([['prometheus', source]])
    const budget = createBudgetMemory(sources, clock)
    const { checker } = checkerRig({ sources, promql: 'prometheus', clustersOf: () => null, clock, budget })
    const plan = checkedPlan({ checks: [{ id, then: 'hold' }], ...changes })
    await checker.look([{ plan, phase: 'preflight' }], AbortSignal.timeout(120_000))
    const { outcome, sentence } = checker.readings(plan)[id] ?? { outcome: 'none', sentence: '' }
    return [outcome, sentence]
  }

  test('deprecated: each API that somebody asked NEW for is named', async () => {
    expect(await look('deprecated')).toEqual([
      'fail',
      'NEW was asked for batch/v1beta1 cronjobs (gone in 1.25) and v1 componentstatuses',
    ])
  })

  test.each([
    ['clean', ['pass', 'NEW was asked for no deprecated API since its API server started']],
    ['unmeasured', ['missing', 'use of deprecated APIs: empty, no metrics of the API server of NEW']],
  ])('deprecated: of a NEW called %s', async (fresh, want) => {
    expect(await look('deprecated', { clusters: { old: 'blue', new: fresh } })).toEqual(want)
  })

  test.each([
    ['lag', 7, ['pass', 'the data of NEW is close behind: 7, at most 7']],
    ['lag # the greatest of all', 6, ['fail', 'the data of NEW is too far behind: 7, at most 6']],
    ['lag_of_nothing', 6, ['missing', 'the lag of the replicas: empty, the query gives no series']],
  ])('replication: %s, at most %d', async (query, max, want) => {
    const { checkRules } = checkedPlan({}, { replication: { query, max } })
    expect(await look('replication', { checkRules })).toEqual(want)
  })

  test('errorBudget: what was bad in all the hours that are remembered counts', async () => {
    const measure = { kind: 'selector', total: 'http_requests_total', bad: 'http_requests_total{code="500"}' } as const
    const spec = { ...sliSpec(measure, 'availability'), source: 'prometheus', objectivePercent: 99 }
    expect(await look('errorBudget', { slis: [spec] })).toEqual([
      'pass',
      '50 % of the error budget of availability is left: 125 of 25,000 requests were bad in 30 days',
    ])
    expect((await look('errorBudget', { slis: [{ ...spec, objectivePercent: 99.5 }] }))[0]).toBe('fail')
  })

  test('errorBudget: a workload that nobody measured has no memory to go by', async () => {
    const measure = { kind: 'selector', total: 'other_total', bad: 'other_total{code="500"}' } as const
    const spec = { ...sliSpec(measure, 'availability'), source: 'prometheus' }
    expect(await look('errorBudget', { slis: [spec] })).toEqual(['skipped', 'the source remembers no requests of it'])
  })
})
