import type { JournalPageJson, JournalRowJson } from '../api/wire.ts'
import { Problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'
import type { JournalQuery } from '../ports/store.ts'
import type { Client } from './client.ts'

/** Reads the journal, of a service or of a store's file. */
export interface JournalReader {
  page(query: JournalQuery): Promise<JournalPageJson>
  /** Rows after `afterSeq` as they come; ends when the signal aborts. */
  follow(afterSeq: number, workload: string | undefined, signal: AbortSignal): AsyncGenerator<JournalRowJson>
  close(): Promise<void>
}

const PAGE_ROWS = 500
const AGAIN_MS = 1000

/** Over the API. A connection that breaks after it stood is made again; `onTrouble` is told once each time. */
export function serviceJournal(client: Client, clock: Clock, onTrouble: (problem: Problem) => void): JournalReader {
  return {
    page: (query) => client.journal(query),
    async *follow(afterSeq, workload, signal) {
      let cursor = afterSeq
      let hasStood = false
      let isBroken = false
      while (!signal.aborted) {
        try {
          const opened = () => {
            hasStood = true
            isBroken = false
          }
          for await (const row of client.stream({ afterSeq: cursor, ...only(workload) }, opened)) {
            cursor = row.seq
            yield row
          }
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof Problem && hasStood && isPassing(error))) throw error
          if (!isBroken) onTrouble(error)
          isBroken = true
        }
        await clock.sleep(AGAIN_MS, signal)
      }
    },
    close: async () => {},
  }
}

/** Straight from the SQLite file; the service may run meanwhile, or not. */
export async function storeJournal(path: string, clock: Clock): Promise<JournalReader> {
  const [{ openSqlite }, { toJournalRow }] = await Promise.all([
    import('../store/sqlite.ts'),
    import('../api/views.ts'),
  ])
  const { journal, store } = openSqlite(path, { readOnly: true })
  const page = async (query: JournalQuery): Promise<JournalPageJson> => {
    const rows = (await journal.read(query)).map(toJournalRow)
    return { rows, nextAfterSeq: rows.at(-1)?.seq ?? query.afterSeq, lastSeq: await journal.lastSeq() }
  }
  return {
    page,
    async *follow(afterSeq, workload, signal) {
      let cursor = afterSeq
      while (!signal.aborted) {
        const { rows, nextAfterSeq } = await page({ afterSeq: cursor, limit: PAGE_ROWS, ...only(workload) })
        yield* rows
        cursor = nextAfterSeq
        if (rows.length < PAGE_ROWS) await clock.sleep(AGAIN_MS, signal)
      }
    },
    close: () => store.close(),
  }
}

/** The newest `limit` rows, oldest first, and the newest seq of the whole journal. */
export async function readTail(
  reader: Pick<JournalReader, 'page'>,
  limit: number,
  workload: string | undefined,
): Promise<JournalPageJson> {
  const { lastSeq } = await reader.page({ afterSeq: 0, limit: 1 })
  let rows: readonly JournalRowJson[] = []
  // One workload's rows lie thinly among the others': look further and further back.
  for (let span = limit; rows.length < limit; span *= 4) {
    rows = await readSpan(reader, Math.max(0, lastSeq - span), lastSeq, workload)
    if (span >= lastSeq) break
  }
  return { rows: rows.slice(-limit), nextAfterSeq: lastSeq, lastSeq }
}

async function readSpan(
  reader: Pick<JournalReader, 'page'>,
  afterSeq: number,
  lastSeq: number,
  workload: string | undefined,
): Promise<readonly JournalRowJson[]> {
  const found: JournalRowJson[] = []
  for (let cursor = afterSeq; cursor < lastSeq; ) {
    const { rows, nextAfterSeq } = await reader.page({ afterSeq: cursor, limit: PAGE_ROWS, ...only(workload) })
    found.push(...rows.filter(({ seq }) => seq <= lastSeq))
    if (rows.length < PAGE_ROWS) break
    cursor = nextAfterSeq
  }
  return found
}

function only(workload: string | undefined): { workload?: string } {
  return workload === undefined ? {} : { workload }
}

/** Trouble that may pass while somebody follows: the service restarts, or has too much to do. */
function isPassing({ code }: Problem): boolean {
  return code === 'API_UNREACHABLE' || code === 'API_OVERLOADED' || code.startsWith('STORE_')
}
