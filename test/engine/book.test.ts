import { describe, expect, test } from 'vitest'
import { Book } from '../../src/engine/book.ts'
import type { Snapshot } from '../../src/ports/store.ts'
import { samplePlan, sampleState } from '../store/samples.ts'

function snapshot(...workloads: readonly string[]): Snapshot {
  const rollouts = workloads.map((workload) => sampleState(workload, { planHash: `of ${workload}` }))
  return {
    revision: 1,
    rollouts,
    plans: new Map(workloads.map((name) => [`of ${name}`, samplePlan(`of ${name}`, name)])),
  }
}

function namesIn(book: Book): readonly string[] {
  return book.subjects().map(({ plan }) => plan.workload)
}

describe('the book', () => {
  test('lists what was loaded last, also when that is nothing', () => {
    const book = new Book()
    book.load(snapshot('a', 'b'))
    expect(namesIn(book)).toEqual(['a', 'b'])
    book.load(snapshot('b'))
    expect(namesIn(book)).toEqual(['b'])
    book.load(snapshot())
    expect(namesIn(book)).toEqual([])
    expect(book.subject('b')).toBeNull()
  })

  test('gives a rollout as it was committed last, whole, and its plan', () => {
    const book = new Book()
    book.load(snapshot('a'))
    const counts = { old: { total: 4, bad: 0 }, new: { total: 1, bad: 1 } }
    const next = sampleState('a', { planHash: 'anew', heldMs: 7, totals: { availability: { untilMs: 9, counts } } })
    book.committed(2, [next], [samplePlan('anew', 'a')])
    expect(book.subject('a')).toEqual({ state: next, plan: samplePlan('anew', 'a') })
    expect(book.subjects().map(({ state, plan }) => [state.heldMs, plan.hash])).toEqual([[7, 'anew']])
  })
})
