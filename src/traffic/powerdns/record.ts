import type { Sides } from '../../core/plan.ts'
import { canonical, type PowerdnsSettings, type RecordType } from './settings.ts'

/** A LUA record as Headgate writes it: one of its values is picked by weight for each answer. */
export interface WeightedRecord {
  readonly type: RecordType
  readonly pick: PowerdnsSettings['pick']
  /** Whole weights ≥ 0; a value of weight 0 is never answered, and says who was there. */
  readonly entries: readonly { readonly weight: number; readonly value: string }[]
}

const FUNCTIONS = { random: 'pickwrandom', hashed: 'pickwhashed' } as const

/** A transfer to a secondary carries the code in strings of so many bytes, and breaks it anywhere else. */
const MAX_STRING_BYTES = 255

/**
 * The record for this share of NEW. It is exact to 0.1 %, and even within a side: each weight is multiplied by the number
 * of values of the other side.
 */
export function recordOf(settings: PowerdnsSettings, weightPercent: number): WeightedRecord {
  const sum = Number.isInteger(weightPercent) ? 100 : 1000
  const fresh = Math.round((weightPercent * sum) / 100)
  const divisor = greatestDivisor(settings.old.length, settings.new.length)
  const weights: Sides<number> = {
    old: ((sum - fresh) * settings.new.length) / divisor,
    new: (fresh * settings.old.length) / divisor,
  }
  const entriesOf = (side: 'old' | 'new') => settings[side].map((value) => ({ weight: weights[side], value }))
  return { type: settings.type, pick: settings.pick, entries: [...entriesOf('old'), ...entriesOf('new')] }
}

/** The record's text, e.g. `A "pickwrandom({{90,'192.0.2.10'},{10,'192.0.2.20'}})"`. */
export function contentOf({ type, pick, entries }: WeightedRecord): string {
  // Without its dot PowerDNS may take a name for one within the zone.
  const valueText = (value: string) => (type === 'CNAME' ? `${value}.` : value)
  const texts = entries.map(({ weight, value }) => `{${weight},'${valueText(value)}'}`)
  const strings = [`${FUNCTIONS[pick]}({`]
  for (const [index, text] of texts.entries()) {
    const piece = text + (index === texts.length - 1 ? '})' : ',')
    const last = strings.length - 1
    if (`${strings[last]}${piece}`.length > MAX_STRING_BYTES) strings.push(piece)
    else strings[last] += piece
  }
  return `${type} ${strings.map((text) => `"${text}"`).join(' ')}`
}

/** Reads a text of that form, with any spaces in it; null: it is of another form. Nothing is evaluated. */
export function parseContent(content: string): WeightedRecord | null {
  const match = /^(A|AAAA|CNAME)\s+((?:"[^"\\]*"\s*)+)$/.exec(content)
  if (!match) return null
  const code = (match[2] ?? '').replace(/[\s"]/g, '')
  const call = /^(pickwrandom|pickwhashed)\(\{((?:\{\d{1,9},'[^',{}]+'\},?)+)\}\)$/.exec(code)
  if (!call) return null
  const entries = []
  for (const [, weight = '', text = ''] of (call[2] ?? '').matchAll(/\{(\d+),'([^']+)'\}/g)) {
    const value = canonical(text)
    if (value === null) return null
    entries.push({ weight: Number(weight), value })
  }
  return { type: match[1] as RecordType, pick: call[1] === FUNCTIONS.random ? 'random' : 'hashed', entries }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
