import { problem } from '../core/problem.ts'
import type { JournalHead } from '../shared/journal-chain.ts'
import { EMPTY_JOURNAL } from '../shared/journal-chain.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'

/** The head, as it is read with whatever else is read: what is there must go on from what this process knows. */
export interface RedisHead {
  readonly identity: string
  /** Commits so far, of all shards. */
  readonly commits: number
  readonly journal: JournalHead
}

const FIELDS = ['identity', 'revision', 'journalSeq', 'journalHash'] as const

/**
 * What this process has seen of the store. A Redis that was flushed, restored from a backup, or replaced by a replica that was
 * behind holds less than that, or another history: then every use throws STORE_LOST.
 */
export class SeenHead {
  readonly keys: RedisKeys
  readonly #connection: RedisConnection
  #head: RedisHead

  constructor(connection: RedisConnection, keys: RedisKeys, identity: string) {
    this.#connection = connection
    this.keys = keys
    this.#head = { identity, commits: 0, journal: EMPTY_JOURNAL }
  }

  get identity(): string {
    return this.#head.identity
  }

  get newest(): RedisHead {
    return this.#head
  }

  /** The first arguments of every script. */
  guardArgs(): readonly (string | number)[] {
    const { identity, commits, journal } = this.#head
    return [identity, commits, journal.seq, journal.hash]
  }

  /** Runs a script behind its guard, and gives its answer. */
  async write(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<readonly [string, ...unknown[]]> {
    const all = [this.keys.head, this.keys.journal, ...keys]
    const [word, ...rest] = await this.#connection.write(script, all, [...this.guardArgs(), ...args])
    if (word === 'lost') throw this.#lost(String(rest[0]), Number(rest[1]), Number(rest[2]))
    return [String(word), ...rest]
  }

  /** Reads the head with what else the commands ask for, as of one moment. */
  async read(
    commands: Parameters<RedisConnection['read']>[0] = (multi) => multi,
  ): Promise<{ readonly head: RedisHead; readonly answers: readonly unknown[] }> {
    const [fields, ...answers] = await this.#connection.read((multi) =>
      commands(multi.hmget(this.keys.head, ...FIELDS)),
    )
    return { head: this.#see(fields), answers }
  }

  /** Notes what a commit has made of the head. */
  committed(commits: number, journal: JournalHead): void {
    if (commits > this.#head.commits) this.#head = { ...this.#head, commits, journal }
  }

  #see(fields: unknown): RedisHead {
    const [identity, commits, seq, hash] = Array.isArray(fields) ? fields : []
    const seen = this.#head
    const isLost =
      identity !== seen.identity ||
      !(Number(commits) >= seen.commits) ||
      (Number(commits) === seen.commits && seen.commits > 0 && hash !== seen.journal.hash)
    if (isLost || typeof identity !== 'string' || typeof hash !== 'string')
      throw this.#lost(typeof identity === 'string' ? identity : '', Number(commits ?? 0), Number(seq ?? 0))
    const head = { identity, commits: Number(commits), journal: { seq: Number(seq), hash } }
    this.#head = head
    return head
  }

  #lost(identity: string, commits: number, seq: number) {
    const { place } = this.#connection
    const { commits: known, journal } = this.#head
    const had = `it had revision ${known} and ${journal.seq} journal rows`
    if (identity === '') return problem('STORE_LOST', `Redis at ${place} is empty: ${had}`)
    const has = `revision ${commits} and ${seq} journal rows`
    return identity === this.#head.identity
      ? problem('STORE_LOST', `Redis at ${place} went back or was forged: ${had}, now it has ${has}`)
      : problem('STORE_LOST', `Redis at ${place} holds another store: ${had}, the one there has ${has}`)
  }
}
