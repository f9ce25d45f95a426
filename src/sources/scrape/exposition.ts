/** One line of a page of metrics. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** May be NaN or infinite. */
  readonly value: number
}

/** A line that is not of the format. The message names the line's number, never its text. */
export class ExpositionError extends Error {}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`
/** One item in braces, with the comma or brace behind it: `name="value"`, `"name"="value"`, or `"metric"`. */
const ITEM = new RegExp(
  String.raw`\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|${QUOTED})\s*(?:=\s*${QUOTED}\s*)?(,\s*\}|,|\})`,
  'sy',
)
const EMPTY = /\s*\}/y
/** Value, timestamp (ignored: the counters of a page are of the moment it was asked for), exemplar (ignored). */
const VALUE = /\s*(?<=[\s}])(\S+)(?:\s+[-+]?[\d.]+(?:[eE][-+]?\d+)?)?(?:\s+#\s.*)?\s*$/sy
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/

/**
 * Reads the samples of the wanted metrics from Prometheus's text format (0.0.4, or 1.0.0 with quoted names) or from
 * OpenMetrics. Lines of other metrics are passed over unread, since a page has many more of them. Throws
 * ExpositionError.
 */
export function parseExposition(
  text: string,
  format: 'text' | 'openmetrics',
  isWanted: (name: string) => boolean,
): Sample[] {
  const samples: Sample[] = []
  let hasEnded = false
  for (const [index, untrimmed] of text.split('\n').entries()) {
    const line = untrimmed.trimStart()
    if (hasEnded && line !== '') throw new ExpositionError(`line ${index + 1} comes after # EOF`)
    if (line.startsWith('#')) hasEnded = format === 'openmetrics' && /^# EOF\s*$/.test(line)
    else if (line !== '') {
      const sample = parseLine(line, isWanted)
      if (sample === null) throw new ExpositionError(`line ${index + 1} is not a sample`)
      if (sample !== 'other') samples.push(sample)
    }
  }
  // OpenMetrics ends with a mark for this very reason: half a page would look like counters that went away.
  if (format === 'openmetrics' && !hasEnded) throw new ExpositionError('the page ends without # EOF')
  return samples
}

function parseLine(line: string, isWanted: (name: string) => boolean): Sample | 'other' | null {
  NAME.lastIndex = 0
  let name = NAME.exec(line)?.[0] ?? null
  if (name !== null && !isWanted(name)) return 'other'
  let position = name?.length ?? 0
  const labels: [name: string, value: string][] = []

  const brace = /\s*\{/y
  brace.lastIndex = position
  if (brace.test(line)) {
    position = brace.lastIndex
    EMPTY.lastIndex = position
    let isOpen = !EMPTY.test(line)
    if (!isOpen) position = EMPTY.lastIndex
    while (isOpen) {
      ITEM.lastIndex = position
      const item = ITEM.exec(line)
      if (item === null) return null
      const [, plain, quoted, value, end = ''] = item
      if (value !== undefined) labels.push([plain ?? unescaped(quoted ?? ''), unescaped(value)])
      else if (quoted !== undefined && name === null) name = unescaped(quoted)
      else return null
      position = ITEM.lastIndex
      isOpen = !end.endsWith('}')
    }
  }
  VALUE.lastIndex = position
  const value = numberOf(VALUE.exec(line)?.[1])
  if (name === null || value === null) return null
  return isWanted(name) ? { name, labels: Object.fromEntries(labels), value } : 'other'
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_all, letter: string) => (letter === 'n' ? '\n' : letter))
}

function numberOf(text: string | undefined): number | null {
  switch (text?.toLowerCase()) {
    case undefined:
      return null
    case 'nan':
      return Number.NaN
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY
    default:
      return text !== undefined && NUMBER.test(text) ? Number(text) : null
  }
}
