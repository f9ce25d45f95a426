import { isIPv4, isIPv6 } from 'node:net'

/** A resource record set, as Route 53 keeps it. */
export interface FakeRecord {
  /** Lower case, escaped, with a dot at its end. */
  readonly name: string
  readonly type: string
  /** Empty: a simple one. */
  readonly setIdentifier: string
  readonly weight: number | null
  /** Another routing policy, as its element's name, e.g. `Region`; null: weighted or simple. */
  readonly otherRouting: string | null
  readonly ttlSeconds: number | null
  readonly values: readonly string[]
  readonly alias: { readonly zone: string; readonly name: string; readonly evaluateTargetHealth: boolean } | null
  readonly healthCheck: string | null
}

export interface FakeChange {
  readonly action: 'CREATE' | 'UPSERT' | 'DELETE'
  readonly record: FakeRecord
}

/** Where a list begins. */
export interface ListStart {
  readonly name: string
  readonly type: string
  readonly setIdentifier: string
}

const MAX_RECORDS = 1000
const MAX_CHARACTERS = 32_000
const MAX_SIBLINGS = 100

/** A hosted zone with the rules that Route 53 has for changes: each batch applies whole, or not at all. */
export class FakeZone {
  readonly domain: string
  #groups = new Map<string, readonly FakeRecord[]>()
  #sorted: readonly FakeRecord[] | null = null

  constructor(domain: string) {
    this.domain = domain
  }

  /** In the order in which Route 53 lists. */
  records(): readonly FakeRecord[] {
    this.#sorted ??= [...this.#groups.values()].flat().sort(compareRecords)
    return this.#sorted
  }

  /** Puts records there without any check, as if they had always been there. */
  seed(records: readonly FakeRecord[]): void {
    for (const record of records) {
      const others = (this.#groups.get(groupOf(record)) ?? []).filter((one) => !isSame(one, record))
      this.#groups.set(groupOf(record), [...others, record])
    }
    this.#sorted = null
  }

  /** A page of the list: from `start` on, or from the beginning. */
  list(start: ListStart | null, maxItems: number): { page: readonly FakeRecord[]; next: FakeRecord | null } {
    const all = this.records()
    const first = start === null ? 0 : firstFrom(all, start)
    return { page: all.slice(first, first + maxItems), next: all[first + maxItems] ?? null }
  }

  /** Applies all of it, and returns nothing; or returns why not, and applies none. */
  change(changes: readonly FakeChange[]): readonly string[] {
    const limits = exceededLimits(changes)
    if (limits.length > 0) return limits
    const staged = new Map<string, readonly FakeRecord[]>()
    const groupNow = (record: FakeRecord) => staged.get(groupOf(record)) ?? this.#groups.get(groupOf(record)) ?? []
    const wrong = changes.flatMap(({ action, record }) => {
      const group = groupNow(record)
      const why = this.#refusal(action, record, group)
      const others = group.filter((one) => !isSame(one, record))
      if (why === null) staged.set(groupOf(record), action === 'DELETE' ? others : [...others, record])
      return why ?? []
    })
    wrong.push(...[...staged.values()].flatMap(siblingFaults))
    if (new Set(changes.map(({ action, record }) => `${action} ${nameOf(record)}`)).size < changes.length)
      wrong.push('The request contains a duplicate change')
    if (wrong.length > 0) return wrong
    for (const [key, group] of staged) this.#groups.set(key, group)
    this.#sorted = null
    return []
  }

  #refusal(action: FakeChange['action'], record: FakeRecord, group: readonly FakeRecord[]): string | null {
    const there = group.find((one) => isSame(one, record))
    if (record.name !== `${this.domain}.` && !record.name.endsWith(`.${this.domain}.`))
      return `RRSet with DNS name ${record.name} is not permitted in zone ${this.domain}.`
    if (action === 'DELETE') {
      if (!there) return `Tried to delete resource record set ${nameOf(record)} but it was not found`
      if (fingerprint(there) === fingerprint(record)) return null
      return `Tried to delete resource record set ${nameOf(record)} but the values provided do not match the current values`
    }
    if (action === 'CREATE' && there)
      return `Tried to create resource record set ${nameOf(record)} but it already exists`
    const stranger = group.find((one) => routingOf(one) !== routingOf(record))
    if (stranger)
      return `RRSet with DNS name ${record.name}, type ${record.type}, SetIdentifier ${record.setIdentifier} cannot be created as a non-${routingOf(record)} set exists with the same name and type.`
    return contentFault(record)
  }
}

/** Elements and characters, those of an UPSERT counted twice. An alias is counted as one element. */
export function sizeOf(changes: readonly FakeChange[]): { records: number; characters: number } {
  let [records, characters] = [0, 0]
  for (const { action, record } of changes) {
    const times = action === 'UPSERT' ? 2 : 1
    records += times * Math.max(1, record.values.length)
    characters += times * record.values.reduce((sum, value) => sum + value.length, 0)
  }
  return { records, characters }
}

function exceededLimits(changes: readonly FakeChange[]): readonly string[] {
  const { records, characters } = sizeOf(changes)
  return [
    ...(records > MAX_RECORDS ? [`Number of records limit of ${MAX_RECORDS} exceeded.`] : []),
    ...(characters > MAX_CHARACTERS ? [`Number of characters limit of ${MAX_CHARACTERS} exceeded.`] : []),
  ]
}

function contentFault(record: FakeRecord): string | null {
  const { type, values, alias, ttlSeconds, weight, setIdentifier, otherRouting } = record
  if ((setIdentifier === '') !== (weight === null && otherRouting === null))
    return `RRSet ${nameOf(record)}: a SetIdentifier goes with a routing policy, and the other way round`
  if (setIdentifier.length > 128) return `RRSet ${nameOf(record)}: the SetIdentifier is too long`
  if (weight !== null && otherRouting !== null) return `RRSet ${nameOf(record)} has two routing policies`
  if (alias !== null && (ttlSeconds !== null || values.length > 0))
    return `RRSet ${nameOf(record)}: an alias has neither TTL nor values`
  if (alias !== null) return null
  if (ttlSeconds === null || values.length === 0) return `RRSet ${nameOf(record)} needs a TTL and values`
  if (type === 'CNAME' && values.length > 1) return `RRSet ${nameOf(record)}: a CNAME has one value`
  const isGood = { A: isIPv4, AAAA: isIPv6 }[type]
  const bad = isGood && values.find((value) => !isGood(value))
  return bad === undefined ? null : `Invalid Resource Record: '${bad}' is not a valid value of type ${type}`
}

/** What must hold among the records of one name and type once the batch is in. */
function siblingFaults(group: readonly FakeRecord[]): readonly string[] {
  const [first] = group
  if (!first) return []
  const plain = group.filter(({ alias }) => alias === null)
  return [
    ...(group.length > MAX_SIBLINGS ? [`More than ${MAX_SIBLINGS} weighted records of ${first.name}`] : []),
    ...(new Set(plain.map(({ ttlSeconds }) => ttlSeconds)).size > 1
      ? [`The weighted records of ${first.name} ${first.type} must all have the same TTL`]
      : []),
  ]
}

function routingOf({ weight, otherRouting }: FakeRecord): string {
  return otherRouting ?? (weight === null ? 'simple' : 'weighted')
}

function isSame(a: FakeRecord, b: FakeRecord): boolean {
  return groupOf(a) === groupOf(b) && a.setIdentifier === b.setIdentifier
}

function groupOf({ name, type }: FakeRecord): string {
  return `${name} ${type}`
}

function nameOf({ name, type, setIdentifier }: FakeRecord): string {
  const set = setIdentifier === '' ? '' : `, set-identifier='${setIdentifier}'`
  return `[name='${name}', type='${type}'${set}]`
}

function fingerprint(record: FakeRecord): string {
  return JSON.stringify({ ...record, values: [...record.values].sort() })
}

/** Sorted by name with its labels reversed, the dot at the end included, then by type and SetIdentifier. */
function compareRecords(a: FakeRecord | ListStart, b: FakeRecord | ListStart): number {
  return (
    compare(reversed(a.name), reversed(b.name)) || compare(a.type, b.type) || compare(a.setIdentifier, b.setIdentifier)
  )
}

const reversedNames = new Map<string, string>()

function reversed(name: string): string {
  const known = reversedNames.get(name)
  if (known !== undefined) return known
  const made = `${name.replace(/\.$/, '').split('.').reverse().join('.')}.`
  reversedNames.set(name, made)
  return made
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function firstFrom(all: readonly FakeRecord[], start: ListStart): number {
  let [low, high] = [0, all.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const record = all[middle]
    if (record && compareRecords(record, start) < 0) low = middle + 1
    else high = middle
  }
  return low
}
