import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain, severityOf } from '../../src/core/explain.ts'
import { OUTCOMES, type Outcome, type Verdict } from '../../src/core/gates/verdict.ts'
import { verdictNews } from '../../src/core/verdict-news.ts'

const HEAD = { atMs: 0, runId: 'r', workload: 'checkout', actor: 'headgate' }
const AWAY = 'requests cannot be read: no answer within 5 s'

function says(gate: string, outcome: Outcome, sentence = AWAY, evidence: Verdict['evidence'] = {}): Verdict {
  return { gate, outcome, sentence, evidence }
}

/** The sentences of what is told, as a journal shows them. */
function told(before: Readonly<Record<string, Outcome>>, verdicts: readonly Verdict[]): readonly string[] {
  return verdictNews(before, verdicts).map((news) => {
    const event = { ...HEAD, ...news }
    return `${severityOf(event)}: ${explain(event)}`
  })
}

describe('what gates say anew', () => {
  test('gates that go blind are told of together, by what each says, and harm beside them by itself', () => {
    const verdicts = [
      says('harm/a', 'blind'),
      says('proof/a', 'blind'),
      says('harm/b', 'blind', 'b is away'),
      says('probe/c', 'halt', 'it fails'),
    ]
    expect(told({ 'harm/a': 'pass', 'proof/a': 'wait' }, verdicts)).toEqual([
      `warn: harm/a, proof/a say blind: ${AWAY}; harm/b says blind: b is away`,
      'warn: probe/c says halt: it fails',
    ])
  })

  test('and so are those that see again, the ones that pass in short', () => {
    const verdicts = [says('a', 'pass', 'fine'), says('b', 'wait', '3 of 10'), says('c', 'pass', 'fine, too')]
    expect(told({ a: 'blind', b: 'blind', c: 'blind' }, verdicts)).toEqual([
      'info: b says wait: 3 of 10; a, c say pass',
    ])
  })

  test.each<[string, Outcome, Outcome]>([
    ['one gate alone', 'pass', 'blind'],
    ['harm that is hidden', 'halt', 'blind'],
    ['harm that comes to light', 'blind', 'revert'],
  ])('%s is told by itself', (_, from, to) => {
    expect(verdictNews({ a: from }, [says('a', to)])).toEqual([
      { type: 'verdict-changed', from, verdict: says('a', to) },
    ])
  })

  test('nothing is lost, and nothing told twice: each change that counts is there once, with its numbers', () => {
    const outcome = fc.constantFrom(...OUTCOMES)
    const gate = fc.record({
      from: fc.option(outcome),
      to: outcome,
      sentence: fc.constantFrom('x', 'y'),
      n: fc.constantFrom(1, 2),
    })
    fc.assert(
      fc.property(fc.array(gate), (gates) => {
        const verdicts = gates.map(({ to, sentence, n }, index) => says(`gate/${index}`, to, sentence, { n }))
        const before = Object.fromEntries(gates.flatMap(({ from }, index) => (from ? [[`gate/${index}`, from]] : [])))
        const found = verdictNews(before, verdicts).flatMap((news) =>
          news.type === 'verdict-changed'
            ? [{ from: news.from, verdict: news.verdict }]
            : news.changes.flatMap(({ from, ...rest }) =>
                Object.entries(from).map(([gate, was]) => ({ from: was, verdict: { gate, ...rest } })),
              ),
        )
        const isQuiet = (one: Outcome | null) => one === null || one === 'pass' || one === 'wait'
        const counting = verdicts
          .map((verdict) => ({ from: before[verdict.gate] ?? null, verdict }))
          .filter(
            ({ from, verdict: { outcome: to } }) => from !== to && !(isQuiet(from) && isQuiet(to) && from !== 'pass'),
          )
        const byGate = (all: typeof found) => all.toSorted((a, b) => (a.verdict.gate < b.verdict.gate ? -1 : 1))
        expect(byGate(found)).toEqual(byGate(counting))
      }),
    )
  })
})
