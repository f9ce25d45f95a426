import { expect, test } from 'vitest'
import { groupKey } from '../../src/ports/source.ts'
import { GroupKeys } from '../../src/sources/prometheus/keys.ts'
import { type AnswerSeries, answeringVector, fieldsOf, pollOnce, testSource } from '../support/prometheus-answers.ts'
import { sliSpec } from '../support/slis.ts'
import { startWebServer } from '../support/web-server.ts'

// What ten thousands of groups have in common is there once.

test('a group has the same key in every answer, also after more groups came than are remembered', () => {
  const keys = new GroupKeys()
  const pairs = [
    ['a', 'shop'],
    ['b', 'shop'],
    ['a', ''],
  ] as const
  for (const [cluster, workload] of pairs) expect(keys.of(cluster, workload)).toBe(groupKey(cluster, workload))
  for (let index = 0; index < 250_000; index++) keys.of('churn', String(index))
  for (const [cluster, workload] of pairs) expect(keys.of(cluster, workload)).toBe(groupKey(cluster, workload))
})

test('groups with the same boundaries share one list of them, others have their own', async () => {
  const series = (service: string, bounds: readonly string[]) =>
    bounds.map((le, index): AnswerSeries => [{ cluster: 'prod-a', service, le }, String(10 * (index + 1))])
  const all = [
    ...series('a', ['0.1', '1', '+Inf']),
    ...series('b', ['0.1', '1', '+Inf']),
    ...series('c', ['0.5', '1', '+Inf']),
    ...series('d', ['1', '+Inf']),
  ]
  const server = await startWebServer((response, request) =>
    answeringVector(fieldsOf(request).get('query')?.includes('!= 1') ? [] : all)(response, request),
  )
  const sli = sliSpec({ kind: 'histogram', metric: 'seconds', slowerThanSeconds: 1 })
  const vector = await pollOnce(testSource(server.url), sli)
  if (vector?.kind !== 'vector') throw new Error('no vector')
  const boundsOf = (service: string) => {
    const measure = vector.groups.get(groupKey('prod-a', service))
    return measure?.kind === 'counts' ? measure.latencies?.boundsSeconds : undefined
  }
  expect(['a', 'b', 'c', 'd'].map(boundsOf)).toEqual([[0.1, 1], [0.1, 1], [0.5, 1], [1]])
  expect(boundsOf('a')).toBe(boundsOf('b'))
})
