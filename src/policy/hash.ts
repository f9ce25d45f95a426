import { createHash } from 'node:crypto'

/** SHA-256 of a text, hex, first 16 digits. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Hashes plain data, whatever the order of its keys. */
export type Hasher = (data: Readonly<Record<string, unknown>>) => string

/** For data that share most of their parts, which must not change meanwhile: each part is written out once. */
export function createHasher(): Hasher {
  const written = new WeakMap<object, string>()
  const textOf = (part: unknown): string | undefined => {
    if (typeof part !== 'object' || part === null) return JSON.stringify(part)
    let text = written.get(part)
    if (text === undefined) {
      text = JSON.stringify(part, (_key, value: unknown) => sorted(value))
      written.set(part, text)
    }
    return text
  }
  return (data) => {
    const parts = Object.keys(sorted(data)).flatMap((key) => {
      const text = textOf(data[key])
      return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]
    })
    return hashText(`{${parts.join(',')}}`)
  }
}

function sorted<T>(value: T): T | Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
