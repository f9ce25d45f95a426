import type { Archive } from './archive.ts'
import type { SeenHead } from './redis-head.ts'
import { readCursor, readFact } from './rows.ts'

/** What only an export asks of a store in Redis. */
export function createRedisArchive(seen: SeenHead): Archive {
  const { facts, shards, ofShard, consumed, cursors } = seen.keys
  return {
    facts: async () => {
      const names = (await seen.read((multi) => multi.zrange(shards, '0', '-1'))).answers[0]
      const inboxes = (Array.isArray(names) ? names : []).map((name) => ofShard(String(name)).inbox)
      const { answers } = await seen.read((multi) =>
        inboxes.reduce(
          (commands, inbox) => commands.zrange(inbox, '0', '-1', 'WITHSCORES'),
          multi.hgetall(facts).hgetall(consumed),
        ),
      )
      const [texts, numbers] = [new Map(pairsOf(answers[0])), new Map(pairsOf(answers[1]))]
      const waiting = answers.slice(2).flatMap(placesOf)
      const ids = waiting.toSorted(([, a], [, b]) => a - b).map(([id]) => id)
      // Those that were taken in first have the oldest places; among them the commit is all that is known.
      const taken = [...numbers].toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([id]) => id)
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

/** A sorted set with its places, which ioredis gives as a list of pairs or of both in turn. */
function placesOf(answer: unknown): readonly (readonly [string, number])[] {
  const flat: readonly unknown[] = Array.isArray(answer) ? answer.flat() : []
  return Array.from({ length: flat.length / 2 }, (_, index) => [String(flat[2 * index]), Number(flat[2 * index + 1])])
}

/** A whole hash, which ioredis gives as an object. */
export function pairsOf(answer: unknown): readonly (readonly [string, string])[] {
  return Object.entries(answer ?? {}).map(([key, value]) => [key, String(value)] as const)
}
