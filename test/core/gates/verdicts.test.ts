import { describe, expect, test } from 'vitest'
import { judgeBudget, weighBudget } from '../../../src/core/gates/budget.ts'
import { judgeHarm, weighHarm } from '../../../src/core/gates/harm.ts'
import { judgeLatency, weighLatency } from '../../../src/core/gates/latency.ts'
import { judgeProof, weighProof } from '../../../src/core/gates/proof.ts'
import type { Proof } from '../../../src/core/gates/proof-test.ts'
import type { Verdict } from '../../../src/core/gates/verdict.ts'
import { addCounts, type Counts, NO_COUNTS } from '../../../src/core/observation.ts'
import type { Harm, LowTraffic, Sides } from '../../../src/core/plan.ts'
import type { BudgetState, HarmState, LatencyState } from '../../../src/core/state.ts'
import { budgetGate, harmGate, latencyGate, proofGate } from '../../scenarios/plans.ts'

// The objective is 99 %: 1 % of the requests may be bad.

const STAGE = { index: 0, count: 5, plannedTicks: 20 }

/** `3/200` is 3 bad events of 200. */
function counts(text: string): Counts {
  const [bad = Number.NaN, total = Number.NaN] = text.split('/').map(Number)
  return { total, bad }
}

/** One tick on both sides: `new 3/200, old 1/3800`. */
function sides(text: string): Sides<Counts> {
  const [, fresh = '', old = ''] = /^new (\S+), old (\S+)$/.exec(text) ?? []
  return { new: counts(fresh), old: counts(old) }
}

function told({ outcome, sentence }: Verdict): string {
  return `${outcome}: ${sentence}`
}

interface HarmCase {
  readonly ticks: readonly string[]
  readonly worst?: Harm
  readonly phi?: number
  readonly of?: 'availability' | 'probe'
  readonly says: string
}

function harmOf({ ticks, worst = 'revert', phi = 1, of = 'availability' }: HarmCase): Verdict {
  const gate = harmGate('harm', of === 'probe' ? { probe: 'health' } : { sli: of }, { worst })
  let state: HarmState | null = null
  for (const [index, tick] of ticks.entries())
    state = weighHarm(gate, state, { atMs: index + 1, counts: sides(tick), stage: STAGE, phi })
  if (!state) throw new Error('a case needs a tick')
  return judgeHarm(gate, state, 'fails')
}

const HARM: Readonly<Record<string, HarmCase>> = {
  'nothing served yet': {
    ticks: ['new 0/0, old 2/4000'],
    says: 'pass: availability: nothing shows new to be worse than old',
  },
  'as good as old': {
    ticks: Array.from({ length: 20 }, () => 'new 1/200, old 4/3800'),
    says: 'pass: availability: nothing shows new to be worse than old',
  },
  'one bad request of one': {
    ticks: ['new 1/1, old 0/99'],
    says: 'pass: availability: nothing shows new to be worse than old',
  },
  'much worse than old': {
    ticks: ['new 0/300, old 3/5700', 'new 30/300, old 3/5700'],
    says: 'revert: availability: new fails 10 % of 300 requests, old 0.053 %: 190 times worse; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'much worse, with a policy that may only halt': {
    ticks: ['new 30/300, old 3/5700'],
    worst: 'halt',
    says: 'halt: availability: new fails 10 % of 300 requests, old 0.053 %: 190 times worse; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'much worse than an old that never failed': {
    ticks: ['new 30/300, old 0/5700'],
    says: 'revert: availability: new fails 10 % of 300 requests, old 0 %; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'the same, where bad events come in bursts of 9': {
    ticks: ['new 30/300, old 3/5700'],
    phi: 9,
    says: 'pass: availability: nothing shows new to be worse than old',
  },
  'a little worse for long': {
    ticks: Array.from({ length: 20 }, () => 'new 24/2000, old 4/2000'),
    says: 'halt: availability: new fails 1.2 % of 38,000 requests, old 0.2 %: 6 times worse; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'both fail alike': {
    ticks: ['new 60/300, old 1140/5700'],
    says: 'halt: availability: new fails 20 % of 300 requests, old 20 %; both fail beyond the objective: a shared dependency, which a revert would not mend; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'no old to compare with': {
    ticks: ['new 400/8000, old 0/0'],
    says: 'halt: availability: new fails 5 % of 8,000 requests, old serves none to compare with; more than the 2 % that is allowed whatever old does; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'a fault after hours without old: what was good before does not water it down': {
    ticks: [...Array.from({ length: 50 }, () => 'new 1/1000, old 0/0'), 'new 80/1000, old 0/0'],
    says: 'halt: availability: new fails 8 % of 1,000 requests, old serves none to compare with; more than the 2 % that is allowed whatever old does; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  },
  'a probe that fails on new alone, for some rounds': {
    ticks: Array.from({ length: 4 }, () => 'new 1/1, old 0/1'),
    of: 'probe',
    says: 'halt: probe health: new fails 100 % of 4 rounds, old 0 %; more than the 2 % that is allowed whatever old does; a false alarm this strong happens in fewer than 1 of 3,900 rollouts',
  },
  'a probe that fails on new alone, for many': {
    ticks: Array.from({ length: 24 }, () => 'new 1/1, old 0/1'),
    of: 'probe',
    says: 'revert: probe health: new fails 100 % of 24 rounds, old 0 %; a false alarm this strong happens in fewer than 1 of 5,200 rollouts',
  },
}

describe('the verdict on harm', () => {
  test.each(Object.entries(HARM))('%s', (_, one) => {
    expect(told(harmOf(one))).toBe(one.says)
  })

  test('has its numbers beside it', () => {
    const { evidence } = harmOf({ ticks: ['new 30/300, old 3/5700'], says: '' })
    expect(evidence).toMatchObject({ newRequests: 300, newBad: 30, oldRequests: 5700, oldBad: 3, dispersion: 1 })
    expect(evidence).toMatchObject({ revertNeeds: 1000, haltNeeds: 100, absoluteNeeds: 100 })
    expect(evidence['revertEvidence']).toBeGreaterThan(1000)
  })

  test('names a shared dependency for machines as well', () => {
    expect(harmOf({ ticks: ['new 60/300, old 1140/5700'], says: '' }).evidence['cause']).toBe('shared-dependency')
    expect(harmOf({ ticks: ['new 400/8000, old 0/0'], says: '' }).evidence['cause']).toBe('objective')
  })
})

/** Requests whose latencies fall off exponentially. */
function slower(total: number, meanSeconds: number, bounds: readonly number[]): readonly number[] {
  return bounds.map((bound) => Math.round(total * Math.exp(-bound / meanSeconds)))
}

const LATENCY: readonly [name: string, meanSeconds: Sides<number>, slow: Harm, says: string][] = [
  ['as fast', { old: 0.1, new: 0.1 }, 'halt', 'pass: latency: nothing shows new to be slower than old'],
  ['faster', { old: 0.2, new: 0.1 }, 'halt', 'pass: latency: nothing shows new to be slower than old'],
  [
    'twice as slow',
    { old: 0.1, new: 0.2 },
    'halt',
    'halt: latency: new has 28.6 % of 3,000 requests slower than 0.25 s, old 8.2 %; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  ],
  [
    'twice as slow, with a policy that may revert',
    { old: 0.1, new: 0.2 },
    'revert',
    'revert: latency: new has 28.6 % of 3,000 requests slower than 0.25 s, old 8.2 %; a false alarm this strong happens in fewer than 1 of 1,000,000 rollouts',
  ],
]

test.each(LATENCY)('the verdict on latencies: %s', (_, meanSeconds, slow, says) => {
  const gate = latencyGate({ slow })
  const bounds = [0.05, 0.1, 0.25, 0.5, 1]
  let state: LatencyState | null = null
  for (let tick = 1; tick <= 6; tick++)
    state = weighLatency(gate, state, {
      atMs: tick,
      counts: { old: { total: 2000, bad: 0 }, new: { total: 500, bad: 0 } },
      stage: STAGE,
      phi: 1,
      latencies: {
        boundsSeconds: bounds,
        slower: { old: slower(2000, meanSeconds.old, bounds), new: slower(500, meanSeconds.new, bounds) },
      },
    })
  const verdict = state && judgeLatency(gate, state)
  expect(verdict && told(verdict)).toBe(says)
  expect(verdict?.evidence['newP95Seconds']).toBeCloseTo(-Math.log(0.05) * meanSeconds.new, 0)
})

interface ProofCase {
  readonly ticks: readonly string[]
  readonly low?: LowTraffic
  readonly heldSeconds?: number
  readonly isProbed?: boolean
  readonly nowPercent?: number
  readonly says: string
}

const LITTLE = { ticks: ['new 0/3, old 0/57'], heldSeconds: 600 } as const

const PROOF: Readonly<Record<string, ProofCase>> = {
  'nothing served': { ticks: [], says: 'wait: availability: new has served nothing yet: not proven yet (1 of 10)' },
  'good for long enough': {
    ticks: ['new 0/100, old 1/1900', 'new 0/100, old 1/1900'],
    says: 'pass: availability: new fails 0 % of 200 requests, old 0.053 %: good enough for 50 %',
  },
  'a bad request early': {
    ticks: ['new 1/100, old 1/1900'],
    says: 'wait: availability: new fails 1 % of 100 requests, old 0.053 %: not proven yet (0.98 of 10)',
  },
  'no old to compare with': {
    ticks: ['new 2/1000, old 0/0'],
    nowPercent: 100,
    says: 'pass: availability: new fails 0.2 % of 1,000 requests, old serves none to compare with: good enough for 100 %',
  },
  'little traffic, early': {
    ticks: LITTLE.ticks,
    heldSeconds: 60,
    low: 'person',
    says: 'wait: availability: new fails 0 % of 3 requests, old 0 %: not proven yet (1 of 10)',
  },
  'little traffic, wait': {
    ...LITTLE,
    low: 'wait',
    says: 'wait: availability: new fails 0 % of 3 requests, old 0 %: not proven yet (1 of 10)',
  },
  'little traffic, person': {
    ...LITTLE,
    low: 'person',
    says: 'wait: availability: new fails 0 % of 3 requests, old 0 %: not proven yet (1 of 10) after 10 min: a person decides, by `headgate advance`',
  },
  'little traffic, probes that pass': {
    ...LITTLE,
    low: 'probes',
    isProbed: true,
    says: 'pass: availability: new fails 0 % of 3 requests, old 0 %: not proven yet (1 of 10) after 10 min: the probes passed instead, as the policy says',
  },
  'little traffic, no probe that passes': {
    ...LITTLE,
    low: 'probes',
    says: 'wait: availability: new fails 0 % of 3 requests, old 0 %: not proven yet (1 of 10) after 10 min, and no probe has passed',
  },
}

test.each(Object.entries(PROOF))('the verdict on a proof: %s', (_, one) => {
  const gate = proofGate('availability', { low: one.low ?? 'wait' })
  const raise = { nowPercent: one.nowPercent ?? 5, nextPercent: one.nowPercent ?? 50 }
  let proof: Proof | null = null
  let counted = { old: NO_COUNTS, new: NO_COUNTS }
  for (const tick of one.ticks.map(sides)) {
    proof = weighProof(gate, proof, { counts: tick, raise, phi: 1 })
    counted = { old: addCounts(counted.old, tick.old), new: addCounts(counted.new, tick.new) }
  }
  const at = { raise, heldSeconds: one.heldSeconds ?? 30, isProbed: one.isProbed ?? false, verb: 'fails' as const }
  expect(told(judgeProof(gate, proof, counted, at))).toBe(one.says)
})

const HOUR_MS = 3_600_000

const SPENT: readonly [name: string, tick: string, oldRate: number | null, worst: Harm, says: string][] = [
  [
    'no more bad than old would have had',
    'new 10/10000, old 10/10000',
    0.001,
    'revert',
    "pass: availability: the migration has spent none of 30 days' error budget",
  ],
  [
    'one more',
    'new 11/10000, old 10/10000',
    0.001,
    'revert',
    "pass: availability: the migration has spent 0.00069 % of 30 days' error budget: 1 request bad on new that would have been good on old",
  ],
  [
    'beyond the limit to halt',
    'new 1810/10000, old 10/10000',
    0.001,
    'revert',
    "halt: availability: the migration has spent 1.3 % of 30 days' error budget: 1,800 requests bad on new that would have been good on old; the limit is 1 %",
  ],
  [
    'beyond the limit to revert',
    'new 3610/10000, old 10/10000',
    0.001,
    'revert',
    "revert: availability: the migration has spent 2.5 % of 30 days' error budget: 3,600 requests bad on new that would have been good on old; the limit is 2 %",
  ],
  [
    'beyond it, with a policy that may only halt',
    'new 3610/10000, old 10/10000',
    0.001,
    'halt',
    "halt: availability: the migration has spent 2.5 % of 30 days' error budget: 3,600 requests bad on new that would have been good on old; the limit is 1 %",
  ],
  [
    'bad, with no word of old',
    'new 3610/10000, old 0/0',
    null,
    'revert',
    "pass: availability: the migration has spent none of 30 days' error budget",
  ],
]

test.each(SPENT)('the verdict on the budget: %s', (_, tick, oldRate, worst, says) => {
  const gate = budgetGate('availability', { worst })
  const state: BudgetState = weighBudget(null, {
    sinceMs: 0,
    atMs: HOUR_MS,
    counts: sides(tick),
    stageIndex: 0,
    oldRate,
  })
  expect(told(judgeBudget(gate, state, 0.01))).toBe(says)
})
