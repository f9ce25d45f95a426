import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TickPages } from '../../src/engine/tick-pages.ts'

const LENGTH = 3
/** More groups than a page has. */
const ROWS = 130

const count = fc.oneof(fc.nat(300), fc.constantFrom(255, 256, 65_535, 65_536, 16_777_216, 0.5, 1234.5))
const put = fc.record({
  row: fc.oneof(fc.nat(3), fc.nat(ROWS - 1)),
  place: fc.nat(LENGTH - 1),
  tick: fc.record({ total: count, bad: count }),
})

test('each group has its own ticks, however wide those of its neighbours are', () => {
  fc.assert(
    fc.property(fc.array(put, { maxLength: 60 }), (puts) => {
      const pages = new TickPages(LENGTH)
      const rows = Array.from({ length: ROWS }, () => pages.take())
      const newest = new Map<string, (typeof puts)[number]>()
      for (const one of puts) {
        pages.put(rows[one.row] ?? -1, one.place, one.tick)
        newest.set(`${one.row} ${one.place}`, one)
      }
      for (const { row, place, tick } of newest.values()) expect(pages.at(rows[row] ?? -1, place)).toEqual(tick)
    }),
  )
})

test('rows are given to one group at a time, and those that came back are given again', () => {
  const pages = new TickPages(LENGTH)
  const rows = Array.from({ length: ROWS }, () => pages.take())
  expect(new Set(rows).size).toBe(ROWS)
  pages.giveBack(7)
  expect(pages.take()).toBe(7)
  expect(rows).not.toContain(pages.take())
})
