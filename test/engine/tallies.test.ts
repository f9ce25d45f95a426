import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { initialState } from '../../src/core/initial.ts'
import { partsOf, type Tally } from '../../src/core/state.ts'
import { Tallies } from '../../src/engine/tallies.ts'

const FRESH = partsOf(initialState('a', 'RUN', 0)).tally
const counts = fc.record({ total: fc.nat(), bad: fc.nat() })
const totals = fc.dictionary(
  fc.constantFrom('availability', 'latency'),
  fc.record({ untilMs: fc.nat(), counts: fc.record({ old: counts, new: counts }) }),
)
const proofs = fc.dictionary(
  fc.constantFrom('proof/a', 'proof/b'),
  fc.array(fc.double({ noNaN: true }), { maxLength: 5 }),
)
const tally: fc.Arbitrary<Tally> = fc
  .record({ totals, proofs, lastPercent: fc.option(fc.double({ min: 0, max: 100, noNaN: true })) })
  .map(({ lastPercent, ...rest }) => ({ ...FRESH, ...rest, share: { ...FRESH.share, lastPercent } }))

describe('what ticks add up to, packed', () => {
  test('each workload has its newest, however often shapes change and whoever else comes and goes', () => {
    const changes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), tally), { maxLength: 60 })
    fc.assert(
      fc.property(changes, (all) => {
        const tallies = new Tallies()
        const newest = new Map<string, Tally>()
        for (const [workload, one] of all) {
          tallies.set(workload, one)
          newest.set(workload, one)
          for (const [name, wanted] of newest) expect(tallies.get(name)).toEqual(wanted)
        }
      }),
    )
  })

  test('more than there is room for at first', () => {
    const tallies = new Tallies()
    const of = (index: number): Tally => ({ ...FRESH, share: { ...FRESH.share, untilMs: index } })
    for (let index = 0; index < 1000; index++) tallies.set(`w${index}`, of(index))
    for (let index = 0; index < 1000; index++) expect(tallies.get(`w${index}`)).toEqual(of(index))
  })

  test('what was never there is refused, also after all was dropped', () => {
    const tallies = new Tallies()
    tallies.set('a', FRESH)
    tallies.clear()
    expect(() => tallies.get('a')).toThrow('no tally of a')
  })
})
