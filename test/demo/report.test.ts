import { describe, expect, test } from 'vitest'
import { isAsExpected, outcomeOf, reportOn, type WorkloadReport } from '../../examples/demo/report.ts'
import type { JournalRowJson } from '../../src/api/wire.ts'
import type { Hold, Phase } from '../../src/core/state.ts'

const HALTED: Hold = { cause: 'halted', detail: 'too slow', sinceMs: 0, actor: 'headgate' }
const BLIND: Hold = { cause: 'blind', detail: 'no data', sinceMs: 0, actor: 'headgate' }

const standings: Record<string, { phase: Phase; holds?: Hold[]; want: string }> = {
  'completed is an outcome': { phase: { name: 'completed' }, want: 'completed' },
  'reverted is an outcome, held or not': { phase: { name: 'reverted', reason: '' }, holds: [HALTED], want: 'reverted' },
  'a halted step is an outcome': { phase: { name: 'stepping', stepIndex: 2 }, holds: [BLIND, HALTED], want: 'halted' },
  'a blind step goes on': { phase: { name: 'stepping', stepIndex: 2 }, holds: [BLIND], want: 'running' },
  'a revert on its way is none yet': {
    phase: { name: 'reverting', reason: '', startedAtMs: 0 },
    holds: [HALTED],
    want: 'running',
  },
}

test.each(Object.entries(standings))('%s', (_, { phase, holds = [], want }) => {
  expect(outcomeOf({ phase, holds })).toBe(want)
})

describe('the report on a workload', () => {
  const tally = { requests: 100, failedRequests: 3, slowRequests: 0, firstFailedAtMs: 1_000, answeredBy: new Map() }
  const confirmed = rowOf('checkout', 'revert-confirmed', 5_460)

  test('tells the time from the first failure to the confirmed revert', () => {
    const journal = [rowOf('search', 'revert-confirmed', 2_000), rowOf('checkout', 'revert-started', 4_000), confirmed]
    const report = reportOn('checkout', 'reverted', 0, tally, journal)
    expect(report).toMatchObject({ failedRequests: 3, expected: 'reverted', secondsFromFirstBadToRevertConfirmed: 4.5 })
  })

  test('tells no time where nothing was reverted', () => {
    expect(reportOn('checkout', 'halted', 10, tally, []).secondsFromFirstBadToRevertConfirmed).toBeNull()
  })

  test('tells no time where nothing had failed', () => {
    const report = reportOn('checkout', 'reverted', 0, { ...tally, firstFailedAtMs: null }, [confirmed])
    expect(report.secondsFromFirstBadToRevertConfirmed).toBeNull()
  })
})

const verdicts: Record<
  string,
  { is: Pick<WorkloadReport, 'outcome' | 'expected' | 'finalWeightPercent'>; want: boolean }
> = {
  'completed at 100 %': { is: { outcome: 'completed', expected: 'completed', finalWeightPercent: 100 }, want: true },
  'completed, but the router disagrees': {
    is: { outcome: 'completed', expected: 'completed', finalWeightPercent: 50 },
    want: false,
  },
  'reverted at 0 %': { is: { outcome: 'reverted', expected: 'reverted', finalWeightPercent: 0 }, want: true },
  'reverted, but traffic is left on new': {
    is: { outcome: 'reverted', expected: 'reverted', finalWeightPercent: 10 },
    want: false,
  },
  'halted on the way': { is: { outcome: 'halted', expected: 'halted', finalWeightPercent: 25 }, want: true },
  'halted before it began': { is: { outcome: 'halted', expected: 'halted', finalWeightPercent: 0 }, want: false },
  'halted where a revert was due': {
    is: { outcome: 'halted', expected: 'reverted', finalWeightPercent: 10 },
    want: false,
  },
}

test.each(Object.entries(verdicts))('%s', (_, { is, want }) => {
  const report = { requests: 1, failedRequests: 0, slowRequests: 0, secondsFromFirstBadToRevertConfirmed: null, ...is }
  expect(isAsExpected(report)).toBe(want)
})

function rowOf(workload: string, type: string, atMs: number): JournalRowJson {
  return { seq: 1, severity: 'info', sentence: '', event: { type, atMs, runId: 'r', workload, actor: 'headgate' } }
}
