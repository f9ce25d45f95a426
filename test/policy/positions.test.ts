import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/policy/parse.ts'
import { readYaml } from '../../src/policy/yaml.ts'
import { kinds } from '../policies/kinds.ts'

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('tree'), { maxKeys: 4 }),
  ),
}))
const config = fc.dictionary(
  fc.constantFrom(
    'apiVersion',
    'migration',
    'clusters',
    'sweep',
    'sources',
    'slis',
    'policy',
    'policies',
    'workloads',
    'api',
  ),
  tree,
)

describe('any text', () => {
  test('gives a config or problems with places inside the text, never a throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          config.map((value) => stringify(value)),
          config.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const result = parseConfig(text, 'f.yaml', kinds, {})
          if (result.ok) return
          const lines = text.split('\n')
          expect(result.problems.length).toBeGreaterThan(0)
          for (const { at, cause, hint } of result.problems) {
            expect(cause).not.toBe('')
            expect(hint).not.toBe('')
            expect(at?.line).toBeGreaterThanOrEqual(1)
            expect(at?.line).toBeLessThanOrEqual(lines.length)
            expect(at?.column).toBeGreaterThanOrEqual(1)
            expect(at?.column).toBeLessThanOrEqual((lines[(at?.line ?? 1) - 1] ?? '').length + 1)
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('a place in a text value', () => {
  // Each marks with `^` below where character 4 of the value `abc def` stands.
  test.each([
    ['plain', 'k: abc def', 1, 8],
    ['plain after a comment', '# c\nk: abc def # c', 2, 8],
    ['in single quotes', "k: 'abc def'", 1, 9],
    ['in double quotes', 'k: "abc def"', 1, 9],
    ['in a flow map', '{ k: abc def }', 1, 10],
    ['in a block', 'k: |\n  abc def\n', 2, 7],
    ['behind an alias', 'a: &x abc def\nk: *x', 1, 11],
  ])('%s', (_name, text, line, column) => {
    expect(readYaml(text).locate({ path: ['k'], within: 4 })).toEqual({ line, column })
  })

  test('in the second line of a block', () => {
    expect(readYaml('k: |\n  abc\n    def\n').locate({ path: ['k'], within: 6 })).toEqual({ line: 3, column: 5 })
  })

  test('in a folded text is at least its start', () => {
    expect(readYaml('k: >\n  abc\n  def\n').locate({ path: ['k'], within: 5 })).toEqual({ line: 1, column: 4 })
  })
})

describe('a place that is not there', () => {
  test.each([
    ['a key missing from the root', 'a: 1', ['b'], 1, 1],
    ['a key missing from a map: the key that holds it', 'x: 1\na:\n  b: 1', ['a', 'c'], 2, 1],
    ['a key missing from an item: the item', 'a:\n  - b: 1\n  - b: 2', ['a', 1, 'c'], 3, 5],
    ['a value that is not written', 'a: 1\nb:', ['b'], 2, 3],
  ] as const)('%s', (_name, text, path, line, column) => {
    expect(readYaml(text).locate({ path })).toEqual({ line, column })
  })
})
