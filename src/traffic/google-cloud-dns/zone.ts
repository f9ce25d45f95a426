import type { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import { externalDnsOwner, ownershipNames } from '../external-dns.ts'
import type { Answer, Call, GoogleDnsClient } from './client.ts'
import { wireName } from './names.ts'
import { type Change, changeAnswer, changesAnswer, keyOf, type Rrset, rrsetsAnswer, unsigned } from './wire.ts'

/** Record sets that are asked for one by one; more of them are had by the page, with all else in the zone. */
const MAX_SINGLE_READS = 3
/** Record sets a page: it may be fewer, the answer says whether there are more. */
const PAGE_SIZE = 1000
/** Changes under way that another process may have made just before. */
const RECENT_CHANGES = 20

export interface Place {
  readonly record: string
  readonly type: string
}

/** One managed zone as Google has it: every call takes its place in the quota. Never rejects. */
export class ManagedZone {
  readonly #client: GoogleDnsClient
  readonly #quota: Quota
  /** By id: the record sets of a change that is not everywhere yet. null: not asked yet. */
  #pending: Map<string, ReadonlySet<string>> | null = null
  /** By record set: the external-dns that says it owns it, as of the last listing of the zone. */
  #owners: ReadonlyMap<string, string> = new Map()

  constructor(client: GoogleDnsClient, quota: Quota) {
    this.#client = client
    this.#quota = quota
  }

  /** The record sets of these places, by key; one that is not there is left out. */
  async fetch(
    places: readonly Place[],
    use: QuotaUse,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Rrset> | Problem> {
    if (places.length > MAX_SINGLE_READS) return this.list(use, signal)
    const found = new Map<string, Rrset>()
    for (const { record, type } of places) {
      const query = { name: wireName(record), type }
      const answer = await this.#take({ method: 'GET', path: '/rrsets', query, answer: rrsetsAnswer }, use, signal)
      if (!answer.ok) return answer.problem
      for (const one of answer.value.rrsets) found.set(keyOf(one), unsigned(one))
    }
    return found
  }

  /** Every record set of the zone, by key; learns on the way who else says that it owns what. */
  async list(use: QuotaUse, signal: AbortSignal): Promise<ReadonlyMap<string, Rrset> | Problem> {
    const found = new Map<string, Rrset>()
    const owners = new Map<string, string>()
    let pageToken: string | undefined
    do {
      const query = { maxResults: String(PAGE_SIZE), ...(pageToken !== undefined && { pageToken }) }
      const answer = await this.#take({ method: 'GET', path: '/rrsets', query, answer: rrsetsAnswer }, use, signal)
      if (!answer.ok) return answer.problem
      for (const one of answer.value.rrsets) {
        found.set(keyOf(one), unsigned(one))
        const texts = one.type === 'TXT' ? (one.rrdatas ?? []) : []
        const [owner] = texts.flatMap((text) => externalDnsOwner(text) ?? [])
        if (owner !== undefined) owners.set(one.name.toLowerCase(), owner.id)
      }
      pageToken = answer.value.nextPageToken
    } while (pageToken !== undefined)
    this.#owners = owners
    return found
  }

  /** The external-dns that owns a place, as of the last listing; null: none that is known. */
  ownerOf(place: Place): string | null {
    const names = ownershipNames(place.record, [place.type]).map(wireName)
    return names.flatMap((name) => this.#owners.get(name) ?? [])[0] ?? null
  }

  /** The keys of record sets that a change under way has touched. */
  async pendingKeys(signal: AbortSignal): Promise<ReadonlySet<string> | Problem> {
    if (this.#pending === null) {
      const query = { maxResults: String(RECENT_CHANGES), sortBy: 'changeSequence', sortOrder: 'descending' }
      const answer = await this.#take({ method: 'GET', path: '/changes', query, answer: changesAnswer }, 'read', signal)
      if (!answer.ok) return answer.problem
      this.#pending ??= new Map()
      for (const change of answer.value.changes) this.#note(change)
    } else {
      for (const id of this.#pending.keys()) {
        const path = `/changes/${encodeURIComponent(id)}`
        const answer = await this.#take({ method: 'GET', path, answer: changeAnswer }, 'read', signal)
        // A change that nobody remembers is an old one: it is done.
        if (!answer.ok && answer.problem.code === 'TRAFFIC_NOT_FOUND') this.#pending.delete(id)
        else if (!answer.ok) return answer.problem
        else this.#note(answer.value)
      }
    }
    return new Set([...this.#pending.values()].flatMap((keys) => [...keys]))
  }

  /** Replaces these record sets in one change, all or none. Takes no quota: its caller has. */
  async replace(pairs: readonly Replacement[], signal: AbortSignal): Promise<Answer<Change>> {
    const body = { deletions: pairs.map(({ before }) => before), additions: pairs.map(({ after }) => after) }
    const answer = await this.#client.call({ method: 'POST', path: '/changes', body, answer: changeAnswer }, signal)
    // Before the first read nothing is known of other changes: that read will find this one too.
    if (answer.ok && this.#pending !== null) this.#note({ ...answer.value, additions: pairs.map(({ after }) => after) })
    return answer
  }

  #note({ id, status, additions }: Change): void {
    if (status === 'done') this.#pending?.delete(id)
    else this.#pending?.set(id, new Set(additions.map(keyOf)))
  }

  async #take<Shape extends z.ZodType>(
    call: Call<Shape>,
    use: QuotaUse,
    signal: AbortSignal,
  ): Promise<Answer<z.output<Shape>>> {
    if (!(await this.#quota.take(use, signal)))
      return { ok: false, problem: noTurn(), isOfOneChange: false, isConflict: false, index: null }
    const answer = await this.#client.call(call, signal)
    if (!answer.ok && answer.problem.code === 'TRAFFIC_THROTTLED') this.#quota.exhaust()
    return answer
  }
}

export interface Replacement {
  readonly before: Rrset
  readonly after: Rrset
}

function noTurn(): Problem {
  return problem('TRAFFIC_TIMEOUT', 'the quota of google-cloud-dns had no call left within the deadline')
}
