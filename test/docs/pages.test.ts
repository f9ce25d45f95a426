import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PHASES } from '../../src/core/phases.ts'
import { HOLD_CAUSES } from '../../src/core/state.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { DECISIONS } from '../../src/telemetry/decisions.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { METRICS } from '../../src/telemetry/names.ts'
import { codeSpans, PAGES, type Page, proseOf } from '../support/markdown.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('links', () => {
  test.each(PAGES)('those of $path lead somewhere', (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([])
  })

  test.each([
    ['docs/cli.md', 'problems.md', true],
    ['docs/cli.md', '../README.md#run-it', true],
    ['docs/cli.md', '#exit-codes', true],
    ['docs/cli.md', '#entry-codes', false],
    ['docs/cli.md', 'README.md#run-it', false],
    ['docs/cli.md', '../src', true],
    ['docs/cli.md', 'nowhere.md', false],
  ])('from %s to %s: %s', (path, link, want) => {
    expect(leadsSomewhere({ path, text: readFileSync(join(ROOT, path), 'utf8') }, link)).toBe(want)
  })
})

test('every page below docs can be reached from its index', () => {
  const reached = new Set(['docs/README.md'])
  for (const path of reached) {
    const page = PAGES.find((one) => one.path === path)
    for (const link of page ? linksOf(page) : []) {
      const target = join(dirname(path), link.split('#')[0] ?? '')
      if (target.startsWith('docs/')) reached.add(target)
    }
  }
  expect(PAGES.filter(({ path }) => path.startsWith('docs/') && !reached.has(path)).map(({ path }) => path)).toEqual([])
})

test('every decision is in the index, and its number is in its title', () => {
  const decisions = PAGES.filter(({ path }) => /^docs\/adr\/\d/.test(path))
  expect(decisions.length).toBeGreaterThan(0)
  const index = readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8')
  for (const [at, { path, text }] of decisions.entries()) {
    const [, title] = new RegExp(`^# ${at + 1}\\. (.+)\n\n## Context\n`).exec(text) ?? []
    expect([path, title]).toEqual([path, expect.any(String)])
    expect(index).toContain(`| [${at + 1}](${path.replace('docs/adr/', '')}) | ${title} |`)
    expect(text.match(/^## .+$/gm)).toEqual(['## Context', '## Decision', '## Consequences'])
  }
})

test('metrics are named as they are', () => {
  const known = Object.keys(METRICS)
  const named = PAGES.flatMap((page) => codeSpans(page).flatMap((span) => span.match(/\bheadgate_[a-z_]+/g) ?? []))
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !known.includes(name.replace(/_(?:bucket|count|sum)$/, '')))).toEqual([])
})

test('alerts name values that their labels have', async () => {
  const spans = PAGES.flatMap(codeSpans).filter((span) => /\bheadgate_\w+\{/.test(span))
  const values = spans.flatMap((span) => [...span.matchAll(/(\w+)=~?"([^"]+)"/g)])
  const exposition = await createMetrics({ version: '1', clock: createFakeClock(0) }).registry.metrics()
  const known: Readonly<Record<string, readonly string[]>> = {
    type: [...exposition.matchAll(/headgate_events_total\{type="([^"]+)"\}/g)].map((match) => match[1] ?? ''),
    cause: HOLD_CAUSES,
    decision: DECISIONS,
    use: ['revert', 'other'],
    phase: Object.keys(PHASES),
  }
  expect(values.length).toBeGreaterThan(0)
  for (const [, label = '', value = ''] of values)
    expect(known[label]).toEqual(expect.arrayContaining(value.split(/\\?\|/)))
})

test('code that a page points at is there', () => {
  const paths = PAGES.flatMap((page) =>
    codeSpans(page)
      .filter((span) => /^(?:src|test|scripts|examples|docs|bench)\/[\w./-]+$/.test(span))
      .map((span) => ({ from: page.path, span })),
  )
  expect(paths.length).toBeGreaterThan(0)
  expect(paths.filter(({ span }) => !/\b(?:KIND|NAME)\b/.test(span) && !existsSync(join(ROOT, span)))).toEqual([])
})

/** Targets of the page's links, but for those to other hosts. */
function linksOf(page: Page): readonly string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return links.filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere({ path, text }: Page, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : join(dirname(path), file)
  if (!existsSync(join(ROOT, target))) return false
  if (anchor === undefined) return true
  return anchorsOf(file === '' ? text : readFileSync(join(ROOT, target), 'utf8')).includes(anchor)
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
