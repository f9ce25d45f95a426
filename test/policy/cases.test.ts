import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Document, isCollection, isPair, visit } from 'yaml'
import { formatProblem } from '../../src/core/problem.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { kinds } from '../policies/kinds.ts'

// One file a case: the config, the files that it names, each below `==> NAME <==`, a line `----`, then the problems as a
// terminal prints them, or the config with its plans. UPDATE=1 writes what comes out: read it before you commit it.
const folder = new URL('../policies/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'))
const env = { PRESENT: 'a-value', EMPTY: '' }

describe('policy cases', () => {
  test('there are at least 60 configs that are refused and 10 that are taken', () => {
    expect(files.filter(isRefused).length).toBeGreaterThanOrEqual(60)
    expect(files.filter((file) => !isRefused(file)).length).toBeGreaterThanOrEqual(10)
  })

  test('those that are taken, and no others, are called good', () => {
    expect(files.filter((file) => file.startsWith('good-') === isRefused(file))).toEqual([])
  })

  test.each(files)('%s', (file) => {
    const [text] = split(file)
    const actual = printed(text)
    if (process.env['UPDATE']) writeFileSync(new URL(file, folder), `${text}----\n${actual}`)
    expect(actual).toBe(expectedOf(file))
  })
})

function isRefused(file: string): boolean {
  return expectedOf(file).includes(' CONFIG_')
}

function printed(text: string): string {
  const [config = '', ...beside] = text.split(/^==> (.+) <==\n/m)
  const result = parseConfig(config, 'headgate.yaml', kinds, env, (name) => {
    const at = beside.findIndex((one, index) => index % 2 === 0 && one === name)
    return at < 0 ? { why: 'no file can be read here' } : { text: beside[at + 1] ?? '' }
  })
  if (!result.ok) return `${result.problems.map(formatProblem).join('\n')}\n`
  const document = new Document(result.config, { aliasDuplicateObjects: false })
  // Maps and lists without others in them take one line.
  visit(document, {
    Collection(_key, node) {
      node.flow = node.items.every((item) => !isCollection(item) && !(isPair(item) && isCollection(item.value)))
    },
  })
  return document.toString({ lineWidth: 0 })
}

function split(file: string): [text: string, expected: string] {
  const content = readFileSync(new URL(file, folder), 'utf8')
  const at = content.indexOf('----\n')
  if (at < 0) throw new Error(`${file} has no line ----`)
  return [content.slice(0, at), content.slice(at + 5)]
}

function expectedOf(file: string): string {
  return split(file)[1]
}
