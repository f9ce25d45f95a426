import { type Problem, problem } from '../../core/problem.ts'
import { sharePercent } from '../ratio.ts'
import type { Rrset } from './api.ts'
import { parseContent, type WeightedRecord } from './record.ts'
import { canonical, type PowerdnsSettings } from './settings.ts'

/** What PowerDNS has at the name of a target. */
export interface Place {
  /** null: all weights are 0. */
  readonly weightPercent: number | null
  readonly ttlSeconds: number
  /** The LUA record that holds the weights; null: a plain record set, of one side's values alone. */
  readonly lua: WeightedRecord | null
  /** The record set of type LUA at the name, which may hold records that answer other types; null: there is none. */
  readonly luaRrset: Rrset | null
}

type LuaRecord = Rrset['records'][number]

/** Finds a target's place among the record sets: TRAFFIC_NOT_FOUND, or TRAFFIC_WRONG_TYPE for what Headgate must not replace. */
export function placeOf(settings: PowerdnsSettings, rrsets: readonly Rrset[]): Place | Problem {
  const { record, type } = settings
  // PowerDNS also lists sets without records, for the sake of their comments.
  const atName = rrsets.filter(({ name, records }) => name === record && records.some(isServed))
  const luaRrset = atName.find((rrset) => rrset.type === 'LUA') ?? null
  const luaRecords = luaRrset?.records.filter((one) => isServed(one) && answers(one, type)) ?? []
  const plain = atName.find((rrset) => rrset.type === type)
  const name = `${record} ${type}`
  if (luaRecords.length > 1) return wrongType(`${name} has ${luaRecords.length} LUA records`)
  if (luaRecords[0] && plain) return wrongType(`${name} has a LUA record, and a plain one beside it`)
  if (luaRrset && luaRecords[0]) return luaPlace(settings, luaRrset, luaRecords[0].content)
  if (plain) return plainPlace(settings, plain, luaRrset)
  const other = atName.find((rrset) => rrset.type === 'CNAME' || rrset.type === 'ALIAS' || type === 'CNAME')
  if (other) return wrongType(`${record} has ${other.type} records, and the target's values are of type ${type}`)
  return problem('TRAFFIC_NOT_FOUND', `the zone ${settings.zone} has no ${type} record ${record}`, {
    hint: 'create it with the values of `old`: Headgate converts it with the first step',
  })
}

/** True for the LUA record that answers queries of this type. */
export function answers(record: LuaRecord, type: string): boolean {
  return record.content.split(/\s/, 1)[0] === type
}

export function isServed(record: LuaRecord): boolean {
  return record.disabled !== true
}

function luaPlace(settings: PowerdnsSettings, luaRrset: Rrset, content: string): Place | Problem {
  const record = parseContent(content)
  if (record === null)
    return wrongType(`${settings.record} has the LUA record ${excerpt(content)}, which Headgate did not write`)
  const stranger = record.entries.find(({ value }) => !isOf(settings, 'old', value) && !isOf(settings, 'new', value))
  if (stranger) return foreignValue(settings, stranger.value)
  const sumOf = (side: 'old' | 'new') =>
    record.entries.reduce((sum, { weight, value }) => (isOf(settings, side, value) ? sum + weight : sum), 0)
  const weightPercent = sharePercent({ old: sumOf('old'), new: sumOf('new') })
  return { weightPercent, ttlSeconds: luaRrset.ttl, lua: record, luaRrset }
}

function plainPlace(settings: PowerdnsSettings, plain: Rrset, luaRrset: Rrset | null): Place | Problem {
  const values = plain.records.filter(isServed).map(({ content }) => canonical(content) ?? content)
  const all = (side: 'old' | 'new') => values.every((value) => isOf(settings, side, value))
  const place = { ttlSeconds: plain.ttl, lua: null, luaRrset }
  if (all('old')) return { ...place, weightPercent: 0 }
  if (all('new')) return { ...place, weightPercent: 100 }
  const stranger = values.find((value) => !isOf(settings, 'old', value) && !isOf(settings, 'new', value))
  if (stranger !== undefined) return foreignValue(settings, stranger)
  return wrongType(`${settings.record} has plain ${settings.type} records of both clusters, so it has no weights`, {
    hint: 'leave those of the old cluster alone',
  })
}

function isOf(settings: PowerdnsSettings, side: 'old' | 'new', value: string): boolean {
  return settings[side].includes(value)
}

function foreignValue({ record }: PowerdnsSettings, value: string): Problem {
  return wrongType(`${record} leads to ${excerpt(value)} too, which is neither \`old\` nor \`new\``, {
    hint: 'name it in the target, or take it out of the record',
  })
}

function wrongType(cause: string, options: { hint?: string } = {}): Problem {
  return problem('TRAFFIC_WRONG_TYPE', cause, options)
}

function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 120))
}
