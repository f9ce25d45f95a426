import { createHash } from 'node:crypto'

/** SHA-256 of a text, hex, first 16 digits. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The same of plain data, whatever the order of its keys. */
export function hashOf(data: unknown): string {
  return hashText(JSON.stringify(data, (_key, value: unknown) => sorted(value)))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
