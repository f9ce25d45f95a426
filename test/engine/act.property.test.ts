import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import type { WriteResult } from '../../src/ports/traffic.ts'
import { WriterBench } from './writer.ts'

const target = fc.constantFrom('a', 'b', 'c')
const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ want: target, weight: fc.constantFrom('10', '50', '0!') }) },
  { weight: 1, arbitrary: fc.record({ want: target, weight: fc.constant('') }) },
  { weight: 3, arbitrary: fc.record({ answer: fc.constantFrom('apply', 'refuse', 'nothing', 'room for one') }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 6_000 }) }) },
)

const benches: Readonly<Record<string, () => WriterBench>> = {
  'no quota': () => new WriterBench({ chance: 0.5 }),
  'a quota of two calls a second': () => {
    const bench: WriterBench = new WriterBench({
      chance: 0.5,
      takeTurn: (_, urgency, signal) => quotas.of('account', { callsPerSecond: 2, burst: 2 }).take(urgency, signal),
    })
    const quotas = createQuotas(bench.clock)
    return bench
  },
}

const roomForOne = (bench: WriterBench) =>
  bench.answer((changes) => {
    const [first] = changes
    if (first) bench.weights.set(first.targetId, first.weightPercent)
    return new Map(
      changes.map(({ targetId }, index): [string, WriteResult] => [
        targetId,
        { kind: index === 0 ? 'applied' : 'deferred' },
      ]),
    )
  })

test.each(Object.keys(benches))(
  'calls never overlap, nothing overtakes a revert, and the last word ends up at the provider, with %s',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
        const bench = (benches[name] ?? (() => new WriterBench()))()
        /** The last word on each target, and when it was said: by the number of calls made before. */
        const lastWord = new Map<string, { weight: string; saidAt: number }>()
        const say = async (id: string, weight: string) => {
          lastWord.set(id, { weight, saidAt: bench.calls.length })
          await bench.want(weight === '' ? id : `${id}=${weight}`)
        }
        const check = () => {
          expect(bench.open().length).toBeLessThanOrEqual(1)
          const newest = bench.calls.at(-1)
          expect(new Set(newest?.changes.map(({ urgency }) => urgency)).size).toBeLessThanOrEqual(1)
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
            if (one.answer === 'room for one') await roomForOne(bench)
            else if (one.answer === 'nothing') await bench.answer(() => new Map())
            else await bench[one.answer === 'apply' ? 'apply' : 'refuse']()
          }
          check()
        }
        // All faults end; what is not there yet is wanted again, as a sweep would.
        const settle = async () => {
          // In short steps: a call that nobody answers for seconds is given up.
          for (let passedMs = 0; passedMs < 10_000; passedMs += 500) {
            while (bench.open().length > 0) await bench.apply()
            await bench.clock.advance(500)
          }
        }
        await settle()
        for (let round = 0; round < 2; round++) {
          for (const [id, { weight }] of lastWord)
            if (weight !== '' && bench.weights.get(id) !== Number.parseFloat(weight)) await say(id, weight)
          await settle()
        }
        for (const [id, { weight }] of lastWord)
          if (weight !== '') expect(bench.weights.get(id)).toBe(Number.parseFloat(weight))
        expect(bench.clock.sleepers()).toBe(0)
      }),
      { numRuns: 300 },
    )
  },
)
