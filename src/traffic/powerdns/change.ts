import type { WeightChange } from '../../ports/traffic.ts'
import type { RrsetChange } from './api.ts'
import { answers, isServed, type Place } from './place.ts'
import { contentOf, recordOf } from './record.ts'
import type { PowerdnsSettings } from './settings.ts'

/** A change that a place needs. */
export interface Move {
  readonly change: WeightChange
  readonly settings: PowerdnsSettings
  readonly place: Place
}

/** All moves at one name: they share its record set of type LUA, and so a call. */
export interface NameMoves {
  readonly moves: readonly Move[]
  readonly rrsets: readonly RrsetChange[]
}

/** False: the place has that weight, and that TTL, already. */
export function isNeeded({ change, place }: Move): boolean {
  if (place.weightPercent !== change.weightPercent) return true
  return change.ttlSeconds !== null && place.ttlSeconds !== change.ttlSeconds
}

/** The moves by name, those with a revert first. */
export function byName(moves: readonly Move[]): readonly NameMoves[] {
  const groups = [...Map.groupBy(moves, ({ settings }) => settings.record).values()]
  const reverts = ({ change }: Move) => change.urgency === 'revert'
  return groups
    .toSorted((a, b) => Number(b.some(reverts)) - Number(a.some(reverts)))
    .map((members) => ({ moves: members, rrsets: rrsetsOf(members) }))
}

function rrsetsOf(moves: readonly Move[]): readonly RrsetChange[] {
  const [first] = moves
  if (!first) return []
  const { luaRrset } = first.place
  const name = `${first.settings.record}.`
  const types = moves.map(({ settings }) => settings.type)
  // Records of the same set that answer other types, or are switched off, stay as they are.
  const others = (luaRrset?.records ?? []).filter(
    (record) => !isServed(record) || !types.some((type) => answers(record, type)),
  )
  const records = [
    ...others.map(({ content, disabled = false }) => ({ content, disabled })),
    ...moves.map(({ settings, change }) => ({
      content: contentOf(recordOf(settings, change.weightPercent)),
      disabled: false,
    })),
  ]
  const deletions = moves.filter(({ place }) => place.lua === null)
  return [
    // First: PowerDNS refuses anything beside a CNAME that is still there at that point of the transaction.
    ...deletions.map(({ settings }): RrsetChange => ({ name, type: settings.type, changetype: 'DELETE' })),
    { name, type: 'LUA', changetype: 'REPLACE', ttl: ttlOf(moves), records },
  ]
}

/** One set has one TTL: the shortest that somebody asks for, else the one that is there. */
function ttlOf(moves: readonly Move[]): number {
  const asked = moves.flatMap(({ change }) => change.ttlSeconds ?? [])
  const present = moves.map(({ place }) => place.luaRrset?.ttl ?? place.ttlSeconds)
  return Math.min(...(asked.length > 0 ? asked : present))
}
