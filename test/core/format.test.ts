import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCount } from '../../src/core/format.ts'

test.each([
  [0, '0'],
  [999.4, '999'],
  [999.5, '1,000'],
  [1500, '1,500'],
  [1_234_567, '1,234,567'],
  [-0.2, '0'],
])('a count of %d is told as %s', (count, told) => {
  expect(formatCount(count)).toBe(told)
})

test('commas stand where English has them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (count) => {
      expect(formatCount(count)).toBe(count.toLocaleString('en-US'))
    }),
  )
})
