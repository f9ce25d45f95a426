import { parser } from '@prometheus-io/lezer-promql'
import { z } from 'zod'

/** Stands for the length of time in a query; replaced before it is sent. */
export const WINDOW = '$window'
// As long as `$window`, so that positions stay.
const WINDOW_STAND_IN = '100000s'

/** A fault in PromQL text, `offset` characters in. */
export interface PromqlFault {
  readonly offset: number
  readonly cause: string
  readonly hint: string
}

type Tree = ReturnType<typeof parser.parse>
export type SyntaxNode = Tree['topNode']

/** Parses an expression; a node of the tree, or the first fault. */
export function parsePromql(text: string): SyntaxNode | PromqlFault {
  if (text.trim() === '') return { offset: 0, cause: 'there is no expression', hint: 'write a PromQL expression' }
  const tree = parser.parse(text.replaceAll(WINDOW, WINDOW_STAND_IN))
  let fault: PromqlFault | null = null
  tree.iterate({
    enter(node) {
      if (fault || !node.type.isError) return
      fault = syntaxFault(text, node.from, node.to)
    },
  })
  if (fault) return fault
  const root = tree.topNode.firstChild
  if (!root) return { offset: 0, cause: 'there is no expression', hint: 'write a PromQL expression' }
  return root
}

function syntaxFault(text: string, from: number, to: number): PromqlFault {
  const end = text.trimEnd().length
  if (from >= end || text.slice(from, to > from ? to : undefined).trim() === '')
    return {
      offset: Math.min(from, end),
      cause: 'the expression ends too early',
      hint: 'close every bracket and quote',
    }
  const before = text.slice(0, from)
  const name = /([a-zA-Z_]\w*)\s*$/.exec(before)
  if (text.startsWith('(', from) && name?.[1])
    return {
      offset: name.index,
      cause: `"${name[1]}" is no function of PromQL`,
      hint: 'correct its name, as in increase(…) or rate(…)',
    }
  const cause = `unexpected ${quoteToken(text.slice(from).trim())}`
  const isValue = /(=|!=|=~|!~)\s*$/.test(before)
  const hint = isValue ? 'put the value in double quotes' : 'fix the expression here; try it in the Prometheus UI'
  return { offset: from, cause, hint }
}

function quoteToken(text: string): string {
  const token = /^(\w+|\S)/.exec(text)?.[0] ?? text
  return `"${token.slice(0, 40)}"`
}

/** Whether it is a fault, and no node. */
export function isFault(result: SyntaxNode | PromqlFault): result is PromqlFault {
  return 'cause' in result
}

/** The fault of a counter selector such as `http_requests_total{code=~"5.."}`, or null. */
export function selectorFault(text: string): PromqlFault | null {
  const root = parsePromql(text)
  if (isFault(root)) return root
  const hint = 'write NAME or NAME{label="value"}; own expressions go under `query:`'
  if (root.name !== 'VectorSelector')
    return { offset: root.from, cause: 'this is an expression, not the selector of a counter', hint }
  if (!root.getChild('Identifier')) return { offset: root.from, cause: 'the selector names no metric', hint }
  if (root.nextSibling && root.nextSibling.name !== 'LineComment')
    return { offset: root.nextSibling.from, cause: 'there is more than one selector', hint }
  return null
}

/** The fault of an own query, or null. `labels` are those that its result must keep. */
export function queryFault(text: string, labels: readonly string[], window: 'needed' | 'optional'): PromqlFault | null {
  const root = parsePromql(text)
  if (isFault(root)) return root
  if (root.name === 'MatrixSelector')
    return { offset: root.from, cause: 'this is a range, not a value', hint: 'wrap it: increase(…[$window])' }
  if (root.name === 'StringLiteral' || root.name === 'NumberDurationLiteral')
    return { offset: root.from, cause: 'this is a constant', hint: 'write an expression over metrics' }
  if (window === 'needed' && !text.includes(WINDOW))
    return {
      offset: 0,
      cause: `the query must count over ${WINDOW}`,
      hint: 'write it as the range: increase(http_requests_total[$window])',
    }
  return labelFault(root, text, labels)
}

const KEEPS_LABELS = ['Topk', 'Bottomk', 'LimitK', 'LimitRatio'] as const

/** Whether an outermost aggregation drops a label. Deeper ones are not followed: functions may bring labels back. */
function labelFault(root: SyntaxNode, text: string, labels: readonly string[]): PromqlFault | null {
  let node = root
  while (node.name === 'ParenExpr' && node.firstChild) node = node.firstChild
  if (node.name !== 'AggregateExpr' || KEEPS_LABELS.some((op) => node.getChild('AggregateOp')?.getChild(op)))
    return null
  const modifier = node.getChild('AggregateModifier')
  const names = modifier?.getChild('GroupingLabels')?.getChildren('LabelName') ?? []
  const written = names.map((name) => text.slice(name.from, name.to))
  const keeps = (label: string) => written.includes(label) !== (modifier?.getChild('Without') != null)
  const lost = modifier ? labels.filter((label) => !keeps(label)) : labels
  if (lost.length === 0) return null
  return {
    offset: (modifier ?? node).from,
    cause: `the aggregation drops the ${lost.length > 1 ? 'labels' : 'label'} ${lost.join(' and ')}`,
    hint: `write by (${labels.join(', ')}): Headgate needs one sample a cluster${labels.length > 1 ? ' and workload' : ''}`,
  }
}

/** Refuses a field for a fault in its PromQL, pointing into the text. */
export function refusePromql(ctx: z.RefinementCtx, fault: PromqlFault, path: PropertyKey[] = []): void {
  const { cause: message, hint, offset } = fault
  ctx.addIssue({ code: 'custom', message, path, params: { code: 'CONFIG_PROMQL', hint, within: offset } })
}

/** A field that holds an expression for a value; `$window` may stand in it. */
export function expression() {
  return z
    .string()
    .meta({ 'x-type': 'PromQL' })
    .superRefine((text, ctx) => {
      const fault = queryFault(text, [], 'optional')
      if (fault) refusePromql(ctx, fault)
    })
}

/** A field that holds a counter selector. */
export function selector() {
  return z
    .string()
    .meta({ 'x-type': 'PromQL selector' })
    .superRefine((text, ctx) => {
      const fault = selectorFault(text)
      if (fault) refusePromql(ctx, fault)
    })
}
