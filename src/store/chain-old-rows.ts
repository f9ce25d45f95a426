import type { DatabaseSync } from 'node:sqlite'
import { chainHash, EMPTY_JOURNAL } from '../shared/journal-chain.ts'
import { readStoredRow } from './rows.ts'

const PAGE_ROWS = 2000

/** Gives the journal its chain of hashes. Rows from before are chained as they are found: what was done to them until then stays unseen. */
export function chainOldRows(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE journal ADD COLUMN hash TEXT NOT NULL DEFAULT '';
    ALTER TABLE head ADD COLUMN journalSeq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE head ADD COLUMN journalHash TEXT NOT NULL DEFAULT '${EMPTY_JOURNAL.hash}';
    DROP TRIGGER journalKeepsWords;
  `)
  const rows = db.prepare(
    'SELECT seq, workload, CAST(event AS BLOB) AS event, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?',
  )
  const setHash = db.prepare('UPDATE journal SET hash = ? WHERE seq = ?')
  let head = EMPTY_JOURNAL
  for (let isOver = false; !isOver; ) {
    const page = rows.all(head.seq, PAGE_ROWS).map(readStoredRow)
    for (const { seq, text } of page) {
      head = { seq, hash: chainHash(head.hash, seq, text) }
      setHash.run(head.hash, seq)
    }
    isOver = page.length < PAGE_ROWS
  }
  db.prepare('UPDATE head SET journalSeq = ?, journalHash = ?').run(head.seq, head.hash)
  db.exec(`
    CREATE TRIGGER journalKeepsWords BEFORE UPDATE ON journal
      BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  `)
}
