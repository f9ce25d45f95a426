import { parseJson } from '../../shared/json.ts'

/** About so long is a piece, in characters: what is made of it is gone before the next is read. */
export const PIECE_CHARS = 256 * 1024

/** How the list of series begins, and each further one. Bare quotes stand in no text of JSON, so this is never within one. */
const FIRST = '[{"metric":'
const NEXT = ',{"metric":'
/** How the last of the series, and with it the list, ends. */
const LAST = ']}]'

/** A large answer, whose series are read a piece at a time: all at once they are hundreds of thousands of objects. */
export interface Pieces {
  /** The answer without any series. */
  readonly frame: unknown
  /** Its series, in order, as lists; undefined: that piece is no JSON. */
  readonly lists: Iterable<unknown>
}

/** Cuts the text of an answer; null: it is not written as Prometheus does, and must be read whole. */
export function inPieces(text: string): Pieces | null {
  const from = text.indexOf(FIRST) + 1
  const to = text.lastIndexOf(LAST) + LAST.length - 1
  if (from < 1 || to < from) return null
  // Where the cut was wrong, as by a warning that has the same signs, this is no JSON.
  const frame = parseJson(`${text.slice(0, from)}${text.slice(to)}`)
  return frame === undefined ? null : { frame, lists: { [Symbol.iterator]: () => listsOf(text, from, to) } }
}

function* listsOf(text: string, from: number, to: number): Generator<unknown> {
  for (let start = from; start < to; ) {
    const next = text.indexOf(NEXT, start + PIECE_CHARS)
    const end = next < 0 || next > to ? to : next
    yield parseJson(`[${text.slice(start, end)}]`)
    start = end + 1
  }
}
