import type { JournalRowJson } from '../../api/wire.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type JournalReader, readTail, serviceJournal, storeJournal } from '../journal-reader.ts'
import { journalOfMigration, migrationsOfService, migrationsOfStore } from '../migrations.ts'
import { type Session, say, sayJson, sayProblem } from '../session.ts'
import { journalLine } from '../view.ts'

export interface JournalOptions {
  readonly workload?: string
  readonly migration?: string
  readonly follow?: boolean
  readonly limit: number
  /** Rows after this one instead of the newest. */
  readonly after?: number
  /** A SQLite file instead of the service. */
  readonly store?: string
}

/** `headgate journal`: rows of the record, and with `--follow` those that come. */
export async function journal(session: Session, options: JournalOptions): Promise<ExitCode> {
  const { io } = session
  const { workload, limit } = options
  const reader = await openReader(session, options)
  const print = (row: JournalRowJson) => {
    if (session.json) sayJson(session, row)
    else say(session, [journalLine(row, session.style)])
  }
  try {
    const page =
      options.after === undefined
        ? await readTail(reader, limit, workload)
        : await reader.page({ afterSeq: options.after, limit, ...(workload !== undefined && { workload }) })
    page.rows.forEach(print)
    if (options.follow) for await (const row of reader.follow(page.nextAfterSeq, workload, io.interrupted)) print(row)
    return EXIT.ok
  } finally {
    await reader.close()
  }
}

async function openReader(session: Session, { store, migration }: JournalOptions): Promise<JournalReader> {
  const { io } = session
  const toStderr = { ...session, json: false }
  const client = session.client
  const reader =
    store === undefined
      ? serviceJournal(client(), io.clock, (problem) => sayProblem(toStderr, problem.toJSON()))
      : await storeJournal(store, io.clock)
  if (migration === undefined) return reader
  const load = () => (store === undefined ? migrationsOfService(client()) : migrationsOfStore(store))
  return journalOfMigration(reader, migration, load)
}
