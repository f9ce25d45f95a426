import { type Missing, missing } from '../../core/observation.ts'
import type { Matcher, Selector } from './selector.ts'

export type Labels = Readonly<Record<string, string>>

/** Tells whether a series of the selector's metric is selected. A label that is not there counts as empty. */
export type LabelTest = (labels: Labels) => boolean

/** Compiles the matchers; missing: a pattern that means something else, or nothing, in JavaScript. */
export function compileMatchers({ matchers }: Pick<Selector, 'matchers'>): LabelTest | Missing {
  const tests: LabelTest[] = []
  for (const matcher of matchers) {
    const test = compile(matcher)
    if (test === null)
      return missing(
        'refused',
        `the pattern of ${matcher.label}${matcher.op}… is not one that Headgate can match itself`,
      )
    tests.push(test)
  }
  return (labels) => tests.every((test) => test(labels))
}

function compile({ label, op, value }: Matcher): LabelTest | null {
  if (op === '=') return (labels) => (labels[label] ?? '') === value
  if (op === '!=') return (labels) => (labels[label] ?? '') !== value
  const pattern = anchored(value)
  if (pattern === null) return null
  return (labels) => pattern.test(labels[label] ?? '') === (op === '=~')
}

/**
 * What JavaScript would take and RE2 would not, or would read otherwise: look-around, back references, classes such as
 * [[:alpha:]].
 */
const FOREIGN = /\(\?<?[=!]|\\[1-9kK]|\[\[?:/

/** A pattern of RE2, anchored at both ends as Prometheus does; its dot matches line ends too. */
function anchored(pattern: string): RegExp | null {
  if (FOREIGN.test(pattern)) return null
  const [, flags = '', rest = ''] = /^(?:\(\?([is]+)\))?([\s\S]*)$/.exec(pattern) ?? []
  try {
    // With `u`, escapes that JavaScript does not know are an error instead of a letter.
    return new RegExp(`^(?:${rest})$`, flags.includes('i') ? 'sui' : 'su')
  } catch {
    return null
  }
}
