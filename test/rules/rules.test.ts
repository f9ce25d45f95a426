import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { METRICS } from '../../src/telemetry/names.ts'
import { requireServer } from '../support/servers.ts'

const ROOT = join(import.meta.dirname, '../..')
const RULES = join(ROOT, 'rules/headgate.yaml')
const promtool = requireServer('promtool', 'the suite of the alerting rules')

const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
})
const file = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) })
const rules = file.parse(parse(readFileSync(RULES, 'utf8'))).groups.flatMap((group) => group.rules)

describe.skipIf(promtool === null)('promtool', () => {
  test.each([
    ['takes the rules', ['check', 'rules', '--lint-fatal', RULES]],
    ['sees them fire when they should, and not otherwise', ['test', 'rules', join(ROOT, 'rules/headgate.test.yaml')]],
  ])('%s', (_, args) => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { encoding: 'utf8', timeout: 30_000 })
    expect([status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, ''])
  })
})

test('every alert has a case in which it fires, and one in which it does not', () => {
  const cases = readFileSync(join(ROOT, 'rules/headgate.test.yaml'), 'utf8')
  const known = z.object({
    tests: z.array(
      z.object({
        alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
      }),
    ),
  })
  const tried = known.parse(parse(cases)).tests.flatMap((one) => one.alert_rule_test)
  for (const { alert } of rules) {
    const counts = tried.filter(({ alertname }) => alertname === alert).map((one) => one.exp_alerts.length)
    expect([alert, Math.min(...counts), Math.max(...counts) > 0]).toEqual([alert, 0, true])
  }
})

test('rules ask for metrics that Headgate has', () => {
  const named = rules.flatMap(({ expr }) => expr.match(/\bheadgate_\w+/g) ?? [])
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !(name.replace(/_(?:bucket|count|sum)$/, '') in METRICS))).toEqual([])
})

test.each(rules)('$alert leads to what to do about it', ({ alert, annotations }) => {
  const [page = '', anchor = ''] = annotations.runbook_url.split('#')
  expect(existsSync(join(ROOT, page))).toBe(true)
  const text = readFileSync(join(ROOT, page), 'utf8')
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replaceAll(' ', '-'),
  )
  expect(headings).toContain(anchor)
  expect(text).toContain(`\`${alert}\``)
})
