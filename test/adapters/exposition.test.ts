import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpositionError, parseExposition, type Sample } from '../../src/sources/scrape/exposition.ts'

const all = () => true

describe('a line', () => {
  test.each<[string, string, Sample]>([
    ['a name and a value', 'up 1', { name: 'up', labels: {}, value: 1 }],
    ['empty braces', 'up{} 1', { name: 'up', labels: {}, value: 1 }],
    ['braces after a space', 'up {a="b"} 1', { name: 'up', labels: { a: 'b' }, value: 1 }],
    ['no space after the braces', 'up{a="b"}1', { name: 'up', labels: { a: 'b' }, value: 1 }],
    ['a comma at the end', 'up{a="b", c="d", } 1', { name: 'up', labels: { a: 'b', c: 'd' }, value: 1 }],
    ['spaces everywhere', '  up\t{ a = "b" , c="d" }  1  ', { name: 'up', labels: { a: 'b', c: 'd' }, value: 1 }],
    ['a line end of Windows', 'up{a="b"} 1\r', { name: 'up', labels: { a: 'b' }, value: 1 }],
    ['colons in the name', 'job:up:sum 1', { name: 'job:up:sum', labels: {}, value: 1 }],
    ['braces and commas in a value', 'up{path="/a{b},c"} 1', { name: 'up', labels: { path: '/a{b},c' }, value: 1 }],
    ['escapes', String.raw`up{a="\"\\\n"} 1`, { name: 'up', labels: { a: '"\\\n' }, value: 1 }],
    [
      'a backslash before an n',
      String.raw`up{a="C:\\new"} 1`,
      { name: 'up', labels: { a: String.raw`C:\new` }, value: 1 },
    ],
    ['percent signs', 'up{path="/a%20b%2Fc"} 1', { name: 'up', labels: { path: '/a%20b%2Fc' }, value: 1 }],
    ['letters of all languages', 'up{a="größe 🚦"} 1', { name: 'up', labels: { a: 'größe 🚦' }, value: 1 }],
    ['an empty value', 'up{a=""} 1', { name: 'up', labels: { a: '' }, value: 1 }],
    ['a quoted metric name', '{"http.requests", a="b"} 1', { name: 'http.requests', labels: { a: 'b' }, value: 1 }],
    ['a quoted label name', 'up{"a.b"="c"} 1', { name: 'up', labels: { 'a.b': 'c' }, value: 1 }],
    ['a timestamp in milliseconds', 'up 1 1700000000000', { name: 'up', labels: {}, value: 1 }],
    ['a timestamp before 1970', 'up 1 -5', { name: 'up', labels: {}, value: 1 }],
    ['a timestamp in seconds', 'up 1 1700000000.123', { name: 'up', labels: {}, value: 1 }],
    [
      'an exemplar',
      'up_total{a="b"} 7 1700000000.1 # {trace_id="x # y"} 0.5 1700000000.0',
      { name: 'up_total', labels: { a: 'b' }, value: 7 },
    ],
    ['an exemplar and no timestamp', 'up_total 7 # {} 0.5', { name: 'up_total', labels: {}, value: 7 }],
    ['a fraction', 'up 0.25', { name: 'up', labels: {}, value: 0.25 }],
    ['an exponent', 'up 1.5e+09', { name: 'up', labels: {}, value: 1.5e9 }],
    ['a negative one', 'up -3', { name: 'up', labels: {}, value: -3 }],
    ['not a number', 'up NaN', { name: 'up', labels: {}, value: Number.NaN }],
    ['infinity', 'up +Inf', { name: 'up', labels: {}, value: Number.POSITIVE_INFINITY }],
    ['infinity, in full', 'up Infinity', { name: 'up', labels: {}, value: Number.POSITIVE_INFINITY }],
    ['infinity below', 'up -Inf', { name: 'up', labels: {}, value: Number.NEGATIVE_INFINITY }],
  ])('with %s', (_, line, sample) => {
    expect(parseExposition(line, 'text', all)).toEqual([sample])
  })

  test.each([
    ['no value', 'up{a="b"}'],
    ['a value that is no number', 'up{a="b"} many'],
    ['an empty number', 'up . '],
    ['a hexadecimal value', 'up 0x10'],
    ['an open brace', 'up{a="b" 1'],
    ['an open quote', 'up{a="b} 1'],
    ['a value without quotes', 'up{a=b} 1'],
    ['a label without a value', 'up{a} 1'],
    ['no comma between labels', 'up{a="b" c="d"} 1'],
    ['two quoted names', '{"up","down"} 1'],
    ['two values', 'up 1 2 3'],
    ['no name', '{a="b"} 1'],
    ['HTML', '<html>'],
    ['a name that begins with a digit', '1up 1'],
  ])('with %s is refused, by its number and without its text', (_, line) => {
    const page = `# a page\nfine 1\n${line}\n`
    expect(() => parseExposition(page, 'text', all)).toThrow(new ExpositionError('line 3 is not a sample'))
  })
})

describe('a page', () => {
  test('comments, types, help and empty lines are no samples, indented or not', () => {
    const page = '# HELP up Is it? {"}\n# TYPE up gauge\n\n   \n\t# indented\n#\nup 1\n'
    expect(parseExposition(page, 'text', all)).toEqual([{ name: 'up', labels: {}, value: 1 }])
  })

  test('lines of other metrics are passed over, whatever they hold', () => {
    const page = 'other{broken 1\nup 1\nother_total{a=} x\n'
    expect(parseExposition(page, 'text', (name) => name === 'up')).toEqual([{ name: 'up', labels: {}, value: 1 }])
  })

  test('a wanted name is no prefix of another one', () => {
    const page = 'up 1\nup_total 2\nupper{a="b"} 3\n{"up.total"} 4\n'
    expect(parseExposition(page, 'text', (name) => name === 'up').map(({ value }) => value)).toEqual([1])
  })

  test('an empty page is a page without samples', () => {
    expect(parseExposition('', 'text', all)).toEqual([])
  })

  test.each([
    ['ends with its mark', 'up_total 1\n# EOF\n', null],
    ['ends with its mark, without a line end', 'up_total 1\n# EOF', null],
    ['is cut off', 'up_total 1\n', 'the page ends without # EOF'],
    ['is empty', '', 'the page ends without # EOF'],
    ['goes on after its mark', 'up_total 1\n# EOF\nup_total 2\n', 'line 3 comes after # EOF'],
    ['comments after its mark', '# EOF\n# more\n', 'line 2 comes after # EOF'],
  ])('of OpenMetrics that %s', (_, page, refusal) => {
    const parse = () => parseExposition(page, 'openmetrics', all)
    if (refusal === null) expect(parse()).toEqual([{ name: 'up_total', labels: {}, value: 1 }])
    else expect(parse).toThrow(new ExpositionError(refusal))
  })

  test('what a client prints is what is read', () => {
    fc.assert(
      fc.property(fc.array(sample()), fc.constantFrom('text', 'openmetrics'), (samples, format) => {
        expect(parseExposition(printed(samples), format, all)).toEqual(samples)
      }),
    )
  })

  test('no text does more than to be refused', () => {
    const soup = fc.array(fc.constantFrom('a', '{', '}', '"', '\\', '=', ',', ' ', '\n', '#', ' 1', 'é', '\u2028'))
    fc.assert(
      fc.property(soup, (pieces) => {
        try {
          parseExposition(pieces.join(''), 'text', all)
        } catch (error) {
          expect(error).toBeInstanceOf(ExpositionError)
        }
      }),
    )
  })
})

/** Samples as the format can hold them: plain and quoted names, and any text as a label's value. */
function sample(): fc.Arbitrary<Sample> {
  const anyText = fc.string({ unit: 'binary' })
  const plain = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
  const quoted = anyText.filter((text) => text !== '')
  const number = fc.double().map((value) => (value === 0 ? 0 : value))
  return fc.record({
    name: fc.oneof(plain, quoted),
    labels: fc.dictionary(fc.oneof(plain, quoted), anyText, { noNullPrototype: true }),
    value: number,
  })
}

function printed(samples: readonly Sample[]): string {
  const lines = samples.map(({ name, labels, value }) => {
    const items = Object.entries(labels).map(
      ([label, text]) => `${isPlain(label) ? label : inQuotes(label)}=${inQuotes(text)}`,
    )
    const [head, inBraces] = isPlain(name) ? [name, items] : ['', [inQuotes(name), ...items]]
    return `${head}${inBraces.length > 0 ? `{${inBraces.join(',')}}` : ''} ${valueText(value)}\n`
  })
  return `${lines.join('')}# EOF\n`
}

function isPlain(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

function inQuotes(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
