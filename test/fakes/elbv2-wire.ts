/** AWS's query protocol: what a request's form says, and how an answer is written, for any API that speaks it. */
export type Wire = string | WireList | WireObject
export type WireList = readonly Wire[]
export interface WireObject {
  readonly [key: string]: Wire
}

/** `Actions.member.1.Type=forward` → `{Actions: [{Type: 'forward'}]}`. */
export function parseForm(body: string): WireObject {
  const root: Tree = new Map()
  for (const [path, value] of new URLSearchParams(body)) {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    let tree = root
    for (const key of keys) {
      const next = tree.get(key)
      const inner: Tree = next instanceof Map ? next : new Map()
      tree.set(key, inner)
      tree = inner
    }
    tree.set(last, value)
  }
  return Object.fromEntries([...root].map(([key, value]) => [key, untangled(value)]))
}

interface Tree extends Map<string, string | Tree> {}

function untangled(value: string | Tree): Wire {
  if (typeof value === 'string') return value
  const members = value.get('member')
  if (members instanceof Map) return [...members.values()].map(untangled)
  return Object.fromEntries([...value].map(([key, inner]) => [key, untangled(inner)]))
}

/** The object as XML, lists as `<member>` elements. */
export function toXml(value: Wire): string {
  if (typeof value === 'string') return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  if (isList(value)) return value.map((item) => `<member>${toXml(item)}</member>`).join('')
  return Object.entries(value)
    .map(([key, inner]) => `<${key}>${toXml(inner)}</${key}>`)
    .join('')
}

export function isList(value: Wire | undefined): value is WireList {
  return Array.isArray(value)
}

/** The list of this name; none: it is empty. */
export function listIn(value: Wire | undefined, key: string): WireList {
  const inner = objectOf(value)[key]
  return isList(inner) ? inner : []
}

export function objectOf(value: Wire | undefined): WireObject {
  return typeof value === 'object' && !isList(value) ? value : {}
}

/** The text of this name; none: it is empty. */
export function textIn(value: Wire | undefined, key: string): string {
  const inner = objectOf(value)[key]
  return typeof inner === 'string' ? inner : ''
}
