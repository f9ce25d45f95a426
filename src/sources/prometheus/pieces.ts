import { parseJson } from '../../shared/json.ts'

/** About so long is a piece, in bytes: what is made of it is gone before the next one comes. */
export const PIECE_BYTES = 64 * 1024

/** How the list of series begins, and each further one. Bare quotes stand in no text of JSON, so this is never within one. */
const FIRST = '[{"metric":'
const NEXT = ',{"metric":'

/** What is done with the parts of an answer. */
export interface Cutting {
  /** True: an answer that begins like this, with no series yet, has its series cut out. */
  isHead(frame: unknown): boolean
  /** Takes some of its series, in order; undefined: what stands in their place is no JSON. */
  take(list: unknown): void
}

/**
 * Cuts the series out of a large answer while its bytes come, so that it is never there as a whole. An answer that is
 * short, or is not written as Prometheus does, stays in one.
 */
export class Cutter {
  private readonly cutting: Cutting
  /** What came, without the series that were taken. */
  private chunks: Uint8Array[] = []
  private bytes = 0
  /** From so many on it is worth looking for a place to cut. */
  private lookAt = PIECE_BYTES
  /** All before the first series; null: not looked for yet. Empty: the answer is not cut. */
  private head: string | null = null

  constructor(cutting: Cutting) {
    this.cutting = cutting
  }

  /** Takes in what came next, cut anywhere. */
  add(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.bytes += chunk.length
    if (this.bytes >= this.lookAt && this.head !== '') this.cut()
  }

  /** After the last bytes: the answer with those of its series that were not taken; undefined: it is no JSON. */
  end(): unknown {
    const rest = new TextDecoder().decode(Buffer.concat(this.chunks))
    this.chunks = []
    return parseJson(`${this.head ?? ''}${rest}`)
  }

  private cut(): void {
    let text = Buffer.concat(this.chunks)
    if (this.head === null) {
      const from = text.indexOf(FIRST) + 1
      this.head = text.toString('utf8', 0, from)
      if (from === 0 || !this.cutting.isHead(parseJson(`${this.head}]}}`))) this.head = ''
      else text = text.subarray(from)
    }
    const end = this.head === '' ? -1 : text.lastIndexOf(NEXT)
    if (end >= 0) {
      this.cutting.take(parseJson(`[${text.toString('utf8', 0, end)}]`))
      // A copy: the rest is short, and would keep all of it.
      text = Buffer.from(text.subarray(end + 1))
    }
    this.chunks = [text]
    this.bytes = text.length
    // One series may be longer than a piece: it is not looked through again with each chunk.
    this.lookAt = Math.max(PIECE_BYTES, 2 * this.bytes)
  }
}
