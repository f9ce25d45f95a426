import { accessSync, constants, existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { problem } from '../core/problem.ts'
import { guarded } from './failure.ts'
import { checkVersion, migrate, STEPS } from './schema.ts'
import { prepareStatements, type Statements } from './statements.ts'

/**
 * The event loop stands still while SQLite waits for a lock. There is one writer, so only a second process that was
 * started by mistake, or a restart, makes it wait at all.
 */
const BUSY_TIMEOUT_MS = 250

/**
 * Pages of the write-ahead log after which they are taken over into the file: 32 MB, more than a sweep of ten thousand
 * workloads writes. SQLite's own 1,000 took each page of such a fleet over several times a sweep.
 */
const CHECKPOINT_PAGES = 8000

/** The one way to the file. What SQLite throws leaves as STORE_BUSY or STORE_UNAVAILABLE. */
export interface Connection {
  /** Reads as of one revision. */
  read<T>(work: (sql: Statements) => T): T
  /** Writes all or nothing; durable when it returns. Throws STORE_UNAVAILABLE where only reading was asked for. */
  write<T>(work: (sql: Statements) => T): T
  close(): void
}

/** Opens the file for the service: makes it where there is none, and brings it to the present version. */
export function openWriter(path: string): Connection {
  const db = guarded(path, () => new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }))
  try {
    checkWritable(path)
    return writerOn(db, path)
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * SQLite opens what it may not write to be read, and a connection stays so: a disk that can be written again later would not help
 * a service that runs on.
 */
function checkWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw problem('STORE_UNAVAILABLE', `${path} cannot be written`, {
      from: error,
      hint: 'the file and its disk must be writable: mend that, then start Headgate',
    })
  }
}

/** Makes a writer of an open database; `path` names it in problems. */
export function writerOn(db: DatabaseSync, path: string): Connection {
  const sql = guarded(path, () => {
    // Before the first change: the file may be somebody else's.
    checkVersion(db, path)
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
    if (mode !== 'wal')
      throw problem('STORE_UNAVAILABLE', `${path} cannot keep a write-ahead log`, {
        hint: 'put the store on a local disk',
      })
    // With WAL, only FULL makes a commit durable when it returns.
    db.exec('PRAGMA synchronous = FULL')
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    migrate(db, path)
    return prepareStatements(db)
  })
  return {
    read: (work) => guarded(path, () => inTransaction(db, 'BEGIN', () => work(sql))),
    write: (work) => guarded(path, () => inTransaction(db, 'BEGIN IMMEDIATE', () => work(sql))),
    close: () => {
      if (db.isOpen) guarded(path, () => db.close())
    },
  }
}

/**
 * Opens the file for a tool, whether or not the service runs. Each read has a connection of its own, so that none
 * outlives a start or a stop of the service. Nothing is created: where no write-ahead log is there, no service runs,
 * and the file is read as it stands, because SQLite's usual way of reading would leave a log behind.
 */
export function openReader(path: string): Connection {
  const isServiceUp = () => existsSync(`${path}-wal`)
  const read = <T>(work: (sql: Statements) => T): T => {
    if (isServiceUp()) return readOnce(path, path, work)
    const alone = new URL(`${pathToFileURL(path).href}?immutable=1`)
    try {
      const result = readOnce(path, alone, work)
      if (!isServiceUp()) return result
    } catch (error) {
      if (!isServiceUp()) throw error
    }
    // The service has started below the reader, which may have seen half a change.
    return readOnce(path, path, work)
  }
  // A mistaken path shows at once, not at the first read.
  read(() => undefined)
  return {
    read,
    write: () => {
      throw problem('STORE_UNAVAILABLE', `${path} was opened to be read only`, { hint: 'ask the service by its API' })
    },
    close: () => {},
  }
}

function readOnce<T>(path: string, location: string | URL, work: (sql: Statements) => T): T {
  if (!existsSync(path))
    throw problem('STORE_UNAVAILABLE', `${path} does not exist`, {
      hint: 'correct the path, or start `headgate run` once: it makes the store',
    })
  return guarded(path, () => {
    const db = new DatabaseSync(location, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    try {
      return inTransaction(db, 'BEGIN', () => {
        const version = checkVersion(db, path)
        if (version < STEPS.length)
          throw problem('STORE_UNAVAILABLE', `${path} has version ${version}, this Headgate reads ${STEPS.length}`, {
            hint: 'start `headgate run` of this version once: it brings the store up to date',
          })
        return work(prepareStatements(db))
      })
    } finally {
      db.close()
    }
  })
}

function inTransaction<T>(db: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  db.exec(begin)
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } finally {
    // SQLite itself has rolled back after some failures, a full disk among them.
    if (db.isTransaction) db.exec('ROLLBACK')
  }
}
