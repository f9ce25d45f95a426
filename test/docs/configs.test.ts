import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { formatProblem } from '../../src/core/problem.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { bucketsOf } from '../../src/sources/buckets.ts'
import { countersOf } from '../../src/sources/counters.ts'
import { nativeGrowthQuery } from '../../src/sources/prometheus/native.ts'
import {
  baselinedGrowthQuery,
  bucketGrowthQuery,
  growthQuery,
  unevenBucketsQuery,
} from '../../src/sources/prometheus/promql.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'
import { type CodeBlock, codeBlocks, PAGES, pageAt } from '../support/markdown.ts'

const MINIMAL = parse(readFileSync(new URL('../../examples/minimal.yaml', import.meta.url), 'utf8'))
const BLOCKS = PAGES.flatMap(codeBlocks).filter(({ language }) => language === 'yaml')
const CONFIGS = BLOCKS.filter(({ text }) => text.startsWith('apiVersion: headgate/'))

/** What pages show as an OpenSLO file. */
const OPENSLO = BLOCKS.find(({ text }) => text.startsWith('apiVersion: openslo/'))?.text ?? ''

/** Workloads and SLIs that parts about a whole migration speak of. */
const FLEET = {
  slis: {
    ...MINIMAL.slis,
    latency: { objective: '99%', histogram: 'http_request_duration_seconds', slowerThan: '500ms' },
  },
  workloads: ['mailer', 'catalog', 'search', 'checkout'].map((name) => ({
    name,
    traffic: { http: { url: 'http://router.internal:8080', split: name } },
  })),
}

/** Puts a part of a config, as pages show them, into a whole one; by the part's first key. */
const WHOLE: Readonly<Record<string, (part: object) => object>> = {
  alertmanager: (part) => ({ ...MINIMAL, ...part }),
  sources: (part) => ({ ...MINIMAL, ...part }),
  slis: (part) => ({ ...MINIMAL, ...part }),
  providers: (part) => ({ ...MINIMAL, ...part }),
  traffic: (part) => ({ ...MINIMAL, workloads: [{ name: 'checkout', ...part }] }),
  notify: (part) => ({
    ...MINIMAL,
    ...part,
    workloads: MINIMAL.workloads.map((one: object) => ({ ...one, name: 'checkout' })),
  }),
  calendar: (part) => ({ ...MINIMAL, ...part }),
  probes: (part) => ({ ...MINIMAL, workloads: [{ ...MINIMAL.workloads[0], ...part }] }),
  synthetics: (part) => ({
    ...MINIMAL,
    sources: { ...MINIMAL.sources, datadog: { apiKey: '${env:DD_API_KEY}', appKey: '${env:DD_APP_KEY}' } },
    slis: { availability: { ...MINIMAL.slis.availability, source: 'prometheus' } },
    workloads: [{ ...MINIMAL.workloads[0], ...part }],
  }),
  fleet: (part) => ({ ...MINIMAL, ...FLEET, ...part }),
  kubernetes: (part) => ({ ...MINIMAL, ...part }),
  capacity: (part) => ({ ...MINIMAL, policies: { own: part }, policy: 'own' }),
  hooks: (part) => ({ ...MINIMAL, policies: { own: part }, policy: 'own' }),
  redis: (part) => ({ ...MINIMAL, ...part }),
  costs: (part) => ({ ...MINIMAL, ...part }),
  steps: (part) => ({ ...MINIMAL, policies: { own: part }, policy: 'own' }),
}

describe('what pages show as config', () => {
  test('is there, in the README too', () => {
    expect(CONFIGS.map(({ path }) => path)).toContain('README.md')
    expect(BLOCKS.filter((block) => wholeOf(block) !== null).map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        ...trafficKinds.map(({ kind }) => `docs/providers/${kind}.md`),
        ...sourceKinds.map(({ kind }) => `docs/sources/${kind}.md`),
      ]),
    )
  })

  test.each(CONFIGS)('$path:$line is a working config', ({ text, path }) => {
    expect(problemsOf(text, path)).toEqual([])
  })

  test.each(BLOCKS.filter((block) => wholeOf(block) !== null))('$path:$line is a part of one', (block) => {
    expect(problemsOf(JSON.stringify(wholeOf(block)), block.path)).toEqual([])
  })
})

test('the README has a whole migration in twenty lines', () => {
  const [config] = CONFIGS.filter(({ path }) => path === 'README.md')
  expect(config?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
})

test('the README tells where Headgate listens by default', () => {
  const result = parseHere(JSON.stringify(MINIMAL), 'minimal.yaml')
  if (!result.ok) throw new Error('examples/minimal.yaml is no config')
  expect(pageAt('README.md').text).toContain(`\`${result.config.api.host}:${result.config.api.port}\``)
})

test('docs/sources/prometheus.md has the very queries that are asked', () => {
  const spans = prometheusSettings.parse({ url: 'http://prometheus:9090' })
  const labels = { cluster: 'cluster', workload: 'service' }
  const requests = countersOf({
    kind: 'selector',
    total: 'http_requests_total',
    bad: 'http_requests_total{code=~"5.."}',
  })
  const buckets = bucketsOf({ kind: 'histogram', metric: 'http_request_duration_seconds', slowerThanSeconds: 0.5 })
  if ('kind' in requests || 'kind' in buckets) throw new Error('the selectors are refused')
  expect(
    codeBlocks(pageAt('docs/sources/prometheus.md'))
      .filter(({ language }) => language === 'promql')
      .map(({ text }) => text.trimEnd()),
  ).toEqual([
    baselinedGrowthQuery(requests.total, labels, 10_000, spans),
    growthQuery(requests.part, labels, 10_000, spans),
    bucketGrowthQuery(buckets, labels, 10_000, spans),
    unevenBucketsQuery(buckets, labels),
    nativeGrowthQuery({ metric: 'rpc_seconds', matchers: [] }, null, labels, 10_000),
    nativeGrowthQuery({ metric: 'rpc_seconds', matchers: [] }, 0.5, labels, 10_000),
  ])
})

/** null: the block is a config of its own, or none at all. */
function wholeOf({ text }: CodeBlock): object | null {
  const part: unknown = parse(text)
  if (typeof part !== 'object' || part === null) return null
  return WHOLE[Object.keys(part)[0] ?? '']?.(part) ?? null
}

function parseHere(text: string, path: string) {
  const anyEnv = new Proxy({}, { get: () => 'a-value' })
  return parseConfig(
    text,
    path,
    { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds },
    anyEnv,
    (name) => ({ text: name.endsWith('.ics') ? 'BEGIN:VCALENDAR\nEND:VCALENDAR' : OPENSLO }),
  )
}

function problemsOf(text: string, path: string): readonly string[] {
  const result = parseHere(text, path)
  return result.ok ? [] : result.problems.map(formatProblem)
}
