import type { SQLOutputValue } from 'node:sqlite'
import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { Cursor } from '../ports/store.ts'
import type { StoredRow } from '../shared/journal-chain.ts'
import { filledPlan } from './fill.ts'

/** A row as SQLite gives it. STRICT tables see to the types; these readers prove it to the compiler. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** Each reads one column of JSON, which must say the same name as the column beside it. */
export const readPlan = (row: Row) => filledPlan(json<Plan>(row, 'plan', 'hash', 'hash'))
export const readCursor = (row: Row) => json<Cursor>(row, 'cursor', 'channel', 'channel')
export const readFact = (row: Row) => json<Fact>(row, 'fact', 'id', 'id')

export function readJournalRow(row: Row): JournalRow {
  return { seq: integer(row, 'seq'), event: json<HeadgateEvent>(row, 'event', 'workload', 'workload') }
}

/** A row as it lies there, for whoever checks the chain. */
export function readStoredRow(row: Row): StoredRow {
  const { event } = row
  if (!(event instanceof Uint8Array)) throw damaged('event', 'is no text')
  return { seq: integer(row, 'seq'), workload: textOrNull(row, 'workload'), text: event, hash: text(row, 'hash') }
}

export function integer(row: Row | undefined, column: string): number {
  const value = row?.[column]
  if (typeof value !== 'number') throw damaged(column, 'is no number')
  return value
}

export function text(row: Row | undefined, column: string): string {
  const value = textOrNull(row, column)
  if (value === null) throw damaged(column, 'is empty')
  return value
}

/** Text, or null where the column is empty. */
export function textOrNull(row: Row | undefined, column: string): string | null {
  const value = row?.[column]
  if (typeof value !== 'string' && value !== null) throw damaged(column, 'is no text')
  return value
}

/**
 * Only Headgate writes these columns and its migrations keep them in the present shape, so the check is one against
 * foreign hands and mixed-up rows, not a whole schema: it is an object, and it says the same name as the row.
 */
export function json<T extends object>(row: Row, column: string, nameColumn: string, nameKey: keyof T & string): T {
  const value = parse(textOrNull(row, column), column)
  if (typeof value !== 'object' || value === null) throw damaged(column, 'is no object')
  const parsed = value as T
  if (parsed[nameKey] !== row[nameColumn]) throw damaged(column, `does not belong to ${String(row[nameColumn])}`)
  return parsed
}

function parse(value: string | null, column: string): unknown {
  try {
    return JSON.parse(value ?? '')
  } catch (error) {
    throw damaged(column, 'is no JSON', error)
  }
}

export function damaged(column: string, what: string, from?: unknown) {
  return problem('STORE_UNAVAILABLE', `the store is damaged: ${column} ${what}`, {
    hint: 'something else has written to it: stop, keep a copy, and restore a backup',
    from,
  })
}
