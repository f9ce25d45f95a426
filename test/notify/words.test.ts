import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EventBody } from '../../src/core/event.ts'
import type { Plan, SliMeasure } from '../../src/core/plan.ts'
import { HOLD_CAUSES } from '../../src/core/state.ts'
import { TOPICS } from '../../src/notify/advice.ts'
import { itemOf } from '../../src/notify/item.ts'
import { queriesFor } from '../../src/notify/queries.ts'
import { render } from '../../src/notify/render.ts'
import { queryFault } from '../../src/policy/promql.ts'
import { ITEM_PLACES, TITLE_PLACES, unknownPlaces } from '../../src/shared/template.ts'
import { samplePlan } from '../store/samples.ts'
import { DRIFT, PLACES, REVERT, rowOf } from './samples.ts'

describe('what a notification says of an event', () => {
  test('what, why, what Headgate did, what a person may do, and where to look', () => {
    const item = itemOf(rowOf(7, REVERT), null, PLACES)
    expect(item).toMatchObject({
      severity: 'page',
      what: 'reverting 25 % → 0 %: new fails 3 % of <requests> & *more*',
      why: ['burnRate/availability says revert: burns 31 times (longBurn 31.3, factor 14.4)'],
      did: 'Sends the traffic back: 0 % is being written',
      next: expect.stringContaining('headgate status checkout'),
      links: [
        { label: 'Now', url: 'https://headgate.test/api/v1/workloads/checkout' },
        { label: 'Runbook', url: 'https://wiki.test/headgate#reverted' },
      ],
    })
  })

  test('without public URL and runbook it has no links', () => {
    expect(itemOf(rowOf(7, REVERT), null, { publicUrl: null, runbookUrl: null }).links).toEqual([])
  })

  test.each(HOLD_CAUSES)('a hold of the cause %s has advice and a page to look at', (cause) => {
    const body: EventBody = { type: 'hold-added', hold: { cause, detail: 'd', sinceMs: 0, actor: 'ada' }, evidence: [] }
    const { did, next, links } = itemOf(rowOf(1, body), null, PLACES)
    expect([did, next].every((text) => text.length > 10)).toBe(true)
    expect(links.at(-1)?.url).toBe(`https://wiki.test/headgate#${cause}`)
  })

  test('docs/notify.md has a heading for each page to look at', () => {
    const page = readFileSync(new URL('../../docs/notify.md', import.meta.url), 'utf8')
    const headings = [...page.matchAll(/^### (.+)$/gm)].map(([, text = '']) => text.toLowerCase().replaceAll(' ', '-'))
    expect(headings.toSorted()).toEqual(TOPICS.toSorted())
  })
})

describe('PromQL that shows what a gate saw', () => {
  const plan = (measure: SliMeasure, source = 'prometheus'): Plan => ({
    ...samplePlan('aaaa'),
    workload: 'checkout',
    slis: [{ name: 'sli', source, objectivePercent: 99, labels: { cluster: 'cluster', workload: 'service' }, measure }],
  })
  const verdicts = [{ gate: 'burnRate/sli', outcome: 'halt', evidence: {}, sentence: '' }] as const

  test.each<[string, SliMeasure, string]>([
    [
      'counters',
      { kind: 'selector', total: 'http_requests_total', bad: 'http_requests_total{code=~"5.."}' },
      'sum by (cluster) (rate(http_requests_total{code=~"5..",service="checkout"}[5m])) / sum by (cluster) (rate(http_requests_total{service="checkout"}[5m]))',
    ],
    [
      'counters of what is good',
      { kind: 'goodSelector', total: 'http_requests_total', good: 'answered_total' },
      '1 - sum by (cluster) (rate(answered_total{service="checkout"}[5m])) / sum by (cluster) (rate(http_requests_total{service="checkout"}[5m]))',
    ],
    [
      'a histogram of some series',
      { kind: 'histogram', metric: 'latency_seconds{job="web"}', slowerThanSeconds: 0.5 },
      '1 - sum by (cluster) (rate(latency_seconds_bucket{job="web",le="0.5",service="checkout"}[5m])) / sum by (cluster) (rate(latency_seconds_count{job="web",service="checkout"}[5m]))',
    ],
    [
      'a histogram',
      { kind: 'histogram', metric: 'latency_seconds', slowerThanSeconds: 0.5 },
      '1 - sum by (cluster) (rate(latency_seconds_bucket{le="0.5",service="checkout"}[5m])) / sum by (cluster) (rate(latency_seconds_count{service="checkout"}[5m]))',
    ],
    [
      'a native histogram',
      { kind: 'nativeHistogram', metric: 'rpc_seconds', slowerThanSeconds: 0.5 },
      '1 - histogram_fraction(0, 0.5, sum by (cluster) (rate(rpc_seconds{service="checkout"}[5m])))',
    ],
    [
      'own queries',
      {
        kind: 'query',
        total: 'sum by (cluster, service) (a)',
        bad: 'sum by (cluster, service) (rate(b[$window]))',
        windowSeconds: 60,
      },
      '(sum by (cluster, service) (rate(b[5m]))) / (sum by (cluster, service) (a))',
    ],
  ])('%s', (_, measure, query) => {
    expect(queriesFor(plan(measure), verdicts)).toEqual([query])
    expect(queryFault(query, [], 'optional')).toBeNull()
  })

  test('a recorded ratio is shown as it is recorded', () => {
    const counted = { kind: 'query', total: 'a', bad: 'b', windowSeconds: 300 } as const
    const { slis, ...rest } = plan(counted)
    const origin = { tool: 'sloth', of: 'slo:sli_error:ratio_rate5m{sloth_slo="availability"}' } as const
    expect(queriesFor({ ...rest, slis: slis.map((sli) => ({ ...sli, origin })) }, verdicts)).toEqual([origin.of])
  })

  test('there is none for what is not in a Prometheus, for a gate that passed, or without a plan', () => {
    const counters = { kind: 'selector', total: 'a', bad: 'b' } as const
    expect(queriesFor(plan(counters, 'scrape'), verdicts)).toEqual([])
    expect(queriesFor(plan(counters), [{ gate: 'burnRate/sli', outcome: 'pass', evidence: {}, sentence: '' }])).toEqual(
      [],
    )
    expect(queriesFor(null, verdicts)).toEqual([])
  })
})

describe('templates', () => {
  const group = (bodies: readonly EventBody[]) => ({
    migration: 'm',
    items: bodies.map((body, index) => itemOf(rowOf(index + 1, body), null, PLACES)),
    leftOut: 4,
    incidents: [],
  })

  test('replace the texts, and put in values as they are', () => {
    const made = render(group([DRIFT, REVERT]), 'id', {
      title: '{{severity}} {{migration}} {{count}}/{{leftOut}}',
      item: '* {{workload}} {{ what }}',
    })
    expect(made.title).toBe('page m 6/4')
    expect(made.text.split('\n\n')[1]).toBe('* checkout reverting 25 % → 0 %: new fails 3 % of <requests> & *more*')
  })

  test('a value that looks like a place stays as it is', () => {
    const body: EventBody = { type: 'controller-stopped', reason: '{{runId}} $& {{what}}' }
    expect(render(group([body]), 'id', { title: null, item: '{{what}}' }).text).toContain('{{runId}} $& {{what}}')
  })

  test('the built-in title names the loudest event, on one line', () => {
    expect(render(group([DRIFT, REVERT]), 'id', { title: null, item: null }).title).toMatch(
      /^\[PAGE\] m\/checkout: reverting 25 % → 0 %.*\(and 5 more\)$/,
    )
  })

  test('every name that a config may use is filled', () => {
    const all = (places: readonly string[]) => places.map((place) => `${place}={{${place}}}`).join('\n')
    const made = render(group([REVERT]), 'id', { title: all(TITLE_PLACES), item: all(ITEM_PLACES) })
    expect(`${made.title}${made.text}`).not.toContain('{{')
    expect(unknownPlaces(all(TITLE_PLACES), TITLE_PLACES)).toEqual([])
  })
})
