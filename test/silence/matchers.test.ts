import fc from 'fast-check'
import { request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { matcherText, parseMatchers } from '../../src/shared/alertmanager/matchers.ts'
import { mayOverlap } from '../../src/shared/alertmanager/overlap.ts'
import { compileMatchers, type Labels } from '../../src/shared/promql/matching.ts'
import type { Matcher } from '../../src/shared/promql/selector.ts'
import { startAlertmanager } from '../support/alertmanager.ts'
import { requireServer } from '../support/servers.ts'

const op = fc.constantFrom('=', '!=', '=~', '!~')
const anyMatcher: fc.Arbitrary<Matcher> = fc.record({
  label: fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/),
  op,
  value: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', '\\', 'n', ',', '{', '}', '\n', ' ', '=') }),
  ),
})

describe('matchers as Alertmanager writes them', () => {
  const cases: Readonly<Record<string, readonly (readonly [string, string, string])[] | null>> = {
    'severity="critical"': [['severity', '=', 'critical']],
    'severity=critical': [['severity', '=', 'critical']],
    ' team =~ "a|b" ': [['team', '=~', 'a|b']],
    '{a="b", c!~"d.*",}': [
      ['a', '=', 'b'],
      ['c', '!~', 'd.*'],
    ],
    'a="x,y",b!=z': [
      ['a', '=', 'x,y'],
      ['b', '!=', 'z'],
    ],
    'a=~"foo\\.bar"': [['a', '=~', 'foo\\.bar']],
    'a="say \\"no\\"\\n\\\\"': [['a', '=', 'say "no"\n\\']],
    'a=': [['a', '=', '']],
    'a=b\\nc': [['a', '=', 'b\nc']],
    '': null,
    '{}': null,
    a: null,
    'a="b': null,
    'a="b"c': null,
    '9a=b': null,
    'a==b"': null,
    'a="b" b="c"': null,
  }
  test.each(Object.entries(cases))('%j', (text, want) => {
    expect(parseMatchers(text)?.map(({ label, op, value }) => [label, op, value]) ?? null).toEqual(want)
  })

  test('what is written is read as it was meant', () => {
    fc.assert(
      fc.property(fc.array(anyMatcher, { minLength: 1, maxLength: 4 }), (matchers) => {
        const texts = matchers.map(matcherText)
        expect(parseMatchers(texts.join(','))).toEqual(matchers)
        expect(parseMatchers(`{${texts.join(', ')}}`)).toEqual(matchers)
      }),
    )
  })
})

/** Few labels and values, so that they meet. */
const value = fc.constantFrom('', 'a', 'b', 'ab', 'a.b', 'a"b\\', 'x\ny')
const pattern = fc.constantFrom('', 'a', 'a|b', 'a.*', '.*', '.+', 'a\\.b', '[ab]+', '(?i)A', 'x.y', 'a||b')
const label = fc.constantFrom('m', 'n')
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({ label, op: fc.constantFrom('=', '!='), value }),
  fc.record({ label, op: fc.constantFrom('=~', '!~'), value: pattern }),
)
const matchers = fc.array(matcher, { minLength: 1, maxLength: 3 })
const ALERTS: readonly Labels[] = ['', 'a', 'b', 'ab', 'a.b', 'a"b\\', 'x\ny', 'c'].flatMap((m) =>
  ['', 'a', 'b'].map((n) => ({ m, n })),
)

function fits(own: readonly Matcher[], labels: Labels): boolean {
  const test = compileMatchers({ matchers: own })
  if (isMissing(test)) throw new Error(test.detail)
  return test(labels)
}

test('what is said to lie apart has no alert in common, and one that both fit is seen', () => {
  fc.assert(
    fc.property(matchers, matchers, (one, other) => {
      const isShared = ALERTS.some((labels) => fits(one, labels) && fits(other, labels))
      if (isShared) expect(mayOverlap(one, other)).toBe(true)
      expect(mayOverlap(one, other)).toBe(mayOverlap(other, one))
    }),
    { numRuns: 1000 },
  )
})

test.each<[string, string, boolean]>([
  ['alertname="A"', 'alertname="B"', false],
  ['alertname="A"', 'alertname=~"B|C"', false],
  ['alertname="A"', 'alertname=~"A|C"', true],
  ['alertname="A"', 'alertname!="A"', false],
  ['alertname="A"', 'alertname!~"A.*"', false],
  ['alertname=~"A.*"', 'alertname=~"B.*"', true],
  ['alertname="A"', 'severity="critical"', true],
  ['alertname="A",severity="info"', 'severity="critical"', false],
])('%s and %s may have an alert in common: %s', (one, other, want) => {
  expect(mayOverlap(parseMatchers(one) ?? [], parseMatchers(other) ?? [])).toBe(want)
})

const BINARY = requireServer('prometheus-alertmanager', 'matchers of a real Alertmanager')

describe.skipIf(BINARY === null)('against the real Alertmanager', () => {
  test('every matcher is taken as it is written here, and means the same', async () => {
    const real = await startAlertmanager(BINARY ?? '', { url: 'http://127.0.0.1:9/', token: 'nobody' })
    onTestFinished(real.stop)
    // A dot matches line ends here, as in Prometheus, and not there.
    const oneLine = ALERTS.filter(({ m }) => !m?.includes('\n'))
    const named: readonly Labels[] = oneLine.map((labels, n) => ({ ...labels, alertname: `alert ${n}` }))
    const body = JSON.stringify(named.map((labels) => ({ labels })))
    const headers = { 'content-type': 'application/json' }
    await (await request(`${real.url}/api/v2/alerts`, { method: 'POST', headers, body })).body.dump()
    const found = async (own: readonly Matcher[]) => {
      const filter = own.map((one) => `filter=${encodeURIComponent(matcherText(one))}`).join('&')
      const answer = await request(`${real.url}/api/v2/alerts?${filter}`)
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(text)
      return (JSON.parse(text) as { labels: { alertname: string } }[]).map(({ labels }) => labels.alertname).toSorted()
    }
    const wanted = (own: readonly Matcher[]) =>
      named.flatMap((labels) => (fits(own, labels) ? [labels['alertname']] : [])).toSorted()
    await fc.assert(
      fc.asyncProperty(matchers, async (own) => {
        expect(await found(own)).toEqual(wanted(own))
      }),
      { numRuns: 200 },
    )
    // Any text at all is taken, if not as a pattern.
    await fc.assert(
      fc.asyncProperty(
        anyMatcher.filter(({ op }) => op === '=' || op === '!='),
        async (one) => {
          expect(await found([one])).toEqual(wanted([one]))
        },
      ),
      { numRuns: 100 },
    )
  })
})
