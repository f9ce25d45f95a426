import { describe, expect, test } from 'vitest'
import { queryFault, selectorFault } from '../../src/policy/promql.ts'

const LABELS = ['cluster', 'service']

describe('a selector', () => {
  test.each([
    'http_requests_total',
    'http_requests_total{}',
    'http_requests_total{code=~"5..", job!="x",}',
    'ns:http_requests:total',
    'http_requests_total{code="500"} # the bad ones',
  ])('%s is taken', (text) => expect(selectorFault(text)).toBeNull())

  test.each([
    ['', 0],
    ['http_requests_total[5m]', 0],
    ['http_requests_total offset 5m', 0],
    ['rate(http_requests_total[5m])', 0],
    ['a + b', 0],
    ['5', 0],
    ['{code="500"}', 0],
    ['a{b="c"', 7],
    ['a{b=c}', 4],
    ['a{b="c"} d', 9],
  ])('%s is refused at its character %i', (text, offset) => expect(selectorFault(text)?.offset).toBe(offset))
})

describe('a query', () => {
  test.each([
    'sum by (cluster, service) (increase(a[$window]))',
    'sum by (service, cluster, code) (increase(a[$window]))',
    'sum(increase(a[$window])) by (cluster, service)',
    '(sum without (pod) (increase(a[$window])))',
    'increase(a[$window])',
    'sum by (cluster, service) (increase(a[$window])) - sum by (cluster, service) (increase(b[$window]))',
    'sum by (cluster, service) (increase(a[$window] offset 5m))',
  ])('%s is taken', (text) => expect(queryFault(text, LABELS, 'needed')).toBeNull())

  test.each([
    ['sum(increase(a[$window]))', 'drops the labels cluster and service'],
    ['sum by (cluster) (increase(a[$window]))', 'drops the label service'],
    ['sum without (cluster) (increase(a[$window]))', 'drops the label cluster'],
    ['topk(5, increase(a[$window]))', null],
    ['increase(a[5m])', 'over $window'],
    ['increase(a[$windw])', 'unexpected'],
    ['a[$window]', 'a range'],
    ['"$window"', 'a constant'],
  ])('%s: %s', (text, cause) => {
    const fault = queryFault(text, LABELS, 'needed')
    if (cause === null) expect(fault).toBeNull()
    else expect(fault?.cause).toContain(cause)
  })
})
