import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { initialState } from '../../src/core/initial.ts'
import { migrate, STEPS } from '../../src/store/schema.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { createStorePath } from './place.ts'
import { sampleCommit, sampleEvent, samplePlan, sampleState } from './samples.ts'

let place: ReturnType<typeof createStorePath>
beforeEach(() => {
  place = createStorePath()
})
afterEach(() => place.remove())

/** A store as the version before wrote it. */
function oldStore(version: number, fill: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(place.path)
  migrate(db, place.path, STEPS.slice(0, version))
  fill(db)
  db.close()
}

function omit(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}

describe('a store from before the chain', () => {
  test('is chained when it is opened, goes on from there, and stays append-only', async () => {
    oldStore(1, (db) => {
      const insert = db.prepare('INSERT INTO journal (seq, workload, event) VALUES (?, ?, ?)')
      // More than one page of the migration.
      db.exec('BEGIN')
      for (let seq = 1; seq <= 4100; seq++) insert.run(seq, 'a', JSON.stringify(sampleEvent('a', `reason ${seq}`)))
      db.exec('COMMIT')
    })
    const { store, journal } = openSqlite(place.path)
    expect(await journal.verify(null)).toMatchObject({ head: { seq: 4100 }, fault: null })
    const before = await journal.head()
    const lease = await store.lease('one', 0, 1)
    await store.commit(sampleCommit({ lease, revision: 0, events: [sampleEvent('b')] }))
    expect(await journal.verify(before)).toMatchObject({ head: { seq: 4101 }, fault: null })
    await store.close()
    const db = new DatabaseSync(place.path)
    expect(() => db.exec(`UPDATE journal SET hash = ''`)).toThrow('append-only')
    db.close()
  })
})

describe('a row that an older Headgate wrote', () => {
  const newer = ['round', 'startedAtMs', 'approved', 'tasks', 'checks', 'fullReplicas', 'totals', 'drain', 'closed']

  test('of a state: what it does not know is as in a new rollout, what it knows stays', async () => {
    const known = sampleState('checkout', { intendedWeightPercent: 25, heldMs: 7, phaseSinceMs: 5_000 })
    oldStore(2, (db) =>
      db
        .prepare('INSERT INTO rollout (workload, planHash, state) VALUES (?, NULL, ?)')
        .run('checkout', JSON.stringify(omit(known, newer))),
    )
    const { store } = openSqlite(place.path)
    const [state] = (await store.load()).rollouts
    await store.close()
    expect(state).toEqual({ ...initialState('checkout', '01RUN', 5_000), ...omit(known, newer) })
    expect(Object.keys(state ?? {}).sort()).toEqual(Object.keys(initialState('a', 'b', 0)).sort())
  })

  test('of a state with its verdicts: the outcomes stay', async () => {
    const { outcomes, ...known } = sampleState('checkout', { heldMs: 7.25 })
    const verdicts = [
      { gate: 'harm/a "b"', outcome: 'pass', evidence: { requests: 12 }, sentence: 'all well' },
      { gate: 'proof/a', outcome: 'wait', evidence: {}, sentence: 'more is needed' },
    ]
    oldStore(3, (db) =>
      db
        .prepare('INSERT INTO rollout (workload, planHash, state) VALUES (?, NULL, ?)')
        .run('checkout', JSON.stringify({ ...known, verdicts })),
    )
    const { store } = openSqlite(place.path)
    const { rollouts } = await store.load()
    await store.close()
    expect(outcomes).toEqual({})
    expect(rollouts).toEqual([{ ...known, outcomes: { 'harm/a "b"': 'pass', 'proof/a': 'wait' } }])
  })

  test('of a state as a whole: it is read, and written in two parts by the next commit', async () => {
    const known = sampleState('checkout', { heldMs: 7, proofs: { 'proof/a': [1.5, -2] } })
    oldStore(4, (db) =>
      db
        .prepare('INSERT INTO rollout (workload, planHash, state) VALUES (?, NULL, ?)')
        .run('checkout', JSON.stringify(known)),
    )
    const { store } = openSqlite(place.path)
    expect((await store.load()).rollouts).toEqual([known])
    const lease = await store.lease('one', 0, 1)
    const next = { ...known, heldMs: 8, proofs: { 'proof/a': [1.5, -3] } }
    await store.commit(sampleCommit({ lease, revision: 0, rollouts: [next] }))
    expect((await store.load()).rollouts).toEqual([next])
    await store.close()
  })

  test('of a plan: it has none of the parts that came later, and an approval is one that any operator can give', async () => {
    const plan = samplePlan('aaaa')
    const steps = [
      { weightPercent: 50, trial: null, holdSeconds: 60, approval: true },
      { weightPercent: 100, trial: null, holdSeconds: 60, approval: false },
    ]
    const stored = { ...omit(plan, ['objects', 'checks', 'hooks', 'capacity', 'drain']), steps }
    oldStore(2, (db) => {
      db.prepare('INSERT INTO plan (hash, plan) VALUES (?, ?)').run('aaaa', JSON.stringify(stored))
      db.prepare('INSERT INTO rollout (workload, planHash, state) VALUES (?, ?, ?)').run(
        'checkout',
        'aaaa',
        JSON.stringify(sampleState('checkout', { planHash: 'aaaa' })),
      )
    })
    const { store } = openSqlite(place.path)
    const { plans } = await store.load()
    await store.close()
    expect(plans.get('aaaa')).toEqual({
      ...plan,
      steps: [
        { ...steps[0], warm: null, approval: { roles: [], expiresSeconds: null } },
        { ...steps[1], warm: null, approval: null },
      ],
    })
  })
})
