import type { DatabaseSync } from 'node:sqlite'

export type Statements = ReturnType<typeof prepareStatements>

/** Every statement that the store uses beside its migrations. */
export function prepareStatements(db: DatabaseSync) {
  return {
    head: db.prepare('SELECT revision, leaseOwner, leaseToken, leaseUntilMs, journalSeq, journalHash FROM head'),
    setHead: db.prepare('UPDATE head SET revision = ?, journalSeq = ?, journalHash = ?'),
    setLease: db.prepare('UPDATE head SET leaseOwner = ?, leaseToken = ?, leaseUntilMs = ?'),
    dropLease: db.prepare('UPDATE head SET leaseOwner = NULL WHERE leaseOwner = ? AND leaseToken = ?'),

    runId: db.prepare(`SELECT state ->> '$.runId' AS runId FROM rollout ORDER BY place LIMIT 1`),
    rollouts: db.prepare('SELECT workload, state, tally FROM rollout LEFT JOIN tally USING (place) ORDER BY place'),
    // An update keeps the place: rollouts stay in the order in which they came. What is the same is not written again.
    putRollout: db.prepare(
      `INSERT INTO rollout (workload, planHash, state) VALUES (?, ?, ?)
       ON CONFLICT (workload) DO UPDATE SET planHash = excluded.planHash, state = excluded.state
       WHERE state <> excluded.state OR planHash IS NOT excluded.planHash`,
    ),
    putTally: db.prepare(
      `INSERT INTO tally (place, tally) SELECT place, ? FROM rollout WHERE workload = ?
       ON CONFLICT (place) DO UPDATE SET tally = excluded.tally`,
    ),
    shape: db.prepare('SELECT shape FROM shape WHERE hash = ?'),
    putShape: db.prepare('INSERT INTO shape (hash, shape) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING'),
    plan: db.prepare('SELECT hash, plan FROM plan WHERE hash = ?'),
    // A hash names one text: what is there already is the same.
    putPlan: db.prepare('INSERT INTO plan (hash, plan) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING'),

    putEvent: db.prepare('INSERT INTO journal (seq, workload, event, hash) VALUES (?, ?, ?, ?)'),
    rows: db.prepare('SELECT seq, workload, event FROM journal WHERE seq > ? ORDER BY seq LIMIT ?'),
    rowsOfWorkload: db.prepare(
      'SELECT seq, workload, event FROM journal WHERE workload = ? AND seq > ? ORDER BY seq LIMIT ?',
    ),
    // As bytes: what is no UTF-8 any more must not be read as if it were.
    storedRows: db.prepare(
      'SELECT seq, workload, CAST(event AS BLOB) AS event, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?',
    ),

    cursor: db.prepare('SELECT channel, cursor FROM cursor WHERE channel = ?'),
    putCursor: db.prepare(
      'INSERT INTO cursor (channel, cursor) VALUES (?, ?) ON CONFLICT (channel) DO UPDATE SET cursor = excluded.cursor',
    ),

    putFact: db.prepare('INSERT INTO fact (id, fact) VALUES (?, ?) ON CONFLICT (id) DO NOTHING'),
    pendingFacts: db.prepare('SELECT id, fact FROM fact WHERE consumedRevision IS NULL ORDER BY place LIMIT ?'),
    allFacts: db.prepare('SELECT id, fact, consumedRevision FROM fact ORDER BY place'),
    allCursors: db.prepare('SELECT channel, cursor FROM cursor ORDER BY channel'),
    consumeFact: db.prepare('UPDATE fact SET consumedRevision = ? WHERE id = ? AND consumedRevision IS NULL'),
  }
}
