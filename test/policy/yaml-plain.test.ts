import { readdirSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { readWholeYaml } from '../../src/policy/yaml.ts'
import { readPlainYaml } from '../../src/policy/yaml-plain.ts'

const EXAMPLES = ['examples/minimal.yaml', 'examples/full.yaml'].map((file) => readFileSync(file, 'utf8'))

/** Every config that the policy tests read, sound or not. */
const CASES = readdirSync('test/policies')
  .filter((name) => name.endsWith('.txt'))
  .map((name) => readFileSync(`test/policies/${name}`, 'utf8').split('\n----\n')[0] ?? '')

/** What texts of YAML consist of, with its marks more often than a person would write them. */
const piece = fc.constantFrom(
  ...[
    'a',
    'name',
    'weight',
    'null',
    'true',
    'yes',
    'No',
    'constructor',
    '__proto__',
    'x.y/z-1',
    'é',
    '0x1f',
    '1e3',
    '12',
  ],
  ...[
    '25%',
    '0o17',
    '007',
    '-1',
    '-.inf',
    '.5',
    '.nan',
    '~',
    '500ms',
    '203.0.113.9',
    './x',
    '...',
    '---',
    'https://h:1/p',
  ],
  ...[
    ': ',
    ':',
    ' ',
    '  ',
    '- ',
    '-',
    '? ',
    ', ',
    ',',
    '{',
    '}',
    '[',
    ']',
    '{ ',
    ' }',
    '"',
    "'",
    "''",
    '\\n',
    '#',
    ' # c',
  ],
  ...[
    '&a ',
    '*a',
    '<<: ',
    '!t ',
    '| ',
    '>',
    '%',
    '@',
    '`',
    '=',
    '\t',
    '\r',
    '${env:X}',
    'm{a="b"}',
    '"a: b"',
    "'c # d'",
  ],
)
const line = fc
  .tuple(
    fc.constantFrom('', '', '  ', '  ', '    ', '   ', '- ', '  - ', '    - '),
    fc.constantFrom('', '', 'a: ', 'b: ', 'c:', 'd: { ', 'e: [', '# '),
    fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
    fc.constantFrom('', '', '', ' }', ']', ' # c', ' '),
  )
  .map((parts) => parts.join(''))
/** Lines that often belong together. */
const plainLine = fc
  .tuple(
    fc.constantFrom('', '  ', '    ', '- ', '  - ', '    - '),
    fc.constantFrom('a:', 'b:', 'c: ', 'd: ', ''),
    fc.constantFrom('', 'x', '1', "'y'", '[z, 2]', '{ e: f }'),
  )
  .map((parts) => parts.join(''))
const textOfLines = fc.array(fc.oneof(plainLine, line), { maxLength: 6 }).map((lines) => lines.join('\n'))

/** A config with something changed in it. */
const changedText = fc
  .tuple(
    fc.constantFrom(...EXAMPLES, ...CASES),
    fc.nat(),
    fc.nat(8),
    fc.oneof(piece, line, fc.constantFrom('\n', '\n  ')),
  )
  .map(([text, place, gone, put]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + put + text.slice(at + gone)
  })

function expectSameReading(text: string): void {
  const plain = readPlainYaml(text)
  if (plain === null) return
  const whole = readWholeYaml(text)
  expect(whole.syntax, text).toEqual([])
  // Keys in another order would be another config: the first source is the usual one.
  expect(written(plain.value), text).toBe(written(whole.value))
}

function written(value: unknown): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null })
}

describe('the plain part of YAML means what the library says that it means', () => {
  test('in every config of these tests', () => {
    for (const text of [...CASES, ...EXAMPLES]) expectSameReading(text)
  })

  test('in random texts', () => {
    fc.assert(fc.property(textOfLines, expectSameReading), { numRuns: 3000 })
  })

  test('in configs that somebody changed', () => {
    fc.assert(fc.property(changedText, expectSameReading), { numRuns: 500 })
  })
})

const READ: Readonly<Record<string, readonly [string, unknown]>> = {
  'maps in maps, with comments and empty lines': [
    '# first\na:\n\n  # second\n  b: 1 # third\n  c: x#y\nd: # nothing\n',
    { a: { b: 1, c: 'x#y' }, d: null },
  ],
  'a list that is as indented as its key, of maps': [
    'a:\n- name: x\n  b: true\n-   name: y\n    b: ~\nc: .inf',
    {
      a: [
        { name: 'x', b: true },
        { name: 'y', b: null },
      ],
      c: Number.POSITIVE_INFINITY,
    },
  ],
  'lists of texts': ['- https://a:1/b\n- 25%\n- 0x1f\n- no', ['https://a:1/b', '25%', 31, 'no']],
  'quoted texts': [`a: "b: c # d" # e\nf: 'it''s'\ng: ""`, { a: 'b: c # d', f: "it's", g: '' }],
  'PromQL that is not quoted': ['a: m{code=~"5..",b="c"}', { a: 'm{code=~"5..",b="c"}' }],
  'flow in flow': [
    "a: { b: [1, x y, 'z'], c: {}, d: [ { e: f } ] } # g",
    { a: { b: [1, 'x y', 'z'], c: {}, d: [{ e: 'f' }] } },
  ],
}

describe('read without the library', () => {
  it.each(Object.entries(READ))('%s', (_, [text, value]) => {
    expect(readPlainYaml(text)).toEqual({ value })
  })

  test('the shortest config, so that most are', () => {
    expect(readPlainYaml(EXAMPLES[0] ?? '')).not.toBeNull()
  })
})

describe('left to the library', () => {
  it.each(
    Object.entries({
      'an anchor': 'a: &b c',
      'a merge key': 'a:\n  <<: { b: c }',
      'a text of several lines': 'a: |\n  b',
      'a plain text that goes on': 'a: b\n  c',
      'a key twice': 'a: b\na: c',
      'a key twice on one line': 'a: { b: c, b: d }',
      'a key that is no word': 'true: a',
      'a tab': 'a:\tb',
      'a letter that not all encodings share': 'a: é',
      'an escape': 'a: "\\n"',
      'a flow over two lines': 'a: [b,\n  c]',
      'two documents': 'a: b\n---\nc: d',
      'a line that is indented like none': 'a:\n    b: c\n  d: e',
      nothing: '\n# nothing\n',
      'a quote that is not closed': 'a: "b',
      'more depth than a config has': `a: ${'['.repeat(100)}${']'.repeat(100)}`,
    }),
  )('%s', (_, text) => {
    expect(readPlainYaml(text)).toBeNull()
  })
})
