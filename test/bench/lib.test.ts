import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atMost, percentile, spread } from '../../bench/lib.ts'

describe('percentile', () => {
  test.each([
    ['the middle of an odd number', [3, 1, 2], 50, 2],
    ['the lower middle of an even number', [4, 1, 3, 2], 50, 2],
    ['the second greatest of a hundred', Array.from({ length: 100 }, (_, index) => index + 1), 99, 99],
    ['the greatest of a few', [5, 7], 99, 7],
    ['the smallest at zero', [5, 7], 0, 5],
    ['none of none', [], 99, Number.NaN],
  ])('is %s', (_, samples, percent, wanted) => {
    expect(percentile(samples, percent)).toBe(wanted)
  })

  test('is a sample that so many do not exceed, and no smaller one is', () => {
    const samples = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 })
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const found = percentile(values, percent)
        const shareUpTo = (bound: number) => values.filter((value) => value <= bound).length / values.length
        expect(values).toContain(found)
        expect(shareUpTo(found) * 100).toBeGreaterThanOrEqual(percent - 1e-9)
        for (const smaller of values.filter((value) => value < found))
          expect(shareUpTo(smaller) * 100).toBeLessThan(percent)
      }),
    )
  })
})

test('a target is met up to its bound, as measured and not as rounded', () => {
  expect(atMost('x', 3, 'times', 3)).toEqual({ name: 'x', value: 3, unit: 'times', target: 3, ok: true })
  expect(atMost('x', 3.0001, 'times', 3)).toEqual({ name: 'x', value: 3, unit: 'times', target: 3, ok: false })
  expect(atMost('x', Number.NaN, 'times', 3).ok).toBe(false)
})

test('a spread tells how many samples there were, rounded to the microsecond', () => {
  expect(spread([1.23456, 2, 3])).toEqual({ count: 3, p50: 2, p90: 3, p99: 3, max: 3 })
  expect(spread([1.23456]).p50).toBe(1.235)
})
