import type { JournalHead, JournalVerdict } from '../../shared/journal-chain.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { paint } from '../view.ts'

export interface VerifyOptions {
  /** A SQLite file instead of the service. */
  readonly store?: string
  /** A head that was noted down before. */
  readonly expect?: JournalHead
}

/** `headgate journal verify`: proves that no row was changed or lost, and says the head to note down. */
export async function journalVerify(session: Session, { store, expect }: VerifyOptions): Promise<ExitCode> {
  const verdict = await verdictOn(session, store, expect ?? null)
  const { head, fault } = verdict
  if (session.json) sayJson(session, verdict)
  else if (fault === null) {
    const noted = expect === undefined ? '' : `, row ${expect.seq} as noted down`
    const rows = head.seq === 1 ? 'the only row is' : `all ${head.seq} rows are`
    say(session, [
      head.seq === 0 ? 'the journal is empty' : `${rows} as written${noted}`,
      `head ${head.seq}:${head.hash}`,
    ])
  } else {
    const told = `row ${fault.seq}: ${fault.what}: ${fault.detail}; nothing from there on is proven`
    session.io.err(`${paint(told, 'bad', session.style)}\n`)
  }
  return fault === null ? EXIT.ok : EXIT.failed
}

async function verdictOn(
  session: Session,
  path: string | undefined,
  expected: JournalHead | null,
): Promise<JournalVerdict> {
  if (path === undefined) return session.client().verifyJournal(expected)
  const { openSqlite } = await import('../../store/sqlite.ts')
  const { journal, store } = openSqlite(path, { readOnly: true })
  try {
    return await journal.verify(expected)
  } finally {
    await store.close()
  }
}
