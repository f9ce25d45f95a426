import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
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
  const hashOf = (files: readonly ConfigText[]) => configOf(files).hash

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

describe('files in any arrangement', () => {
  const SERVICE_PARTS: Readonly<Record<string, unknown>> = {
    sources: { metrics: { url: 'http://prometheus:9090' } },
    api: { port: 8080 },
    store: { path: 'other.db' },
    sweep: '20s',
    observeTimeout: '3s',
    providers: {},
  }
  const migration = (name: string): Record<string, unknown> => ({
    apiVersion: 'headgate/v1',
    migration: name,
    clusters: { old: `${name}-a`, new: `${name}-b` },
    slis: { availability: { objective: '99%', total: 'requests_total', bad: 'failures_total' } },
    workloads: [{ name: `of-${name}`, traffic: { proxy: { socket: '/run/proxy.sock', backend: `be_${name}` } } }],
  })

  test('come to the same config wherever the parts of the service stand, and to each plan as if it stood alone', () => {
    const homes = fc.record(
      Object.fromEntries(Object.keys(SERVICE_PARTS).map((key) => [key, fc.constantFrom('a', 'b', 'service')])),
    )
    const alone = ['a', 'b'].map((name) =>
      configOf([{ file: 'alone.yaml', text: stringify({ ...migration(name), ...SERVICE_PARTS }) }]),
    )
    fc.assert(
      fc.property(homes, fc.shuffledSubarray(['a', 'b', 'service'], { minLength: 3 }), (home, order) => {
        const parts = (file: string) => Object.entries(SERVICE_PARTS).filter(([key]) => home[key] === file)
        const texts = order.map((file) => {
          const own = file === 'service' ? { apiVersion: 'headgate/v1' } : migration(file)
          return { file, text: stringify({ ...own, ...Object.fromEntries(parts(file)) }) }
        })
        const { migrations, hash: _, ...service } = configOf(texts)
        const { migrations: __, hash: ___, ...want } = alone[0] ?? configOf([])
        expect(service).toEqual(want)
        const inOrder = migrations.toSorted((one, other) => (one.migration < other.migration ? -1 : 1))
        expect(inOrder).toEqual(alone.flatMap((one) => one.migrations))
      }),
      { numRuns: 40 },
    )
  })

  test('that are refused say so at places inside of them, and never throw', () => {
    const keys = [...Object.keys(SERVICE_PARTS), ...Object.keys(migration('a')), 'unknown']
    const part = fc.oneof(
      fc.constantFrom<[string, unknown]>(...Object.entries({ ...SERVICE_PARTS, ...migration('a') })),
      fc.tuple(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 })),
    )
    const text = fc.oneof(
      { weight: 5, arbitrary: fc.array(part, { maxLength: 8 }).map((parts) => stringify(Object.fromEntries(parts))) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    )
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (all) => {
        const result = parseConfigs(
          all.map((one, index) => ({ file: `${index}.yaml`, text: one })),
          kinds,
          env,
        )
        if (result.ok) return
        expect(result.problems.length).toBeGreaterThan(0)
        for (const { at } of result.problems) {
          const lines = (all[Number.parseInt(at?.file ?? '', 10)] ?? '').split('\n')
          expect(at?.line).toBeGreaterThanOrEqual(1)
          expect(at?.line).toBeLessThanOrEqual(lines.length)
        }
      }),
      { numRuns: 100 },
    )
  })
})

function configOf(texts: readonly ConfigText[]): Config {
  const result = parseConfigs(texts, kinds, env)
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.config
}

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
