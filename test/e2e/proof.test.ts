import { describe, expect, test } from 'vitest'
import type { EventBody, JournalRow } from '../../src/core/event.ts'
import type { Outcome } from '../../src/core/gates/verdict.ts'
import { brokenFacts, createWriteRecord, overlappingWriters, strayWrites, unprovenRaises } from '../support/proof.ts'

const HOLD_SECONDS = 2

function rowsOf(...bodies: readonly (EventBody & { readonly atMs?: number })[]): readonly JournalRow[] {
  const head = { atMs: 0, runId: 'run', workload: 'catalog', actor: 'headgate' }
  return bodies.map((body, index) => ({ seq: index + 1, event: { ...head, ...body } }))
}

function raise(fromPercent: number, toPercent: number, outcome: Outcome = 'pass', atMs = 5_000) {
  const evidence = [{ gate: 'availability', outcome, evidence: {}, sentence: '' }]
  return {
    type: 'weight-intended',
    fromPercent,
    toPercent,
    trial: null,
    urgency: 'forward',
    reason: '',
    evidence,
    atMs,
  } as const
}

const FIRST = raise(0, 25, 'wait', 0)
const IN_FORCE = {
  type: 'weight-in-force',
  weightPercent: 25,
  settleSeconds: 0,
  secondsSinceIntended: 1,
  observedSharePercent: 25,
  requests: 100,
  atMs: 1_000,
} as const
const HOLD = {
  type: 'hold-added',
  hold: { cause: 'paused', detail: '', sinceMs: 0, actor: 'ada' },
  evidence: [],
} as const

describe('what the crash tests hold a journal to', () => {
  test('a raise that was proven is none of their business', () => {
    expect(unprovenRaises(rowsOf(FIRST, IN_FORCE, raise(25, 50)), HOLD_SECONDS)).toEqual([])
  })

  test.each([
    ['nothing in force', rowsOf(FIRST, raise(25, 50)), 'was not in force'],
    ['in force before the last intent only', rowsOf(FIRST, IN_FORCE, raise(25, 50), raise(50, 100)), 'not in force'],
    ['a gate that waits', rowsOf(FIRST, IN_FORCE, raise(25, 50, 'wait')), 'availability wait'],
    ['too early', rowsOf(FIRST, IN_FORCE, raise(25, 50, 'pass', 2_000)), 'for 1000 ms'],
    ['while somebody holds it', rowsOf(FIRST, IN_FORCE, HOLD, raise(25, 50)), 'held by paused'],
  ])('a raise with %s is found', (_name, rows, fault) => {
    expect(unprovenRaises(rows, HOLD_SECONDS)).toEqual([expect.stringContaining(fault)])
  })

  test('a fact that was acted on twice, or never, is found', () => {
    const done = { type: 'command-done', factId: 'a', command: 'pause', reason: '' } as const
    expect(brokenFacts(rowsOf(done), ['a'])).toEqual([])
    expect(brokenFacts(rowsOf(done, done), ['a', 'b'])).toHaveLength(2)
  })

  test('a write that nobody intended is found, and so are two writers', () => {
    const { sets, tap } = createWriteRecord()
    tap('prompt\nset server catalog/old wei', 1)
    tap('ght 75\nset server catalog/new weight 25\n', 1)
    expect(strayWrites(sets, rowsOf(FIRST))).toEqual([])
    expect(overlappingWriters(sets)).toEqual([])
    tap('set server catalog/new weight 50\n', 2)
    expect(strayWrites(sets, rowsOf(FIRST))).toHaveLength(1)
    expect(overlappingWriters(sets)).toEqual([])
    tap('set server catalog/new weight 25\n', 1)
    expect(overlappingWriters(sets)).toHaveLength(1)
  })

  test('a revert that was killed between its two commands is whole when NEW has nothing, and a raise is not', () => {
    const back = { ...raise(25, 0), urgency: 'revert' } as const
    const reverted = createWriteRecord()
    reverted.tap(
      'set server catalog/old weight 75\nset server catalog/new weight 25\nset server catalog/new weight 0\n',
      1,
    )
    expect(strayWrites(reverted.sets, rowsOf(FIRST, back))).toEqual([])
    const raised = createWriteRecord()
    raised.tap('set server catalog/new weight 25\n', 1)
    expect(strayWrites(raised.sets, rowsOf(FIRST))).toHaveLength(1)
    const kept = createWriteRecord()
    kept.tap('set server catalog/old weight 75\nset server catalog/new weight 25\n', 1)
    expect(strayWrites(kept.sets, rowsOf(FIRST, back))).toHaveLength(1)
  })
})
