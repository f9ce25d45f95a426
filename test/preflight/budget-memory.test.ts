import { expect, test } from 'vitest'
import { missing } from '../../src/core/observation.ts'
import { groupKey, type Measure, type MetricSource, type SliVector } from '../../src/ports/source.ts'
import { createBudgetMemory } from '../../src/preflight/budget-memory.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { createFakeSource } from '../fakes/source.ts'
import { sliSpec } from '../support/slis.ts'

const SPEC = sliSpec({ kind: 'selector', total: 'a', bad: 'b' })
const SHOP = groupKey('blue', 'shop')

const counts = (total: number, bad: number): Measure => ({ kind: 'counts', total, bad, latencies: null })
const hour = (...groups: readonly (readonly [string, Measure])[]): SliVector => ({
  kind: 'vector',
  sinceMs: 0,
  atMs: 1,
  groups: new Map(groups),
})

function place(history: MetricSource['history']) {
  const clock = createFakeClock(0)
  const asked: number[] = []
  const source: MetricSource = {
    ...createFakeSource().source,
    history: (sli, span, signal) => {
      asked.push(span.seconds)
      return history(sli, span, signal)
    },
  }
  return { clock, asked, memory: createBudgetMemory(new Map([['any', source]]), clock) }
}

test('the hours of 30 days are added up by group', async () => {
  const { memory, asked } = place(async () => [
    hour([SHOP, counts(100, 1)]),
    hour([SHOP, counts(50, 2)], ['x', counts(1, 0)]),
  ])
  expect(await memory.spent(SPEC)).toEqual(
    new Map([
      [SHOP, { total: 150, bad: 3 }],
      ['x', { total: 1, bad: 0 }],
    ]),
  )
  expect(asked).toEqual([30 * 86_400])
})

test('an hour that is no number makes its group missing, and no other', async () => {
  const odd = missing('not-a-number', 'NaN')
  const { memory } = place(async () => [hour([SHOP, odd], ['x', counts(1, 0)]), hour([SHOP, counts(50, 2)])])
  expect(await memory.spent(SPEC)).toEqual(
    new Map<string, unknown>([
      [SHOP, odd],
      ['x', { total: 1, bad: 0 }],
    ]),
  )
})

test('a source without memory says so', async () => {
  const { memory } = place(async () => [])
  expect(await memory.spent(SPEC)).toBeNull()
})

test('a month is asked for once in a quarter of an hour, a failure again after a minute', async () => {
  let answer: Awaited<ReturnType<MetricSource['history']>> = missing('unreachable', 'no connection')
  const { memory, clock, asked } = place(async () => answer)
  await memory.spent(SPEC)
  await clock.advance(59_000)
  expect(await memory.spent(SPEC)).toMatchObject({ why: 'unreachable' })
  expect(asked).toHaveLength(1)
  answer = [hour([SHOP, counts(1, 0)])]
  await clock.advance(1_000)
  expect(await memory.spent(SPEC)).toEqual(new Map([[SHOP, { total: 1, bad: 0 }]]))
  await clock.advance(899_000)
  await memory.spent(SPEC)
  expect(asked).toHaveLength(2)
  await clock.advance(1_000)
  await memory.spent(SPEC)
  expect(asked).toHaveLength(3)
})

test('a slow month is not asked for twice, and given up after a minute', async () => {
  const { memory, clock, asked } = place(() => new Promise(() => {}))
  const [first, second] = [memory.spent(SPEC), memory.spent(SPEC)]
  await clock.advance(60_000)
  expect([await first, await second]).toEqual([
    missing('timeout', 'the source did not tell 30 days within 60 s'),
    missing('timeout', 'the source did not tell 30 days within 60 s'),
  ])
  await settled()
  expect(asked).toHaveLength(1)
})
