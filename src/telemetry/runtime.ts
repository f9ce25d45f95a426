import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Random } from '../ports/runtime.ts'

/** Node fires a longer timer at once, milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    for (let remainingMs = ms; remainingMs > 0 && !signal?.aborted; remainingMs -= LONGEST_TIMER_MS)
      await delay(Math.min(remainingMs, LONGEST_TIMER_MS), undefined, signal && { signal }).catch(ignoreAbort)
  },
}

/** An aborted sleep is over, not failed. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}

/** A key that nobody can guess: 256 bits, base64url. */
export function freshKey(): string {
  return randomBytes(32).toString('base64url')
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const RANDOM_BITS = 80n

/**
 * The machine's own chance. Ids are ULIDs (github.com/ulid/spec): 48 bits of time, 80 bits of chance, in 26 characters
 * that sort by time. An id is always greater than the one before, even within a millisecond or after the clock was put
 * back.
 */
export function createRandom(clock: Clock = systemClock): Random {
  let last = -1n
  return {
    next: () => Math.random(),
    id() {
      const chance = BigInt(`0x${randomBytes(10).toString('hex')}`)
      const fresh = (BigInt(clock.nowMs()) << RANDOM_BITS) | chance
      last = fresh > last ? fresh : last + 1n
      return encode(last)
    },
  }
}

function encode(id: bigint): string {
  let text = ''
  for (let rest = id; text.length < 26; rest >>= 5n) text = CROCKFORD.charAt(Number(rest & 31n)) + text
  return text
}
