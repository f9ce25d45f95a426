import { expect, test } from 'vitest'
import type { RolloutState } from '../../src/core/state.ts'
import { leastSecondsLeft } from '../../src/telemetry/least-time.ts'
import { samplePlan, sampleState } from '../store/samples.ts'

const step = (weightPercent: number, holdSeconds: number) => ({
  weightPercent,
  holdSeconds,
  trial: null,
  warm: null,
  approval: null,
})
const plan = {
  ...samplePlan('aaaa'),
  steps: [step(10, 60), step(50, 120), step(100, 30)],
  bakeSeconds: 600,
  drainSeconds: 300,
}
const drain = { quietMs: 100_000, untilMs: 0, requests: 0, lastRequestAtMs: null }

test.each<[string, Partial<RolloutState>, number | null]>([
  ['before the start all of it', {}, 1110],
  ['within a step what its hold still has, and all that follows', stepping(1, 20_000), 1030],
  ['a hold that is over no longer counts, however long proof takes', stepping(1, 500_000), 930],
  ['baking what is left of it, and the drain', { phase: { name: 'baking' }, heldMs: 100_000 }, 800],
  ['draining what is not quiet yet', { phase: { name: 'draining' }, drain }, 200],
  ['completed nothing', { phase: { name: 'completed' } }, 0],
  ['reverted nobody knows', { phase: { name: 'reverted', reason: 'harm' } }, null],
])('%s', (_, changes, want) => {
  expect(leastSecondsLeft(plan, sampleState('checkout', changes))).toBe(want)
})

function stepping(stepIndex: number, heldMs: number): Partial<RolloutState> {
  return { phase: { name: 'stepping', stepIndex }, heldMs }
}
