import { DatabaseSync } from 'node:sqlite'
import type { StoredRow } from '../../src/shared/journal-chain.ts'
import { readStoredRow } from '../../src/store/rows.ts'

/** Changes the journal in a store's file, as somebody with a hand on it can: the triggers are dropped first. */
export function tamperWith(path: string, edit: (rows: readonly StoredRow[]) => readonly StoredRow[]): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('DROP TRIGGER IF EXISTS journalKeepsRows; DROP TRIGGER IF EXISTS journalKeepsWords')
    const rows = db.prepare('SELECT seq, workload, CAST(event AS BLOB) AS event, hash FROM journal ORDER BY seq').all()
    const edited = edit(rows.map(readStoredRow))
    db.exec('DELETE FROM journal')
    const insert = db.prepare('INSERT INTO journal (seq, workload, event, hash) VALUES (?, ?, CAST(? AS TEXT), ?)')
    for (const { seq, workload, text, hash } of edited) insert.run(seq, workload, text, hash)
  } finally {
    db.close()
  }
}
