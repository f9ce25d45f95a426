import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { gatherReport, migrationsOf, subjectsOf } from '../../src/report/gather.ts'
import type { Report } from '../../src/report/model.ts'
import { renderReport } from '../../src/report/render.ts'
import { MemoryJournal } from '../../src/simulate/journal.ts'
import { recordedRun } from './recorded.ts'

let report: Report

beforeAll(async () => {
  const { rows, rollouts, plans, madeAtMs } = recordedRun()
  const record = new MemoryJournal()
  record.append(rows.map(({ event }) => event))
  const journal = {
    read: async (query: Parameters<typeof record.read>[0]) => record.read(query),
    verify: () => record.verify(null),
  }
  const subjects = subjectsOf(rollouts, new Map(plans.map((plan) => [plan.hash, plan])), [])
  report = await gatherReport({ journal, subjects, migrations: migrationsOf(plans, []) }, null, madeAtMs)
})

/** What somebody could put into a name, a reason, or an answer that ends up in the journal. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></style></svg><iframe src=//evil.example>',
  '&lt;script&gt;',
  '[click](javascript:alert(1))',
  '![x](https://evil.example/x.png)',
  'https://evil.example www.evil.example a@evil.example',
  '| a | cell |',
  'a\n\n# heading\n\n- list',
  '`code` ```fence``` $x$ ~~gone~~ **bold** _it_',
  '\u202eesrever \u0000 \u001b[31mred',
  '<!-- --> ]]> {{ }} ${x}',
  '\\',
] as const

/** The report with a text put at the end of every text of others in it. */
function withText(value: Report, text: string): Report {
  const own = new Set(['kind', 'severity', 'type', 'phase', 'outcome', 'cause', 'what', 'hash', 'currency'])
  const put = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') return own.has(key) ? one : `${one}${text}`
    if (Array.isArray(one)) return one.map((item) => put(item, key))
    if (typeof one !== 'object' || one === null) return one
    return Object.fromEntries(Object.entries(one).map(([name, item]) => [name, put(item, name)]))
  }
  return put(value, '') as Report
}

/** Its tags with the names of their attributes, without what stands in quotes. */
const skeletonOf = (html: string) =>
  html.match(/<(?:"[^"]*"|[^>"])*>/g)?.map((tag) => tag.replace(/"[^"]*"/g, '""')) ?? []
const proseOf = (page: string) => page.replace(/^(`{3,})text\n[\s\S]*?^\1$/m, '')
/** Cells of each line: pipes that nothing escapes. */
const cellsOf = (text: string) =>
  text.split('\n').map((line) => line.replace(/\\\\/g, '').match(/(?<!\\)\|/g)?.length ?? 0)

describe.each(['html', 'svg'] as const)('text of others in %s', (format) => {
  test.each(HOSTILE)('%j becomes no markup', (text) => {
    expect(skeletonOf(renderReport(withText(report, text), format, null))).toEqual(
      skeletonOf(renderReport(withText(report, 'x'), format, null)),
    )
  })

  test('of any kind becomes no markup', () => {
    const want = skeletonOf(renderReport(withText(report, 'x'), format, null))
    const nasty = fc.string({
      unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', '-', '!', '`', 'a', '\n', '\u202e'),
    })
    fc.assert(
      fc.property(nasty, (text) => {
        expect(skeletonOf(renderReport(withText(report, `${text}x`), format, null))).toEqual(want)
      }),
      { numRuns: 50 },
    )
  })
})

describe('text of others in Markdown', () => {
  test.each(HOSTILE)('%j makes no line, cell, tag, link, image or formula', (text) => {
    const page = renderReport(withText(report, text), 'md', 'plots.svg')
    const plain = renderReport(withText(report, 'x'), 'md', 'plots.svg')
    expect(page.split('\n').length).toBe(plain.split('\n').length)
    // The plot in characters stands in a fence, where nothing is markup.
    const [prose, plainProse] = [proseOf(page), proseOf(plain)]
    expect(cellsOf(prose)).toEqual(cellsOf(plainProse))
    expect(prose.match(/(?<!\\)<|(?<!\\)\]\((?!plots\.svg)|:\/\/|(?<!\\)[$]|(?<!\\)@|(?<!\\)~/g)).toBeNull()
    expect(prose.match(/^#+ .*$/gm)?.length).toBe(plainProse.match(/^#+ .*$/gm)?.length)
  })

  test('that is no character to read, or turns the reading around, is named', () => {
    for (const format of ['md', 'html', 'svg'] as const) {
      const text = renderReport(withText(report, '\u202e\u0007\u2028'), format, null)
      expect(text).toContain('⟦U+202E⟧⟦U+0007⟧⟦U+2028⟧')
      for (const character of ['\u202e', '\u0007', '\u2028']) expect(text.includes(character)).toBe(false)
    }
  })
})

describe('the page', () => {
  test('has no script, and nothing from elsewhere', () => {
    const page = renderReport(report, 'html', null)
    expect(page).not.toMatch(/<(?:script|link|img|iframe|object|embed|base|form)\b/i)
    expect(page).not.toMatch(/\s(?:on\w+|src|style|srcset|action)=/i)
    expect(page).not.toMatch(/url\(|@import|javascript:/i)
    expect(page.match(/https?:\/\/[^"\s<]*/g)).toEqual(['http://www.w3.org/2000/svg'])
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, href]) => href?.startsWith('#'))).toBe(true)
    expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;`)
  })

  test('has one place for each of its links', () => {
    const page = renderReport(report, 'html', null)
    for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) expect(page.split(` id="${id}"`)).toHaveLength(2)
  })

  test('says so when the journal is not as it was written', () => {
    const fault = { seq: 7, what: 'missing', detail: 'row 7 is missing' } as const
    const broken = { ...report, journal: { ...report.journal, fault } }
    for (const format of ['md', 'html'] as const) {
      expect(renderReport(broken, format, null)).toMatch(/NOT as it was written: row 7: missing/)
      expect(renderReport(report, format, null)).not.toContain('NOT as it was written')
    }
  })

  test('marks every halt and revert in the plots', () => {
    const svg = renderReport(report, 'svg', null)
    const kinds = report.workloads.flatMap(({ decisions }) => decisions.map(({ kind }) => kind))
    const drawn = (name: string) => svg.split(`class="${name}"`).length - 2
    expect(drawn('revert')).toBe(kinds.filter((kind) => kind === 'revert').length)
    expect(drawn('halt')).toBe(kinds.filter((kind) => kind === 'halt').length)
    expect(kinds).toContain('revert')
  })

  test('of a migration that has not begun has no plots, and says so', () => {
    const waiting = {
      ...report,
      span: { startedAtMs: null, endedAtMs: null },
      bothRunning: null,
      workloads: [],
      served: [],
    }
    expect(renderReport(waiting, 'html', null)).toContain('Nothing has begun.')
    expect(renderReport(waiting, 'md', null)).toContain('nothing has begun')
  })
})
