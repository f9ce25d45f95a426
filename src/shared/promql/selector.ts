import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { quote, unquote } from './literal.ts'

/** A PromQL selector of one metric: its name, and what its labels must be. */
export interface Selector {
  readonly metric: string
  readonly matchers: readonly Matcher[]
}

export interface Matcher {
  readonly label: string
  readonly op: '=' | '!=' | '=~' | '!~'
  readonly value: string
}

const NAME_LABEL = '__name__'
const MATCHER_NODES: readonly string[] = ['UnquotedLabelMatcher', 'QuotedLabelMatcher']

/**
 * Reads `name{label="value", …}`; anything else gives a refusal, one clause. The metric must be named outright: growth
 * is worked out series by series without the name, so two metrics with equal labels would be taken for one series.
 */
export function parseSelector(text: string): Selector | { readonly refused: string } {
  const tree = parser.parse(text)
  let isValid = true
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) isValid = false
    },
  })
  if (!isValid) return { refused: `"${text}" is not valid PromQL` }
  const selector = tree.topNode.firstChild
  if (selector?.name !== 'VectorSelector' || selector.nextSibling)
    return { refused: `"${text}" is not a plain selector such as name{label="value"}` }

  const list = selector.getChild('LabelMatchers')
  const all = children(list).filter((node) => MATCHER_NODES.includes(node.name))
  const matchers = all.map((node) => readMatcher(node, text))
  const names = [
    ...children(selector)
      .filter((node) => node.name === 'Identifier')
      .map((node) => slice(node, text)),
    // The quoted form of names that PromQL's own letters cannot spell: {"a.metric"}.
    ...children(list)
      .filter((node) => node.name === 'QuotedLabelName')
      .map((node) => unquote(slice(node, text))),
    ...matchers.filter(isName).map((matcher) => matcher.value),
  ]
  const rest = matchers.filter((matcher) => !isName(matcher))
  const [metric] = names
  if (metric === undefined || names.length > 1 || rest.some((matcher) => matcher.label === NAME_LABEL))
    return { refused: `"${text}" does not name one metric` }
  return { metric, matchers: rest }
}

/** The selector as PromQL, in one form for all ways to write it, so that equal ones make equal queries. */
export function selectorText({ metric, matchers }: Selector): string {
  const isPlain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric)
  const texts = matchers.map(({ label, op, value }) => `${labelText(label)}${op}${quote(value)}`)
  const all = isPlain ? texts : [`${NAME_LABEL}=${quote(metric)}`, ...texts]
  return `${isPlain ? metric : ''}${all.length > 0 ? `{${all.join(',')}}` : ''}`
}

/** A regular expression that takes these values of a label and no others. */
export function anyOf(values: readonly string[]): string {
  return values.map((value) => value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('|')
}

function isName(matcher: Matcher): boolean {
  return matcher.label === NAME_LABEL && matcher.op === '='
}

function readMatcher(node: SyntaxNode, text: string): Matcher {
  // The grammar has proved the order: label, operator, literal.
  const [label, op, value] = children(node).map((child) => slice(child, text)) as [string, Matcher['op'], string]
  return { label: node.name === 'QuotedLabelMatcher' ? unquote(label) : label, op, value: unquote(value) }
}

function labelText(label: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : quote(label)
}

function slice(node: SyntaxNode, text: string): string {
  return text.slice(node.from, node.to)
}

function children(node: SyntaxNode | null): SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let child = node?.firstChild; child; child = child.nextSibling) found.push(child)
  return found
}
