import { parseSelector, type Selector } from '../shared/promql/selector.ts'
import { isFault, type PromqlFault, parsePromql, type SyntaxNode } from './promql.ts'

/** The counter that a query of an OpenSLO file reads. */
export interface CountedBy {
  readonly counter: Selector
  /** How the query makes a number of it; null: not at all. */
  readonly call: 'rate' | 'increase' | null
}

/** `{{.window}}`, `$window`, `$__rate_interval`, `${WINDOW}`: what tools put for a range. */
const PLACEHOLDER = /(?<=\[\s*)(\{\{[^}]*\}\}|\$\{\w+\}|\$\w+)(?=\s*\])/g

const SHAPE = 'write sum(rate(NAME{label="value"}[5m])), or own queries as `query:` in the config'

/**
 * The counter of a query such as `sum(rate(requests_total{job="web"}[5m]))`: the sum, its grouping, the range and an
 * `or vector(0)` are how that tool draws it, while Headgate counts what the counter itself grew. Anything else is a fault.
 */
export function counterOfQuery(query: string): CountedBy | PromqlFault {
  // Of the same length, so that positions stay.
  const root = parsePromql(query.replace(PLACEHOLDER, (placeholder) => '5m'.padEnd(placeholder.length)))
  return isFault(root) ? root : read(root, query)
}

function read(node: SyntaxNode, query: string): CountedBy | PromqlFault {
  switch (node.name) {
    case 'ParenExpr':
      return readOnly(node, query)
    case 'BinaryExpr':
      return isOrNothing(node, query) && node.firstChild ? read(node.firstChild, query) : strange(node, query)
    case 'AggregateExpr':
      return node.getChild('AggregateOp')?.getChild('Sum')
        ? readOnly(node.getChild('FunctionCallBody'), query)
        : strange(node, query)
    case 'FunctionCall':
      return readCall(node, query)
    case 'VectorSelector':
      return counterOf(node, query, null)
    default:
      return strange(node, query)
  }
}

/** Reads the one expression in brackets. */
function readOnly(node: SyntaxNode | null, query: string): CountedBy | PromqlFault {
  const inner = node?.firstChild
  if (!node || !inner) return { offset: 0, cause: 'there is no counter in this query', hint: SHAPE }
  return inner.nextSibling ? strange(inner.nextSibling, query) : read(inner, query)
}

/** `… or vector(0)`, which Headgate does by itself. */
function isOrNothing(node: SyntaxNode, query: string): boolean {
  const last = node.lastChild
  return node.getChild('Or') !== null && last !== null && /^vector\s*\(\s*0\s*\)$/.test(query.slice(last.from, last.to))
}

const CALLS: Readonly<Record<string, 'rate' | 'increase'>> = { Rate: 'rate', Irate: 'rate', Increase: 'increase' }

function readCall(node: SyntaxNode, query: string): CountedBy | PromqlFault {
  const call = CALLS[node.getChild('FunctionIdentifier')?.firstChild?.name ?? '']
  const range = node.getChild('FunctionCallBody')?.firstChild
  if (!call || range?.name !== 'MatrixSelector' || range.nextSibling) return strange(node, query)
  const vector = range.getChild('VectorSelector')
  return vector ? counterOf(vector, query, call) : strange(range, query)
}

function counterOf(node: SyntaxNode, query: string, call: CountedBy['call']): CountedBy | PromqlFault {
  const counter = parseSelector(query.slice(node.from, node.to))
  return 'refused' in counter
    ? { offset: node.from, cause: `${counter.refused}`, hint: 'name the metric outright' }
    : { counter, call }
}

function strange(node: SyntaxNode, query: string): PromqlFault {
  const text = query.slice(node.from, node.to).replace(/\s+/g, ' ')
  const cause = `no single counter can be made out of ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`
  return { offset: node.from, cause, hint: SHAPE }
}
