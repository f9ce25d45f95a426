import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stepLabel } from '../../src/core/step-label.ts'
import { stepsSchema } from '../../src/policy/schema-steps.ts'
import { planSteps } from '../../src/policy/steps.ts'

const moving = fc.constantFrom({ marked: true, hold: '5m' }, { mirror: '10%', hold: '5m' })
const still = fc.constantFrom(
  { wait: '30m' },
  { warm: { requests: 5 } },
  { warm: { requests: 5 }, hold: '1m' },
  { approval: true },
  { approval: { roles: ['leads'], expires: '4h' } },
)
const weights = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
  .map((list) => [...list.sort((a, b) => a - b), 100])

/** Any steps that the schema takes: trials first, then rising weights, and anywhere but at the end what moves nothing. */
const stepsOf = fc
  .tuple(fc.array(fc.oneof(moving, still), { maxLength: 4 }), weights, fc.array(still, { minLength: 6, maxLength: 6 }))
  .map(([first, list, between]) => [
    ...first,
    ...list.flatMap((weight, index) => [
      ...(index > 0 && index % 2 === 0 ? [between[index] ?? { wait: '1m' }] : []),
      { weight: `${weight}%`, hold: '5m' },
    ]),
  ])

describe('steps of a plan', () => {
  test('never fall, end at 100 %, and stay as they are where nothing moves', () => {
    fc.assert(
      fc.property(stepsOf, (written) => {
        const plan = planSteps(stepsSchema.parse(written))
        expect(plan.length).toBe(written.length)
        expect(plan.at(-1)?.weightPercent).toBe(100)
        for (const [index, step] of plan.entries()) {
          const before = plan[index - 1] ?? { weightPercent: 0, trial: null }
          const own = written[index] ?? {}
          expect(step.weightPercent).toBeGreaterThanOrEqual(before.weightPercent)
          if ('weight' in own) expect(step.trial).toBe(null)
          else expect(step.weightPercent).toBe(before.weightPercent)
          if (!('weight' in own || 'marked' in own || 'mirror' in own)) expect(step.trial).toEqual(before.trial)
        }
      }),
    )
  })

  test('have labels that tell them apart', () => {
    const plan = planSteps(
      stepsSchema.parse([
        { approval: true },
        { wait: '5m' },
        { marked: true, hold: '5m' },
        { mirror: '10%', hold: '5m' },
        { wait: '5m' },
        { warm: { requests: 5 } },
        { weight: '10%', hold: '5m' },
        { approval: true },
        { weight: '100%', hold: '5m', approval: true },
      ]),
    )
    expect(plan.map((_, index) => stepLabel(plan, index))).toEqual([
      'approval at 0 %',
      'wait at 0 %',
      'marked requests',
      'copies of 10 %',
      'wait at 0 %',
      'warm-up at 0 %',
      '10 %',
      'approval at 10 %',
      '100 %',
    ])
  })
})
