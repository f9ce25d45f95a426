import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countedOf } from '../../src/rules/sli-query.ts'
import { writeNativeHistograms } from '../support/native-histograms.ts'
import { type PodPrometheus, startNativePrometheus } from '../support/pod-prometheus.ts'
import { requireServer } from '../support/servers.ts'
import { sliSpec } from '../support/slis.ts'

const binary = requireServer('prometheus', 'rules of native histograms')
/** promtool cannot write native histograms down, so a real server is asked. */
const START_MS = Date.now() - 120_000
const SLI = sliSpec({ kind: 'nativeHistogram', metric: 'tail_seconds', slowerThanSeconds: 0.5 })

describe.skipIf(binary === null)('rules of a native histogram, in a real Prometheus', () => {
  let prometheus: PodPrometheus
  beforeAll(async () => {
    prometheus = await startNativePrometheus(binary ?? '')
    // Each ten seconds 6 up to 0.25 s, 2 up to 0.5 s, 2 up to 1 s; on the other one nothing happens.
    const growing = (index: number) => [6 * index, 2 * index, 2 * index]
    const series = (service: string, counts: (index: number) => number[]) => ({
      labels: { __name__: 'tail_seconds', cluster: 'prod-b', service },
      samples: Array.from({ length: 12 }, (_, index) => ({
        atMs: START_MS + index * 10_000,
        schema: 0,
        first: -2,
        counts: counts(index + 1),
      })),
    })
    await writeNativeHistograms(prometheus.url, [series('busy', growing), series('idle', () => [6, 2, 2])])
  }, 30_000)
  afterAll(() => prometheus.remove())

  test('count what is slower than the bound, and none where nothing happens', async () => {
    const members = [{ label: 'service', op: '=~', value: 'busy|idle' }] as const
    const counted = countedOf(SLI, members, '1m', 60)
    if (counted === null) throw new Error('it counts')
    expect(await valuesOf(prometheus.url, counted.total)).toEqual({ busy: 1, idle: 0 })
    expect(await valuesOf(prometheus.url, counted.bad)).toEqual({ busy: 0.2, idle: 0 })
  })
})

/** By service, at the time of the last sample. */
async function valuesOf(url: string, query: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await request(`${url}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ query, time: String((START_MS + 110_000) / 1000) }).toString(),
  })
  const answer = (await body.json()) as {
    data: { result: readonly { metric: { service: string }; value: readonly [number, string] }[] }
  }
  return Object.fromEntries(
    answer.data.result.map(({ metric, value }) => [metric.service, Number(Number(value[1]).toFixed(6))]),
  )
}
