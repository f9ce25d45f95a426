import { hash as digestOf } from 'node:crypto'

/** SHA-256 of a text, hex, first 16 digits. */
export function hashText(text: string): string {
  return digestOf('sha256', text).slice(0, 16)
}

/** Hashes plain data, whatever the order of its keys. */
export type Hasher = (data: Readonly<Record<string, unknown>>) => string

/** For data that share most of their parts, which must not change meanwhile: each part is written out once. */
export function createHasher(): Hasher {
  const written = new WeakMap<object, string>()
  const keysInOrder = createKeyOrder()
  const textOf = (part: unknown): string | undefined => {
    if (typeof part !== 'object' || part === null) return JSON.stringify(part)
    let text = written.get(part)
    if (text === undefined) {
      text = canonical(part)
      written.set(part, text)
    }
    return text
  }
  return (data) => {
    const parts = keysInOrder(data).flatMap((key) => {
      const text = textOf(data[key])
      return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]
    })
    return hashText(`{${parts.join(',')}}`)
  }
}

/** Of data that have the same keys one after the other, as plans do, they are put in order once. */
function createKeyOrder(): (data: Readonly<Record<string, unknown>>) => readonly string[] {
  let keys: readonly string[] = []
  let inOrder: readonly string[] = []
  return (data) => {
    const now = Object.keys(data)
    if (now.length !== keys.length || now.some((key, index) => key !== keys[index])) {
      keys = now
      inOrder = orderOf(now)
    }
    return inOrder
  }
}

/** The JSON of plain data, with the keys of each map in order. */
function canonical(data: object): string {
  if (Array.isArray(data)) return `[${data.map((item: unknown) => canonicalOf(item) ?? 'null').join(',')}]`
  // Plain data that are no list are a map.
  const values = data as Readonly<Record<string, unknown>>
  const parts = orderOf(Object.keys(values)).flatMap((key) => {
    const text = canonicalOf(values[key])
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]
  })
  return `{${parts.join(',')}}`
}

/** Undefined for what JSON leaves out. */
function canonicalOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? canonical(value) : JSON.stringify(value)
}

/** As JavaScript orders the keys of a map whose keys were put in order: whole numbers come first, by size. */
function orderOf(keys: readonly string[]): readonly string[] {
  const isAnyNumber = /^[0-9]/.test(keys[0] ?? '')
  return isAnyNumber ? Object.keys(Object.fromEntries(keys.toSorted().map((key) => [key, 0]))) : keys.toSorted()
}
