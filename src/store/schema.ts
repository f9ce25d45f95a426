import type { DatabaseSync } from 'node:sqlite'
import { problem } from '../core/problem.ts'
import { chainOldRows } from './chain-old-rows.ts'
import { integer } from './rows.ts'

/** Marks the file as Headgate's: `HDGT` in ASCII. */
const APPLICATION_ID = 0x48444754

/** SQL, or what SQL alone cannot do. Runs in a transaction. */
type Step = string | ((db: DatabaseSync) => void)

/**
 * The schema's history: step n brings a store from version n to n + 1 (`PRAGMA user_version`). A step that was once
 * released is never edited; a change of the JSON in `state`, `plan`, `event` or `fact` that old rows do not fit is a
 * step too.
 */
export const STEPS: readonly Step[] = [
  `
  -- One row. The revision rises by one with each commit.
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    leaseOwner TEXT,
    leaseToken INTEGER NOT NULL,
    leaseUntilMs INTEGER NOT NULL
  ) STRICT;
  INSERT INTO head VALUES (1, 0, NULL, 0, 0);

  -- Pinned plans are kept for good: the journal names them.
  CREATE TABLE plan (
    hash TEXT PRIMARY KEY,
    plan TEXT NOT NULL
  ) STRICT;

  CREATE TABLE rollout (
    place INTEGER PRIMARY KEY,
    workload TEXT NOT NULL UNIQUE,
    planHash TEXT REFERENCES plan (hash),
    state TEXT NOT NULL
  ) STRICT;

  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    workload TEXT,
    event TEXT NOT NULL
  ) STRICT;
  CREATE INDEX journalByWorkload ON journal (workload, seq);
  CREATE TRIGGER journalKeepsRows BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER journalKeepsWords BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

  -- A consumed fact stays, so that its id is not taken in twice.
  CREATE TABLE fact (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    fact TEXT NOT NULL,
    consumedRevision INTEGER
  ) STRICT;
  CREATE INDEX factPending ON fact (place) WHERE consumedRevision IS NULL;
  `,
  chainOldRows,
  `
  -- How far each channel of notifications has come.
  CREATE TABLE cursor (
    channel TEXT PRIMARY KEY,
    cursor TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Of verdicts only the outcomes are stored: numbers and words are made anew by each sweep.
  UPDATE rollout SET state = json_set(
    json_remove(state, '$.verdicts'),
    '$.outcomes',
    (SELECT json_group_object(value ->> 'gate', value ->> 'outcome') FROM json_each(rollout.state, '$.verdicts'))
  ) WHERE json_type(state, '$.verdicts') = 'array';
  `,
  `
  -- What ticks add up to stands apart from the rest of a state: each sweep writes it anew, as numbers, and what they are
  -- is a shape. A rollout that has no tally yet has all of it in its state.
  CREATE TABLE tally (
    place INTEGER PRIMARY KEY REFERENCES rollout (place),
    tally TEXT NOT NULL
  ) STRICT;
  CREATE TABLE shape (
    hash TEXT PRIMARY KEY,
    shape TEXT NOT NULL
  ) STRICT;
  `,
]

/**
 * Brings the store to `steps`, each step in a transaction of its own, so that a kill between two leaves a valid older
 * version. Throws STORE_VERSION when it is newer already.
 */
export function migrate(db: DatabaseSync, path: string, steps: readonly Step[] = STEPS): void {
  for (let version = checkVersion(db, path, steps); version < steps.length; ) {
    db.exec('BEGIN IMMEDIATE')
    try {
      // Read again under the lock: another process may have been faster.
      version = checkVersion(db, path, steps)
      const step = steps[version]
      if (step !== undefined) {
        if (typeof step === 'string') db.exec(step)
        else step(db)
        version += 1
        db.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${APPLICATION_ID}`)
      }
      db.exec('COMMIT')
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK')
    }
  }
}

/**
 * The version of a store that this Headgate can use, perhaps after steps; 0: an empty file. Throws STORE_VERSION for a
 * newer one, and STORE_UNAVAILABLE for the database of something else.
 */
export function checkVersion(db: DatabaseSync, path: string, steps: readonly Step[] = STEPS): number {
  const version = integer(db.prepare('PRAGMA user_version').get(), 'user_version')
  const applicationId = integer(db.prepare('PRAGMA application_id').get(), 'application_id')
  const tables = integer(db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get(), 'tables')
  if (applicationId !== APPLICATION_ID && (version > 0 || tables > 0))
    throw problem('STORE_UNAVAILABLE', `${path} is the database of something else`, {
      hint: 'the path names a file that is no store: check it',
    })
  if (version > steps.length)
    throw problem('STORE_VERSION', `${path} has version ${version}, this Headgate knows up to ${steps.length}`)
  return version
}
