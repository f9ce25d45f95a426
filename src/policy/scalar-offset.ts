import type { Scalar } from 'yaml'

/**
 * Where in the source character `within` of a text value stands. Exact for plain and quoted texts on one line without
 * escapes, and for `|` blocks; else the start of the value, which is never wrong, only less near.
 */
export function offsetInSource(scalar: Scalar, within: number, source: string): number {
  const start = scalar.range?.[0] ?? 0
  const value = String(scalar.value)
  if (scalar.type === 'BLOCK_LITERAL') return offsetInBlock(start, value, within, source) ?? start
  const quote = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE' ? 1 : 0
  return source.startsWith(value, start + quote) ? start + quote + within : start
}

function offsetInBlock(start: number, value: string, within: number, source: string): number | null {
  const before = value.slice(0, within).split('\n')
  let lineStart = start
  for (let line = 0; line < before.length; line++) {
    const lineBreak = source.indexOf('\n', lineStart)
    if (lineBreak < 0) return null
    lineStart = lineBreak + 1
  }
  const text = value.split('\n')[before.length - 1] ?? ''
  const indent = source.slice(lineStart).search(/[^ ]/)
  const leading = text.search(/[^ ]/)
  const column = (before.at(-1) ?? '').length
  if (indent < 0 || leading < 0) return lineStart
  return lineStart + indent - leading + column
}
