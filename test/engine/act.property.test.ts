import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WriterBench } from './writer.ts'

const target = fc.constantFrom('a', 'b', 'c')
const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ want: target, weight: fc.constantFrom('10', '50', '0!') }) },
  { weight: 1, arbitrary: fc.record({ want: target, weight: fc.constant('') }) },
  { weight: 3, arbitrary: fc.record({ answer: fc.constantFrom('apply', 'refuse', 'nothing') }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 6_000 }) }) },
)

test('calls never overlap, nothing overtakes a revert, and the last word ends up at the provider', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
      const bench = new WriterBench({ chance: 0.5 })
      /** The last word on each target, and when it was said: by the number of calls made before. */
      const lastWord = new Map<string, { weight: string; saidAt: number }>()
      const say = async (id: string, weight: string) => {
        lastWord.set(id, { weight, saidAt: bench.calls.length })
        await bench.want(weight === '' ? id : `${id}=${weight}`)
      }
      const check = () => {
        expect(bench.open().length).toBeLessThanOrEqual(1)
        const newest = bench.calls.at(-1)
        for (const { targetId, weightPercent, urgency } of newest?.changes ?? []) {
          const { weight, saidAt } = lastWord.get(targetId) ?? { weight: 'never', saidAt: 0 }
          // A call that began after the last word carries that word and no older one.
          if (saidAt < bench.calls.length && newest)
            expect(`${weightPercent}${urgency === 'revert' ? '!' : ''}`).toBe(weight)
        }
      }
      for (const one of moves) {
        if ('want' in one) await say(one.want, one.weight)
        else if ('passMs' in one) await bench.clock.advance(one.passMs)
        else if (bench.open().length > 0) {
          if (one.answer === 'nothing') await bench.answer(() => new Map())
          else await bench[one.answer === 'apply' ? 'apply' : 'refuse']()
        }
        check()
      }
      // All faults end; what is not there yet is wanted again, as a sweep would.
      while (bench.open().length > 0) await bench.apply()
      await bench.clock.advance(10_000)
      for (let round = 0; round < 2; round++) {
        while (bench.open().length > 0) await bench.apply()
        for (const [id, { weight }] of lastWord)
          if (weight !== '' && bench.weights.get(id) !== Number.parseFloat(weight)) await say(id, weight)
        while (bench.open().length > 0) await bench.apply()
      }
      for (const [id, { weight }] of lastWord)
        if (weight !== '') expect(bench.weights.get(id)).toBe(Number.parseFloat(weight))
      expect(bench.clock.sleepers()).toBe(0)
    }),
    { numRuns: 300 },
  )
})
