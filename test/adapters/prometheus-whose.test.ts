import { describe, expect, test } from 'vitest'
import type { SliMeasure, SliSpec } from '../../src/core/plan.ts'
import { ofItsClusters } from '../../src/sources/prometheus/whose.ts'

function specOf(measure: SliMeasure): SliSpec {
  const labels = { cluster: 'env', workload: 'app' }
  return { name: 'availability', source: 'prometheus', objectivePercent: 99.9, measure, labels }
}

describe('an SLI of some clusters leaves out those of others', () => {
  test.each<[string, SliMeasure, SliMeasure]>([
    [
      'in both counters',
      { kind: 'selector', total: 'all_total', bad: 'all_total{code=~"5.."}' },
      { kind: 'selector', total: 'all_total{env=~"a|b"}', bad: 'all_total{code=~"5..",env=~"a|b"}' },
    ],
    [
      'in the good ones',
      { kind: 'goodSelector', total: 'all_total', good: 'good_total' },
      { kind: 'goodSelector', total: 'all_total{env=~"a|b"}', good: 'good_total{env=~"a|b"}' },
    ],
    [
      'in a histogram',
      { kind: 'histogram', metric: 'rpc_seconds', slowerThanSeconds: 1 },
      { kind: 'histogram', metric: 'rpc_seconds{env=~"a|b"}', slowerThanSeconds: 1 },
    ],
    [
      'in a native histogram',
      { kind: 'nativeHistogram', metric: 'rpc_seconds', slowerThanSeconds: 1 },
      { kind: 'nativeHistogram', metric: 'rpc_seconds{env=~"a|b"}', slowerThanSeconds: 1 },
    ],
    [
      'beside what it says itself of the cluster',
      { kind: 'selector', total: 'all_total{env!="c"}', bad: 'bad_total' },
      { kind: 'selector', total: 'all_total{env!="c",env=~"a|b"}', bad: 'bad_total{env=~"a|b"}' },
    ],
    [
      'not in PromQL of its own',
      { kind: 'query', total: 'sum(all_total)', bad: 'sum(bad_total)', windowSeconds: 60 },
      { kind: 'query', total: 'sum(all_total)', bad: 'sum(bad_total)', windowSeconds: 60 },
    ],
    [
      'not in what is no selector, which is refused as it stands',
      { kind: 'selector', total: 'rate(all_total[5m])', bad: 'bad_total' },
      { kind: 'selector', total: 'rate(all_total[5m])', bad: 'bad_total{env=~"a|b"}' },
    ],
  ])('%s', (_, measure, want) => {
    expect(ofItsClusters({ ...specOf(measure), clusters: ['a', 'b'] }).measure).toEqual(want)
  })

  test('whose names are taken as they are', () => {
    const sli = { ...specOf({ kind: 'nativeHistogram', metric: 'a', slowerThanSeconds: 1 }), clusters: ['eu.1', 'a|b'] }
    expect(ofItsClusters(sli).measure).toMatchObject({ metric: String.raw`a{env=~"eu\\.1|a\\|b"}` })
  })

  test('where nothing is known of clusters it is asked as it stands', () => {
    const sli = specOf({ kind: 'nativeHistogram', metric: 'a', slowerThanSeconds: 1 })
    expect(ofItsClusters(sli)).toBe(sli)
    expect(ofItsClusters({ ...sli, clusters: [] }).measure).toBe(sli.measure)
  })
})
