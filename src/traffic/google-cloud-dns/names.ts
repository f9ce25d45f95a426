import { isIPv4, isIPv6 } from 'node:net'

/** The types of records whose split Headgate moves. */
export const RECORD_TYPES = ['A', 'AAAA', 'CNAME'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

/** A domain name in lower case, without the dot at its end; null: it is none. A first label `*` is one. */
export function canonicalName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '')
  const isName = name.length <= 253 && /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?$/.test(name)
  return isName && name.split('.').every((label) => label.length >= 1 && label.length <= 63) ? name : null
}

/** A record's value in the one form that equal values share; null: no value of that type. */
export function canonicalValue(type: RecordType, text: string): string | null {
  if (type === 'A') return isIPv4(text) ? text : null
  if (type === 'CNAME') return canonicalName(text)
  return isIPv6(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : null
}

/** As Google writes it: names end with a dot. */
export function wireValue(type: RecordType, text: string): string {
  return type === 'CNAME' ? wireName(text) : text
}

export function wireName(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}
