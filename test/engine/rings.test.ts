import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SliWindows } from '../../src/engine/rings.ts'

const START_MS = Date.UTC(2026, 0, 5)
const CELLS = 12

interface Tick {
  readonly atMs: number
  readonly total: number
  readonly bad: number
}

/** Ticks of whole seconds, with gaps now and then; oldest first. */
const ticks = fc
  .array(
    fc.record({ gapSeconds: fc.constantFrom(1, 5, 10, 15, 60, 700), total: fc.nat(1000), badPercent: fc.nat(100) }),
    { minLength: 1, maxLength: 80 },
  )
  .map((parts) => {
    let atMs = START_MS
    return parts.map(({ gapSeconds, total, badPercent }): Tick => {
      atMs += gapSeconds * 1000
      return { atMs, total, bad: Math.floor((total * badPercent) / 100) }
    })
  })
const windowSeconds = fc.constantFrom(60, 90, 100, 300, 3600)

/** Sums what a model that keeps all ticks has in (fromMs, atMs]. */
function sumOf(all: readonly Tick[], fromMs: number, atMs: number) {
  const within = all.filter((tick) => tick.atMs > fromMs && tick.atMs <= atMs)
  return {
    total: within.reduce((sum, { total }) => sum + total, 0),
    bad: within.reduce((sum, { bad }) => sum + bad, 0),
  }
}

/** By a model of one cell after the other, in double precision. */
function cellsOf(all: readonly (Tick & { readonly lengthMs: number })[], seconds: number, atMs: number) {
  const cellMs = (seconds * 1000) / CELLS
  const cellOf = (ms: number) => Math.ceil(ms / cellMs) - 1
  const cells = new Map<number, { total: number; bad: number }>()
  for (const tick of all) {
    const share = Math.min(1, (seconds * 1000) / tick.lengthMs)
    const cell = cells.get(cellOf(tick.atMs)) ?? { total: 0, bad: 0 }
    cells.set(cellOf(tick.atMs), { total: cell.total + tick.total * share, bad: cell.bad + tick.bad * share })
  }
  const newest = cellOf(atMs)
  const within = [...cells].filter(([cell]) => cell <= newest && cell > newest - CELLS).sort(([a], [b]) => bySlot(a, b))
  return within.reduce((sum, [, { total, bad }]) => ({ total: sum.total + total, bad: sum.bad + bad }), NONE)
}

const NONE = { total: 0, bad: 0 }
/** As they are added up: doubles make a difference of the order. */
const bySlot = (a: number, b: number) => (a % CELLS) - (b % CELLS)

function filled(all: readonly Tick[], seconds: number): SliWindows {
  const windows = new SliWindows([seconds])
  for (const tick of all) windows.add('g', tick.atMs, tick)
  return windows
}

describe('a window', () => {
  test('counts to the last digit, also what is no whole number, or more than four billion', () => {
    const count = fc.oneof(fc.nat(1000), fc.constantFrom(0.1, 1e6 / 3, 4_294_967_295, 4_294_967_296, 1e12))
    const tick = fc.record({
      gapSeconds: fc.constantFrom(5, 60, 700),
      total: count,
      bad: count,
      lengthSeconds: fc.constantFrom(5, 7_000),
    })
    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 60 }), windowSeconds, (parts, seconds) => {
        let atMs = START_MS
        const windows = new SliWindows([seconds])
        const all = parts.map(({ gapSeconds, total, bad, lengthSeconds }) => {
          atMs += gapSeconds * 1000
          const one = { atMs, total, bad, lengthMs: lengthSeconds * 1000 }
          windows.add('g', atMs, one, one.lengthMs)
          return one
        })
        expect(windows.sum('g', seconds, atMs, 0)).toEqual(cellsOf(all, seconds, atMs))
      }),
    )
  })

  test('holds all of its newest eleven twelfths once, and nothing older than itself', () => {
    fc.assert(
      fc.property(ticks, windowSeconds, (all, seconds) => {
        const windows = new SliWindows([seconds])
        for (const [index, tick] of all.entries()) {
          windows.add('g', tick.atMs, tick)
          const sum = windows.sum('g', seconds, tick.atMs, 0)
          const ms = seconds * 1000
          const known = all.slice(0, index + 1)
          const least = sumOf(known, tick.atMs - ms + ms / CELLS, tick.atMs)
          const most = sumOf(known, tick.atMs - ms, tick.atMs)
          expect(sum?.total).toBeGreaterThanOrEqual(least.total)
          expect(sum?.total).toBeLessThanOrEqual(most.total)
          expect(sum?.bad).toBeGreaterThanOrEqual(least.bad)
          expect(sum?.bad).toBeLessThanOrEqual(most.bad)
        }
      }),
    )
  })

  test('holds nothing that ended before a person resumed, and all that began a cell later', () => {
    fc.assert(
      fc.property(ticks, windowSeconds, fc.nat(1_000_000), (all, seconds, sinceOffsetMs) => {
        const atMs = all.at(-1)?.atMs ?? 0
        const sinceMs = START_MS + sinceOffsetMs
        const cellMs = (seconds * 1000) / CELLS
        const sum = filled(all, seconds).sum('g', seconds, atMs, sinceMs)
        const least = sumOf(all, Math.max(sinceMs + cellMs, atMs - seconds * 1000 + cellMs), atMs)
        const most = sumOf(all, Math.max(sinceMs, atMs - seconds * 1000), atMs)
        expect(sum?.total).toBeGreaterThanOrEqual(least.total)
        expect(sum?.total).toBeLessThanOrEqual(most.total)
      }),
    )
  })

  test('has the same sum in whatever order its ticks come, as when the memory answers after the newest tick', () => {
    fc.assert(
      fc.property(ticks, windowSeconds, fc.nat(80), (all, seconds, cut) => {
        const atMs = all.at(-1)?.atMs ?? 0
        const late = filled([...all.slice(cut), ...all.slice(0, cut)], seconds)
        expect(late.sum('g', seconds, atMs, 0)).toEqual(filled(all, seconds).sum('g', seconds, atMs, 0))
      }),
    )
  })

  test('takes of a tick that is longer than itself the share that falls into it', () => {
    const windows = new SliWindows([60, 3600])
    windows.add('g', START_MS, { total: 6000, bad: 60 }, 600_000)
    expect(windows.sum('g', 60, START_MS, 0)).toEqual({ total: 600, bad: 6 })
    expect(windows.sum('g', 3600, START_MS, 0)).toEqual({ total: 6000, bad: 60 })
  })

  test('keeps each of many groups by itself, whenever it was seen first', () => {
    const windows = new SliWindows([60, 300])
    const total = (group: number) => group + 1
    for (let group = 0; group < 1000; group++)
      windows.add(`g${group}`, START_MS + (group % 5) * 1000, { total: total(group), bad: group % 2 })
    for (let group = 0; group < 1000; group++)
      expect(windows.sum(`g${group}`, 300, START_MS + 5000, 0)).toEqual({ total: total(group), bad: group % 2 })
  })

  test('forgets what one group counted as time goes on, also where only another one still counts', () => {
    const windows = new SliWindows([60])
    windows.add('quiet', START_MS, { total: 5, bad: 5 })
    for (let second = 1; second <= 120; second++) windows.add('busy', START_MS + second * 1000, { total: 1, bad: 0 })
    expect(windows.sum('quiet', 60, START_MS + 120_000, 0)).toEqual({ total: 0, bad: 0 })
  })

  test('of a group that was never seen is not a zero', () => {
    const windows = filled([{ atMs: START_MS, total: 1, bad: 0 }], 60)
    expect(windows.sum('other', 60, START_MS, 0)).toBeNull()
    expect(windows.sum('g', 60, START_MS + 3_600_000, 0)).toEqual({ total: 0, bad: 0 })
  })
})
