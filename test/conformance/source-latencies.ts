import { expect, test } from 'vitest'
import { A_CATALOG, A_CHECKOUT, B_CATALOG, latencies, missingWhy, type User } from './source-user.ts'

/** What a source must do with histograms. */
export function latencySuite(user: User): void {
  const latency = async () => (await user.poll(user.latency()))[0]

  test('events slower than the bound are the bad ones of a histogram, and each boundary is told', async () => {
    const { pods } = user.place()
    await latency()
    pods.a1.serve({ good: 10, slow: 3 })
    pods.b1.serve({ good: 4 })
    const groups = await latency()
    expect(groups?.get(A_CATALOG)).toEqual(
      latencies(10, 3, [
        [0.5, 3],
        [1, 0],
      ]),
    )
    expect(groups?.get(B_CATALOG)).toEqual(
      latencies(4, 0, [
        [0.5, 0],
        [1, 0],
      ]),
    )
    expect(groups?.get(A_CHECKOUT)).toEqual(
      latencies(0, 0, [
        [0.5, 0],
        [1, 0],
      ]),
    )
  })

  test('the very first slow events count, all of them, in a histogram that was not there before', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50 })
    await latency()
    pods.a1.serve({ good: 4, slow: 1, stuck: 2 })
    expect((await latency())?.get(A_CATALOG)).toEqual(
      latencies(4, 3, [
        [0.5, 3],
        [1, 2],
      ]),
    )
  })

  test('a restart shows in all buckets of a histogram, though some have passed their former value', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 4, slow: 3 })
    pods.a2.serve({ good: 5 })
    await latency()
    pods.a1.restart()
    pods.a1.serve({ good: 3 })
    expect((await latency())?.get(A_CATALOG)).toEqual(
      latencies(3, 0, [
        [0.5, 0],
        [1, 0],
      ]),
    )
    pods.a2.restart()
    pods.a2.serve({ good: 8, slow: 6 })
    expect((await latency())?.get(A_CATALOG)).toEqual(
      latencies(8, 6, [
        [0.5, 6],
        [1, 0],
      ]),
    )
  })

  test('of pods with different buckets those boundaries are told that all have, however they are printed', async () => {
    const { pods } = user.place()
    pods.a2.useBounds(['0.25', '0.50', '1', '2.5'])
    await latency()
    await latency()
    pods.a1.serve({ good: 10, slow: 3, stuck: 1 })
    pods.a2.serve({ good: 5, slow: 2 })
    pods.b1.serve({ good: 4 })
    const groups = await latency()
    expect(groups?.get(A_CATALOG)).toEqual(
      latencies(15, 6, [
        [0.5, 6],
        [1, 1],
      ]),
    )
    expect(groups?.get(B_CATALOG)).toEqual(
      latencies(4, 0, [
        [0.5, 0],
        [1, 0],
      ]),
    )
  })

  test('a group in which one pod has no bucket with the bound is missing, and the other groups are not', async () => {
    const { pods } = user.place()
    pods.a2.useBounds(['0.25', '1'])
    await latency()
    await latency()
    pods.a1.serve({ good: 10, slow: 3 })
    pods.b1.serve({ good: 4, slow: 1 })
    const groups = await latency()
    expect(groups?.get(A_CATALOG)).toEqual(missingWhy('bad-answer'))
    expect(groups?.get(B_CATALOG)).toMatchObject({ total: 4, bad: 1 })
  })
}
