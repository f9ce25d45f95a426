import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { SliSpec } from '../../src/core/plan.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { plansOf } from '../../src/policy/config.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { groupKey } from '../../src/ports/source.ts'
import { windowedQuery } from '../../src/sources/prometheus/promql.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { openPrometheus } from '../../src/sources/prometheus/source.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { runHere } from '../support/cli.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { requireServer } from '../support/servers.ts'

const promtool = requireServer('promtool', 'ratios that rules of Sloth and Pyrra record')
const binary = requireServer('prometheus', 'recorded ratios, in a real Prometheus')
const RULES = join(import.meta.dirname, 'recorded.rules.yaml')
const CONFIG = `apiVersion: headgate/v1
migration: shop
clusters: { old: prod-a, new: prod-b }
sources: { prometheus: { url: http://prometheus:9090 } }
slis:
  sloth: { objective: 99.9%, sloth: { slo: requests-availability, total: http_requests_total } }
  pyrra: { objective: 99.9%, pyrra: { slo: shop-errors, total: http_requests_total } }
  of-one: { objective: 99.9%, sloth: { id: checkout-requests-availability, workload: checkout, total: http_requests_total } }
  defined: { openslo: { file: slos/shop.yaml } }
workloads: [{ name: checkout, traffic: { http: { url: http://router:8080, split: checkout } } }]
`
const OPENSLO = `apiVersion: openslo/v1
kind: SLO
metadata: { name: shop-answers }
spec:
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Prometheus, spec: { query: answered_total } } }
        total: { metricSource: { type: Prometheus, spec: { query: http_requests_total } } }
  objectives: [{ target: 0.999 }]
`
const folder = mkdtempSync(join(tmpdir(), 'headgate-recorded-'))
afterAll(() => rmSync(folder, { recursive: true }))

function sli(name: string): SliSpec {
  const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }
  const result = parseConfig(CONFIG, 'headgate.yaml', kinds, {}, () => ({ text: OPENSLO }))
  const found = result.ok ? plansOf(result.config).flatMap((plan) => plan.slis.filter((one) => one.name === name)) : []
  const [only] = found
  if (!only) throw new Error(`there is no ${name}: ${JSON.stringify(result)}`)
  return only
}

interface Sample {
  readonly group: readonly [cluster: string, service: string]
  readonly value: number
}

/** What both queries of an SLI are to give, after some minutes, from counters that grow each minute. */
function promtoolCase(name: string, minutes: number, totals: readonly Sample[], bads: readonly Sample[]): object {
  const { measure } = sli(name)
  if (measure.kind !== 'query') throw new Error(`${name} is read by ${measure.kind}`)
  const tried = (query: string, samples: readonly Sample[]) => ({
    // Sums of fractions: the last digits are not what is tried here.
    expr: `round(${windowedQuery(query, measure.windowSeconds)}, 0.001)`,
    eval_time: `${minutes}m`,
    exp_samples: samples.map(({ group: [cluster, service], value }) => ({
      labels: `{cluster="${cluster}", service="${service}"}`,
      value,
    })),
  })
  return {
    name,
    interval: '1m',
    input_series: [
      ['prod-a', 'checkout', '200', '0+540x30'],
      ['prod-a', 'checkout', '500', '0+60x30'],
      // Nothing happens there: the ratio is no number.
      ['prod-b', 'checkout', '200', '7x30'],
      ['prod-b', 'checkout', '500', '1x30'],
      // Both begin anew after ten minutes.
      ['prod-b', 'search', '200', '0+270x10 0+270x20'],
      ['prod-b', 'search', '500', '0+30x10 0+30x20'],
      // No error yet, so their rule records nothing.
      ['prod-a', 'search', '200', '0+60x30'],
    ].map(([cluster, service, code, values]) => ({
      series: `http_requests_total{cluster="${cluster}",service="${service}",code="${code}"}`,
      values,
    })),
    promql_expr_test: [tried(measure.total, totals), tried(measure.bad, bads)],
  }
}

describe.skipIf(promtool === null)('the series that rules of Sloth and Pyrra record', () => {
  const busy = (value: number): Sample => ({ group: ['prod-a', 'checkout'], value })
  const idle: Sample = { group: ['prod-b', 'checkout'], value: 0 }
  const anew = (value: number): Sample => ({ group: ['prod-b', 'search'], value })

  test.each([
    ['of Sloth, all services', promtoolCase('sloth', 12, [busy(3000), idle, anew(1200)], [busy(300), idle, anew(120)])],
    ['of Pyrra, grouped', promtoolCase('pyrra', 12, [busy(3000), idle, anew(1200)], [busy(300), idle, anew(120)])],
    ['of one workload alone', promtoolCase('of-one', 20, [busy(3000), idle], [busy(300), idle])],
  ])('give counts where they have a ratio, and no group where they have none: %s', (_, one) => {
    copyFileSync(RULES, join(folder, 'recorded.rules.yaml'))
    const file = join(folder, 'cases.yaml')
    writeFileSync(file, stringify({ rule_files: ['recorded.rules.yaml'], evaluation_interval: '1m', tests: [one] }))
    const ran = spawnSync(promtool ?? '', ['test', 'rules', file], { encoding: 'utf8', timeout: 240_000 })
    expect([ran.status, ran.status === 0 ? '' : `${ran.stdout}${ran.stderr}`]).toEqual([0, ''])
  })
})

describe.skipIf(binary === null || promtool === null)('a recorded ratio, asked of a real Prometheus', () => {
  test('gives each tick its share; what has events and no fresh ratio is missing', async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000 - 60_000
    const times = Array.from({ length: 81 }, (_, index) => nowMs / 1000 - 1200 + index * 15)
    const lines = (name: string, labels: string, value: (index: number) => number | null) =>
      times.flatMap((at, index) => {
        const sample = value(index)
        return sample === null ? [] : [`${name}{cluster="prod-a",${labels}} ${sample} ${at}`]
      })
    const requests = (service: string, each: number) =>
      lines('http_requests_total', `service="${service}"`, (index) => 100 + index * each)
    const ratio = (service: string, value: (index: number) => number | null) =>
      lines('slo:sli_error:ratio_rate5m', `sloth_service="${service}",sloth_slo="requests-availability"`, value)
    const openMetrics = [
      '# TYPE http_requests counter',
      ...requests('busy', 30),
      ...requests('idle', 0),
      ...requests('silent', 30),
      ...requests('stopped', 30),
      ...requests('odd', 30),
      ...ratio('busy', () => 0.05),
      ...ratio('idle', () => Number.NaN),
      // Its rule has not run for ten minutes.
      ...ratio('stopped', (index) => (index < 40 ? 0 : null)),
      ...ratio('odd', () => Number.NaN),
      '# EOF\n',
    ].join('\n')
    const prometheus = await startPrometheus(binary ?? '', [], { promtool: promtool ?? '', openMetrics })
    try {
      const settings = prometheusSettings.parse({ url: prometheus.url, delay: '0s' })
      const source = openPrometheus(settings, adapterContext())
      const spec = sli('sloth')
      const tick = { sinceMs: nowMs - 10_000, atMs: nowMs }
      const vector = (await source.poll([spec], tick, AbortSignal.timeout(120_000))).get(spec)
      await source.close()
      if (vector?.kind !== 'vector') throw new Error(`no vector: ${JSON.stringify(vector)}`)
      const of = (service: string) => vector.groups.get(groupKey('prod-a', service))
      // 600 in five minutes, a thirtieth of them in ten seconds.
      expect(of('busy')).toEqual({ kind: 'counts', total: 20, bad: expect.closeTo(1, 9), latencies: null })
      expect(of('idle')).toEqual({ kind: 'counts', total: 0, bad: 0, latencies: null })
      expect([of('silent'), of('stopped')]).toEqual([undefined, undefined])
      expect(of('odd')).toEqual({ kind: 'missing', why: 'not-a-number', detail: expect.any(String) })
    } finally {
      await prometheus.stop()
    }
  })
})

describe('where an SLI came from', () => {
  const file = join(folder, 'headgate.yaml')
  const write = () => {
    writeFileSync(file, CONFIG.replace('slos/shop.yaml', 'shop.openslo.yaml'))
    writeFileSync(join(folder, 'shop.openslo.yaml'), OPENSLO)
  }

  test('`headgate rules` writes no second rules for what is recorded, and says whose definition the others are', async () => {
    write()
    const out = join(folder, 'written')
    const { code, err } = await runHere(['rules', file, '--out', out])
    expect([code, err]).toEqual([
      0,
      [
        'no rules for sloth of shop: it is recorded already, as Sloth slo:sli_error:ratio_rate5m{sloth_slo="requests-availability"}\n',
        'no rules for pyrra of shop: it is recorded already, as Pyrra http_requests:burnrate5m{slo="shop-errors"}\n',
        'no rules for of-one of shop: it is recorded already, as Sloth slo:sli_error:ratio_rate5m{sloth_id="checkout-requests-availability"}\n',
      ].join(''),
    ])
    const written = join(out, 'headgate-shop.yaml')
    expect(readFileSync(written, 'utf8')).toContain(
      '# defined is defined by OpenSLO shop-answers in shop.openslo.yaml.\n',
    )
    if (promtool === null) return
    const checked = spawnSync(promtool, ['check', 'rules', '--lint-fatal', written], { encoding: 'utf8' })
    expect([checked.status, checked.stderr]).toEqual([0, ''])
  })

  test('`headgate plan` names it beside the SLI', async () => {
    write()
    const { code, out } = await runHere(['plan', file])
    expect(code).toBe(0)
    expect(out).toContain(
      'sloth (prometheus, from Sloth slo:sli_error:ratio_rate5m{sloth_slo="requests-availability"}), ',
    )
    expect(out).toContain('defined (prometheus, from OpenSLO shop-answers in shop.openslo.yaml)\n')
  })
})
