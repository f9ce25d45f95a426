import type { JournalRow } from '../core/event.ts'
import type { Journal, JournalQuery } from '../ports/store.ts'
import { type ReadChain, type StoredRow, verifyChain } from '../shared/journal-chain.ts'
import type { SeenHead } from './redis-head.ts'
import { damaged, readJournalRow } from './rows.ts'

export function createRedisJournal(seen: SeenHead): Journal {
  const head = async () => (await seen.read()).head.journal
  return {
    read: async (query) => (query.limit < 1 ? [] : (await storedRows(seen, query)).map(journalRow)),
    lastSeq: async () => (await head()).seq,
    head,
    verify: (expected) => verifyChain(readChain(seen), expected),
  }
}

/** Rows as they lie there, with the head of the same moment. */
export function readChain(seen: SeenHead): ReadChain {
  return async (afterSeq, limit) => {
    const { head, answers } = await seen.read((multi) =>
      multi.xrangeBuffer(seen.keys.journal, startAfter(afterSeq), '+', 'COUNT', limit),
    )
    return { rows: rowsOf(answers[0]), head: head.journal }
  }
}

async function storedRows(seen: SeenHead, { afterSeq, limit, workload }: JournalQuery): Promise<readonly StoredRow[]> {
  const { journal } = seen.keys
  if (workload === undefined) return (await readChain(seen)(afterSeq, limit)).rows
  const index = seen.keys.rowsOf(workload)
  const found = await seen.read((multi) => multi.zrange(index, `(${afterSeq}`, '+inf', 'BYSCORE', 'LIMIT', 0, limit))
  const seqs = Array.isArray(found.answers[0]) ? found.answers[0].map(Number) : []
  // Rows never change: they need not be read as of the same moment.
  const { answers } = await seen.read((multi) =>
    seqs.reduce((commands, seq) => commands.xrangeBuffer(journal, `${seq}-1`, `${seq}-1`), multi),
  )
  return answers.flatMap(rowsOf)
}

/** Ids stand in order, and a row's number is the first part of its id. */
function startAfter(afterSeq: number): string {
  return afterSeq < 0 ? '-' : `(${afterSeq}-1`
}

function rowsOf(answer: unknown): readonly StoredRow[] {
  return Array.isArray(answer) ? answer.map(storedRow) : []
}

function storedRow(entry: unknown): StoredRow {
  const [id, fields] = Array.isArray(entry) ? entry : []
  const values = new Map<string, unknown>()
  if (Array.isArray(fields))
    for (let at = 0; at + 1 < fields.length; at += 2) values.set(String(fields[at]), fields[at + 1])
  const text = values.get('event')
  if (!(text instanceof Uint8Array)) throw damaged('event', 'is no text')
  const workload = values.get('workload')
  return {
    seq: Number.parseInt(String(id), 10),
    workload: workload === undefined ? null : String(workload),
    text: new Uint8Array(text),
    hash: String(values.get('hash')),
  }
}

function journalRow({ seq, workload, text }: StoredRow): JournalRow {
  return readJournalRow({ seq, workload, event: new TextDecoder().decode(text) })
}
