const NAMED: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g

/**
 * The value of a PromQL string literal, which is one of Go: "…" and '…' know escapes, `…` none. The text must have come
 * from the PromQL parser.
 */
export function unquote(literal: string): string {
  const inner = literal.slice(1, -1)
  if (literal.startsWith('`')) return inner
  return inner.replace(ESCAPE, (_all, hex, short, long, octal, letter: string | undefined) => {
    if (letter !== undefined) return NAMED[letter] ?? letter
    return String.fromCodePoint(
      octal === undefined ? Number.parseInt(hex ?? short ?? long, 16) : Number.parseInt(octal, 8),
    )
  })
}

/** A PromQL string literal with this value. JSON's escapes are a part of Go's. */
export function quote(value: string): string {
  return JSON.stringify(value)
}
