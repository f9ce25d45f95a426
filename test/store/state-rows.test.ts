import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RolloutState } from '../../src/core/state.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { StateRows } from '../../src/store/state-rows.ts'
import { createStorePath } from './place.ts'
import { sampleCommit, sampleState } from './samples.ts'

const counts = fc.record({ total: fc.nat(), bad: fc.nat() })
const evidence = fc.dictionary(
  fc.constantFrom('availability', 'latency', '1', 'with "quotes"', 'constructor'),
  fc.record({ untilMs: fc.nat(), counts: fc.record({ old: counts, new: counts }) }),
  { noNullPrototype: true },
)
const proofs = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })),
  {
    noNullPrototype: true,
  },
)
const state: fc.Arbitrary<RolloutState> = fc
  .record({ evidence, proofs, heldMs: fc.nat(), lastPercent: fc.option(fc.double({ min: 0, max: 100, noNaN: true })) })
  .map(({ lastPercent, ...rest }) =>
    sampleState('checkout', { ...rest, share: { ...sampleState('checkout').share, lastPercent } }),
  )

/** As JSON has it: without the sign of a zero. */
function plain(value: RolloutState): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** A written state read by another process, which knows the shapes that were written alone. */
function through(writer: StateRows, shapes: Map<string, string>, value: RolloutState): RolloutState {
  const { standing, tally, shape } = writer.write(value)
  shapes.set(shape.hash, shape.shape)
  const row = { workload: value.workload, state: standing, tally }
  return new StateRows().read(row, (hash) => shapes.get(hash) ?? null)
}

describe('a state as rows', () => {
  test('is read as it was written, whatever shapes it goes through', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), (states) => {
        const [writer, shapes] = [new StateRows(), new Map<string, string>()]
        for (const one of states) expect(plain(through(writer, shapes, one))).toEqual(plain(one))
      }),
    )
  })

  test.each([
    ['without its tally', { tally: null }, 'tally is not there for checkout'],
    ['whose shape is gone', {}, 'names the shape'],
    ['with a number too few', { tally: 'SHAPE [1]' }, 'has 1 numbers, not'],
    ['with something else among its numbers', { tally: 'SHAPE [true]' }, 'is no list of numbers'],
    ['cut off', { tally: 'SHAPE [1,' }, 'is no JSON'],
  ])('%s is refused as damaged, and not filled with what was never counted', (_, changes, cause) => {
    const { standing, tally, shape } = new StateRows().write(sampleState('checkout'))
    const damaged = 'tally' in changes ? (changes.tally?.replace('SHAPE', shape.hash) ?? null) : tally
    const row = { workload: 'checkout', state: standing, tally: damaged }
    const shapeOf = 'tally' in changes ? () => shape.shape : () => null
    expect(() => new StateRows().read(row, shapeOf)).toThrow(cause)
  })
})

describe('SQLite', () => {
  let place: ReturnType<typeof createStorePath>
  beforeEach(() => {
    place = createStorePath()
  })
  afterEach(() => place.remove())

  test('writes where a rollout stands when that changes, and what its ticks add up to each time', async () => {
    const { store } = openSqlite(place.path)
    const lease = await store.lease('one', 0, 1000)
    await store.commit(sampleCommit({ lease, revision: 0, rollouts: [sampleState('checkout')] }))
    const db = new DatabaseSync(place.path)
    db.exec(`CREATE TABLE log (what TEXT);
      CREATE TRIGGER noteState AFTER UPDATE ON rollout BEGIN INSERT INTO log VALUES ('standing'); END;
      CREATE TRIGGER noteTally AFTER UPDATE ON tally BEGIN INSERT INTO log VALUES ('tally'); END;`)
    const written = async (revision: number, changes: Partial<RolloutState>) => {
      db.exec('DELETE FROM log')
      await store.commit(sampleCommit({ lease, revision, rollouts: [sampleState('checkout', changes)] }))
      return db
        .prepare('SELECT what FROM log ORDER BY rowid')
        .all()
        .map(({ what }) => what)
    }
    expect(await written(1, { heldMs: 10, lastStepMs: 2_000 })).toEqual(['tally'])
    expect(await written(2, { heldMs: 20, intendedWeightPercent: 5 })).toEqual(['standing', 'tally'])
    expect((await store.load()).rollouts).toMatchObject([{ heldMs: 20, intendedWeightPercent: 5 }])
    db.close()
    await store.close()
  })
})
