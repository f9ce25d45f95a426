import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { problemsDoc } from '../scripts/write-problems-doc.ts'
import { CATALOGUE } from '../src/core/catalogue.ts'
import { sourceKinds } from '../src/sources/registry.ts'
import { trafficKinds } from '../src/traffic/registry.ts'

const ROOT = join(import.meta.dirname, '..')
const SOURCES = filesOf('src')
const TESTS = filesOf('test')

const MAX_LINES = 300

/** DESIGN §3: imports point from a higher floor to a lower one. */
const FLOORS: Readonly<Record<string, number>> = {
  'main.ts': 4,
  cli: 4,
  'app.ts': 3,
  'running-config.ts': 3,
  'shard-rooms.ts': 3,
  'diagnose.ts': 3,
  'preflight-live.ts': 3,
  'notify-live.ts': 3,
  simulate: 3,
  engine: 2,
  traffic: 2,
  cluster: 2,
  sources: 2,
  store: 2,
  wake: 2,
  notify: 2,
  preflight: 2,
  telemetry: 2,
  report: 2,
  rules: 2,
  tasks: 2,
  silence: 2,
  api: 2,
  policy: 1,
  ports: 1,
  shared: 1,
  'config.ts': 1,
  core: 0,
}

/** The only ways between two rooms of one floor, beside `shared`, which is open to all but core. */
const SAME_FLOOR = [
  'main.ts → cli',
  'app.ts → running-config.ts',
  'app.ts → shard-rooms.ts',
  'shard-rooms.ts → running-config.ts',
  'config.ts → policy',
  'config.ts → ports',
]

describe('the rooms', () => {
  test('every file is in a room that has a floor', () => {
    expect(SOURCES.map(({ path }) => roomOf(path)).filter((room) => !(room in FLOORS))).toEqual([])
  })

  test('imports point downwards, and siblings leave each other alone', () => {
    expect(
      SOURCES.flatMap((file) =>
        importsOf(file)
          .filter((target) => !mayImport(file.path, target))
          .map(from(file)),
      ),
    ).toEqual([])
  })

  test.each([
    ['src/engine/act.ts', 'src/core/step.ts', true],
    ['src/engine/act.ts', 'src/traffic/registry.ts', false],
    ['src/traffic/http/kind.ts', 'src/shared/schema.ts', true],
    ['src/policy/parse.ts', 'src/engine/act.ts', false],
    ['src/core/step.ts', 'src/shared/schema.ts', false],
    ['src/core/step.ts', 'node:crypto', false],
    ['src/store/sqlite.ts', 'node:sqlite', true],
    ['src/config.ts', 'src/policy/parse.ts', true],
    ['src/policy/parse.ts', 'src/config.ts', false],
    ['src/engine/act.ts', 'test/fakes/traffic.ts', false],
    ['src/cli/demo.ts', 'examples/demo/demo.ts', true],
  ])('%s importing %s: %s', (path, target, isAllowed) => {
    expect(mayImport(path, target)).toBe(isAllowed)
  })
})

describe('the files', () => {
  test(`none in src is longer than ${MAX_LINES} lines`, () => {
    const long = SOURCES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    expect(long.filter(({ lines }) => lines > MAX_LINES)).toEqual([])
  })

  test.each<[string, RegExp, readonly string[]]>([
    [
      'time and chance are inputs',
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b|\bset(?:Timeout|Interval)\b|\bMath\.random\b/,
      ['src/wake/', 'src/telemetry/runtime.ts', 'src/cli/'],
    ],
    ['nobody writes to the console', /\bconsole\./, []],
    ['types are not silenced', /\bas any\b|@ts-(?:ignore|expect-error|nocheck)/, []],
    ['nothing is left to do', /\b(?:TODO|FIXME|XXX)\b/, []],
    ['only core changes a phase', /\.phase\s*=[^=>]|\bname: '(?:waiting|preflight|stepping|reverting)'/, ['src/core/']],
    ['only core has drafts of states', /from '[./]*core\/draft\.ts'/, ['src/core/']],
  ])('%s', (_, banned, allowedUnder) => {
    const files = SOURCES.filter(({ path }) => !allowedUnder.some((prefix) => path.startsWith(prefix)))
    expect(files.flatMap((file) => matchingLines(file, banned))).toEqual([])
  })

  test('no test is left out, or alone', () => {
    const banned = /\b(?:test|it|describe)(?:\.\w+)*\.(?:only|skip|todo)\b/
    expect(TESTS.flatMap((file) => matchingLines(file, banned))).toEqual([])
  })
})

describe('the catalogue', () => {
  test('every problem is reported somewhere', () => {
    const text = SOURCES.filter(({ path }) => path !== 'src/core/catalogue.ts').map((file) => file.text)
    const used = new Set(text.join('\n').match(/\b[A-Z]+(?:_[A-Z]+)+\b/g))
    expect(Object.keys(CATALOGUE).filter((code) => !used.has(code))).toEqual([])
  })

  test('docs/problems.md is as scripts/write-problems-doc.ts writes it', () => {
    expect(readFileSync(join(ROOT, 'docs/problems.md'), 'utf8')).toBe(problemsDoc())
  })
})

test.each([
  ['traffic provider', trafficKinds, 'docs/providers'],
  ['metric source', sourceKinds, 'docs/sources'],
])('every kind of %s has its page', (_, kinds, folder) => {
  const pages = kinds.map(({ kind }) => `${folder}/${kind}.md`)
  expect(pages.filter((page) => !existsSync(join(ROOT, page)))).toEqual([])
})

interface SourceFile {
  /** From the root, e.g. `src/core/step.ts`. */
  readonly path: string
  readonly text: string
}

function filesOf(folder: string): readonly SourceFile[] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** `src/core/gates/burn.ts` → `core`, `src/app.ts` → `app.ts`. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** What a file imports, statically or not, types too: paths from the root, or package names. */
function importsOf({ path, text }: SourceFile): readonly string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier,
  )
}

function mayImport(path: string, target: string): boolean {
  const room = roomOf(path)
  const isOwn = /^(?:src|test|scripts|bench|examples)\//.test(target)
  if (!isOwn) return room !== 'core'
  if (!target.startsWith('src/')) return room === 'cli' && target.startsWith('examples/')
  const targetRoom = roomOf(target)
  if (targetRoom === room) return true
  if (room === 'core') return false
  if (targetRoom === 'shared' || SAME_FLOOR.includes(`${room} → ${targetRoom}`)) return true
  return (FLOORS[targetRoom] ?? Number.POSITIVE_INFINITY) < (FLOORS[room] ?? 0)
}

function from({ path }: SourceFile): (target: string) => string {
  return (target) => `${path} imports ${target}`
}

/** `path:line: text` of each line that matches, comments aside. */
function matchingLines({ path, text }: SourceFile, banned: RegExp): readonly string[] {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*$/gm, '$1')
  return code.split('\n').flatMap((line, index) => (banned.test(line) ? `${path}:${index + 1}: ${line.trim()}` : []))
}
