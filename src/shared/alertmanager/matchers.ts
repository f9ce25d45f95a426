import type { Matcher } from '../promql/selector.ts'

const LABEL = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*/
const QUOTED = /^"((?:[^"\\]|\\[\s\S])*)"\s*/
// Any other escape stays as it is, so that \. in a pattern needs no second backslash.
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' }
const BARE = /^[^",{}]*/

/**
 * Reads matchers as Alertmanager writes them: `severity="critical"`, `team=~a|b`, or `{a="b", c!~"d.*"}`. Null: this is
 * something else, or nothing.
 */
export function parseMatchers(text: string): readonly Matcher[] | null {
  const trimmed = text.trim()
  const isBraced = trimmed.startsWith('{') && trimmed.endsWith('}')
  let rest = isBraced ? trimmed.slice(1, -1) : trimmed
  const matchers: Matcher[] = []
  while (rest.trim() !== '') {
    const read = readMatcher(rest)
    if (read === null) return null
    matchers.push(read.matcher)
    rest = read.rest
    if (rest === '') break
    // As in Alertmanager, a comma may stand at the end.
    if (!rest.startsWith(',')) return null
    rest = rest.slice(1)
  }
  return matchers.length === 0 ? null : matchers
}

/** As one writes it in Alertmanager. */
export function matcherText({ label, op, value }: Matcher): string {
  return `${label}${op}"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}

function readMatcher(text: string): { readonly matcher: Matcher; readonly rest: string } | null {
  const [head, label, op] = LABEL.exec(text) ?? []
  if (head === undefined || label === undefined || !isOperator(op)) return null
  const after = text.slice(head.length)
  const quoted = QUOTED.exec(after)
  if (quoted) {
    return { matcher: { label, op, value: unescaped(quoted[1] ?? '') }, rest: after.slice(quoted[0].length) }
  }
  const [bare = ''] = BARE.exec(after) ?? []
  return { matcher: { label, op, value: unescaped(bare.trim()) }, rest: after.slice(bare.length) }
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (all, letter: string) => ESCAPES[letter] ?? all)
}

function isOperator(op: string | undefined): op is Matcher['op'] {
  return op === '=' || op === '!=' || op === '=~' || op === '!~'
}
