import { expect, test } from 'vitest'
import { groupKey } from '../../src/ports/source.ts'
import type { Series } from '../../src/sources/prometheus/answer.ts'
import { sumsByMoment } from '../../src/sources/prometheus/fold.ts'

// Signals of a migration are of a cluster as a whole: they have no label of a workload.
const ofClusters = { cluster: 'env', workload: '' }

function series(metric: Readonly<Record<string, string>>, value: string): Series {
  return { metric, points: [[60, value]] }
}

test('without a workload label the cluster alone is the group, and other labels do not matter', () => {
  const sums = sumsByMoment([series({ env: 'a', service: 'x' }, '1'), series({ env: 'b' }, '2')], ofClusters)
  expect(sums).toEqual(
    new Map([
      [
        60_000,
        new Map([
          [groupKey('a', ''), 1],
          [groupKey('b', ''), 2],
        ]),
      ],
    ]),
  )
})

test('several series of one cluster are no value of it, and the hint says how to make one', () => {
  const sums = sumsByMoment([series({ env: 'a', pod: '1' }, '1'), series({ env: 'a', pod: '2' }, '2')], ofClusters)
  expect(sums instanceof Map && sums.get(60_000)?.get(groupKey('a', ''))).toMatchObject({
    kind: 'missing',
    detail: 'several series for one cluster: write sum by (env)',
  })
})

test('series without the cluster’s label are of nobody', () => {
  expect(sumsByMoment([series({ cluster: 'a' }, '1')], ofClusters)).toMatchObject({
    kind: 'missing',
    detail: 'no series has the label env',
  })
})
