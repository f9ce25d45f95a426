import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { formatProblem } from '../../src/core/problem.ts'
import { type Config, plansOf } from '../../src/policy/config.ts'
import { type ConfigText, parseConfigs } from '../../src/policy/parse.ts'
import { kinds } from '../policies/kinds.ts'

// One file a case: the files of a folder, each below `==> NAME <==`, a line `----`, then the problems as a terminal
// prints them, or what became of the folder. UPDATE=1 writes what comes out: read it before you commit it.
const folder = new URL('../directories/', import.meta.url)
const cases = readdirSync(folder)
const env = { PRESENT: 'a-value' }

describe('configs of several files', () => {
  test('those that are taken, and no others, are called good', () => {
    expect(cases.filter((name) => name.startsWith('good-') === read(name).want.includes(' CONFIG_'))).toEqual([])
  })

  test.each(cases)('%s', (name) => {
    const { texts, before, want } = read(name)
    const result = parseConfigs(texts, kinds, env)
    const told = result.ok ? summaryOf(result.config) : `${result.problems.map(formatProblem).join('\n')}\n`
    if (process.env['UPDATE']) writeFileSync(new URL(name, folder), `${before}----\n${told}`)
    expect(told).toBe(want)
  })

  test('problems come in the order of the files, and in each of its lines', () => {
    const { texts } = read('problems-of-all-files.txt')
    const result = parseConfigs(texts.toReversed(), kinds, env)
    expect(result.ok ? [] : result.problems.map(({ at }) => at?.file)).toEqual(['service.yaml', 'b.yaml', 'a.yaml'])
  })
})

describe('the hash of a folder', () => {
  const { texts } = read('good-service-in-a-file-of-its-own.txt')
  const hashOf = (files: readonly ConfigText[]) => {
    const result = parseConfigs(files, kinds, env)
    if (!result.ok) throw new Error('the config is refused')
    return result.config.hash
  }

  test('changes with any of its files', () => {
    const edits = texts.map((_, index) =>
      texts.map((one, at) => (at === index ? { ...one, text: `${one.text}# edited\n` } : one)),
    )
    expect(new Set([texts, ...edits].map(hashOf)).size).toBe(texts.length + 1)
  })

  test('of one file is that of its text, wherever it stands', () => {
    const [only] = read('good-one-file.txt').texts
    if (!only) throw new Error('the case has no file')
    expect(hashOf([only])).toBe(hashOf([{ ...only, file: 'elsewhere.yaml' }]))
  })
})

test('a plan is the same in a folder as it is alone', () => {
  const [eks, payments, service] = read('good-service-in-a-file-of-its-own.txt').texts
  if (!eks || !payments || !service) throw new Error('the case has not three files')
  const whole = parseConfigs([eks, payments, service], kinds, env)
  const alone = parseConfigs(
    [{ file: 'alone.yaml', text: eks.text + service.text.replace(/^apiVersion.*\n/, '') }],
    kinds,
    env,
  )
  if (!whole.ok || !alone.ok) throw new Error('a config is refused')
  expect(whole.config.migrations[0]).toEqual(alone.config.migrations[0])
})

function summaryOf(config: Config): string {
  const { hash: _hash, migrations, ...service } = config
  const summary = {
    ...service,
    migrations: migrations.map(({ migration, clusters, plans }) => ({
      migration,
      clusters,
      workloads: plans.map(({ workload }) => workload),
    })),
    plansCarryTheirMigration: plansOf(config).map(({ migration, workload }) => `${migration}/${workload}`),
  }
  return stringify(summary, { lineWidth: 0 })
}

function read(name: string): { texts: readonly ConfigText[]; before: string; want: string } {
  const content = readFileSync(new URL(name, folder), 'utf8')
  const at = content.indexOf('----\n')
  if (at < 0) throw new Error(`${name} has no line ----`)
  const before = content.slice(0, at)
  const [, ...parts] = before.split(/^==> (.*) <==\n/m)
  const texts = parts.flatMap((file, index) => (index % 2 === 0 ? [{ file, text: parts[index + 1] ?? '' }] : []))
  return { texts, before, want: content.slice(at + 5) }
}
