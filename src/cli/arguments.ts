import { InvalidArgumentError } from 'commander'
import type { JournalHead } from '../shared/journal-chain.ts'

/** `seq:hash`, as `journal verify` prints it. */
export function journalHead(text: string): JournalHead {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError('It is not a row number, a colon and 64 hex digits.')
  return { seq: Number(seq), hash }
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(
        `It is not a whole number from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ''}.`,
      )
    return value
  }
}
