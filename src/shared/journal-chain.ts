import { createHash } from 'node:crypto'

/**
 * The chain of hashes that the journal's rows make: each row's hash covers the one before it, so that no row can be
 * changed, taken out or moved without every later hash being wrong. docs/journal.md tells how to check it by other means.
 */

/** The newest row's place, and its hash: 64 hex digits. */
export interface JournalHead {
  readonly seq: number
  readonly hash: string
}

/** The head of a journal without rows, and what the first row's hash covers. */
export const EMPTY_JOURNAL: JournalHead = { seq: 0, hash: '0'.repeat(64) }

/** A row as it lies in the store. */
export interface StoredRow {
  readonly seq: number
  readonly workload: string | null
  /** The event's JSON, as it was written: UTF-8. */
  readonly text: Uint8Array
  readonly hash: string
}

/** SHA-256 over the hash before, the row's number and its event, with a newline between them; hex. */
export function chainHash(before: string, seq: number, text: string | Uint8Array): string {
  return createHash('sha256').update(`${before}\n${seq}\n`).update(text).digest('hex')
}

/** What can be wrong with a row. `rewritten`: the chain is whole, but it is another one than the one noted down. */
export const JOURNAL_FAULTS = ['changed', 'missing', 'reordered', 'cut off', 'added', 'rewritten'] as const

export interface JournalFault {
  /** The first row that is not as it was written. */
  readonly seq: number
  readonly what: (typeof JOURNAL_FAULTS)[number]
  /** One sentence. */
  readonly detail: string
}

/** `fault` null: every row up to the head is as it was written. */
export interface JournalVerdict {
  readonly head: JournalHead
  readonly fault: JournalFault | null
}

/** Rows after one, in the order of their numbers, and the head: both of one moment. */
export interface ChainPage {
  readonly rows: readonly StoredRow[]
  readonly head: JournalHead
}

export type ReadChain = (afterSeq: number, limit: number) => Promise<ChainPage>

const PAGE_ROWS = 2000
/** A row with a number below 1 is a forgery too. */
const BEFORE_ALL = Number.MIN_SAFE_INTEGER

/**
 * Reads the whole journal and tells the first row that is not as it was written. `expected` is a head that was noted down
 * elsewhere: it must be part of the chain. Rows that are appended meanwhile count.
 */
export async function verifyChain(read: ReadChain, expected: JournalHead | null): Promise<JournalVerdict> {
  let before = EMPTY_JOURNAL
  for (let cursor = BEFORE_ALL; ; cursor = before.seq) {
    const { rows, head } = await read(cursor, PAGE_ROWS)
    for (const row of rows) {
      const fault = rowFault(before, row) ?? expectedFault(row, expected)
      if (fault) return { head, fault: await named(fault, { before, row, read }) }
      before = { seq: row.seq, hash: row.hash }
    }
    if (rows.length < PAGE_ROWS) return { head, fault: endFault(before, head, expected) }
  }
}

function rowFault(before: JournalHead, row: StoredRow): JournalFault | null {
  const seq = before.seq + 1
  if (row.seq < seq) return { seq: row.seq, what: 'added', detail: `row ${row.seq} has a number that is never given` }
  if (row.seq > seq) {
    const gap = row.seq === seq + 1 ? `row ${seq} is` : `rows ${seq} to ${row.seq - 1} are`
    return { seq, what: 'missing', detail: `${gap} missing` }
  }
  if (chainHash(before.hash, seq, row.text) !== row.hash)
    return { seq, what: 'changed', detail: `row ${seq}, or the hash beside it, is not what was written` }
  return workloadIn(row) === row.workload
    ? null
    : { seq, what: 'changed', detail: `row ${seq} stands under another workload than its event names` }
}

function workloadIn({ text }: StoredRow): unknown {
  const event: unknown = JSON.parse(new TextDecoder().decode(text))
  return typeof event === 'object' && event !== null && 'workload' in event ? event.workload : undefined
}

function expectedFault({ seq, hash }: StoredRow, expected: JournalHead | null): JournalFault | null {
  if (expected?.seq !== seq || expected.hash === hash) return null
  return {
    seq,
    what: 'rewritten',
    detail: `row ${seq} has the hash ${hash}, not ${expected.hash}: it or a row before was written anew`,
  }
}

function endFault(last: JournalHead, head: JournalHead, expected: JournalHead | null): JournalFault | null {
  const seq = last.seq + 1
  const wantedSeq = Math.max(head.seq, expected?.seq ?? 0)
  if (last.seq < wantedSeq) {
    const gone = wantedSeq === seq ? `row ${seq} is` : `rows ${seq} to ${wantedSeq} are`
    return { seq, what: 'cut off', detail: `the journal ends early: ${gone} gone` }
  }
  if (last.seq > head.seq)
    return { seq: head.seq + 1, what: 'added', detail: `row ${head.seq + 1} was written by no commit` }
  if (last.hash === head.hash) return null
  return { seq: last.seq, what: 'changed', detail: `the store notes another hash for row ${last.seq}` }
}

interface Place {
  readonly before: JournalHead
  readonly row: StoredRow
  readonly read: ReadChain
}

/** A row that does not fit here may have its rightful one further down: then they were moved, not written over. */
async function named(fault: JournalFault, { before, row, read }: Place): Promise<JournalFault> {
  if (fault.what !== 'changed') return fault
  for (let cursor = row.seq; ; ) {
    const { rows } = await read(cursor, PAGE_ROWS)
    for (const other of rows) {
      const hash = chainHash(before.hash, row.seq, other.text)
      if (hash === row.hash || hash === other.hash)
        return { ...fault, what: 'reordered', detail: `the event of row ${row.seq} stands in row ${other.seq}` }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return fault
    cursor = last.seq
  }
}
