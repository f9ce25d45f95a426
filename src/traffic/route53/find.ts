import type { ResourceRecordSet } from '@aws-sdk/client-route-53'
import { Problem, problem } from '../../core/problem.ts'
import { AwsFailure } from '../aws-call.ts'
import type { Calling, ListStart, ZoneApi } from './api.ts'
import { compareNames, plainName } from './names.ts'

/** What a zone has of the names that were asked for. */
export interface Found {
  /** By plain name: all its record sets, none at all too; or why they are not known. */
  readonly byName: ReadonlyMap<string, readonly ResourceRecordSet[] | Problem>
  /** Whatever else came along. */
  readonly alongside: readonly ResourceRecordSet[]
}

/**
 * Finds all record sets of these names. Each page is begun at the first name that is not known yet, so there are as many
 * calls as names at most, and in a zone full of them as many as pages. A name is absent only if a page that begins
 * at it does not have it: nothing depends on how Route 53 sorts odd signs.
 */
export async function findRecords(api: ZoneApi, names: readonly string[], calling: Calling): Promise<Found> {
  const wanted = new Set(names)
  const byName = new Map<string, readonly ResourceRecordSet[] | Problem>()
  const alongside: ResourceRecordSet[] = []
  for (const name of [...wanted].sort(compareNames)) {
    if (byName.has(name)) continue
    const sets = await listFrom(api, name, calling)
    if (sets instanceof Problem) {
      for (const one of wanted) if (!byName.has(one)) byName.set(one, sets)
      break
    }
    for (const [found, members] of Map.groupBy(sets.complete, ({ Name }) => plainName(Name ?? ''))) {
      if (!wanted.has(found)) alongside.push(...members)
      else if (!byName.has(found)) byName.set(found, members)
    }
    if (!byName.has(name)) byName.set(name, [])
  }
  return { byName, alongside }
}

/** The records from this name on: one page, or as many as it takes to have this name whole. */
async function listFrom(
  api: ZoneApi,
  name: string,
  calling: Calling,
): Promise<{ readonly complete: readonly ResourceRecordSet[] } | Problem> {
  const sets: ResourceRecordSet[] = []
  let start: ListStart = { name }
  for (;;) {
    const page = await api.list(start, calling)
    if (page instanceof AwsFailure) return problemOf(page)
    sets.push(...page.sets)
    if (page.next === null) return { complete: sets }
    const nextName = plainName(page.next.wireName)
    if (page.sets.length === 0)
      return problem('TRAFFIC_BAD_ANSWER', 'Route 53 says that there are more records, and gives none')
    // The name at which the page was cut goes on with the next one.
    if (nextName !== name) return { complete: sets.filter(({ Name }) => plainName(Name ?? '') !== nextName) }
    start = { name, type: page.next.type, setIdentifier: page.next.setIdentifier }
  }
}

/** A failed call as a problem: a zone that is not there is TRAFFIC_NOT_FOUND. */
export function problemOf({ name, words, problem: usual }: AwsFailure): Problem {
  if (name !== 'NoSuchHostedZone') return usual
  return problem('TRAFFIC_NOT_FOUND', `Route 53 says ${name}: ${words}`, {
    hint: 'check `zone`, and that the credentials are of the account that has it',
  })
}
