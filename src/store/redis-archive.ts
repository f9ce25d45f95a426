import type { Archive } from './archive.ts'
import type { SeenHead } from './redis-head.ts'
import { readCursor, readFact } from './rows.ts'

/** What only an export asks of a store in Redis. */
export function createRedisArchive(seen: SeenHead): Archive {
  const { facts, inbox, consumed, cursors } = seen.keys
  return {
    facts: async () => {
      const { answers } = await seen.read((multi) => multi.hgetall(facts).zrange(inbox, '0', '-1').hgetall(consumed))
      const [all, waiting, revisions] = [pairsOf(answers[0]), answers[1], new Map(pairsOf(answers[2]))]
      const texts = new Map(all)
      const ids = Array.isArray(waiting) ? waiting.map(String) : []
      // Those that were taken in first have the oldest places; among them the revision is all that is known.
      const taken = [...revisions].toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([id]) => id)
      const read = (isConsumed: boolean) => (id: string) => ({
        fact: readFact({ id, fact: texts.get(id) ?? null }),
        isConsumed,
      })
      return [...taken.map(read(true)), ...ids.map(read(false))]
    },
    cursors: async () => {
      const { answers } = await seen.read((multi) => multi.hgetall(cursors))
      return pairsOf(answers[0]).map(([channel, cursor]) => readCursor({ channel, cursor }))
    },
  }
}

/** A whole hash, which ioredis gives as an object. */
export function pairsOf(answer: unknown): readonly (readonly [string, string])[] {
  return Object.entries(answer ?? {}).map(([key, value]) => [key, String(value)] as const)
}
