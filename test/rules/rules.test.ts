import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { healthRules } from '../../scripts/write-rules.ts'
import { RUNBOOKS } from '../../src/rules/rules.ts'
import { METRICS } from '../../src/telemetry/names.ts'
import { runHere } from '../support/cli.ts'
import { requireServer } from '../support/servers.ts'

const ROOT = join(import.meta.dirname, '../..')
const CONFIG = join(import.meta.dirname, 'headgate.yaml')
const CASES = join(import.meta.dirname, 'eks-1-33.promtool.yaml')
const HEALTH = join(ROOT, 'rules/headgate.yaml')
const HEALTH_CASES = join(ROOT, 'rules/headgate.test.yaml')
const promtool = requireServer('promtool', 'the suite of the alerting rules')

const alertRule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.looseObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
})
const recordingRule = z.strictObject({ record: z.string(), expr: z.string(), labels: z.record(z.string(), z.string()) })
const ruleFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([alertRule, recordingRule])) })),
})
const caseFile = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })).default([]),
    }),
  ),
})

const folder = mkdtempSync(join(tmpdir(), 'headgate-rules-'))
const WRITTEN = join(folder, 'headgate-eks-1-33.yaml')

beforeAll(async () => {
  const ran = await runHere(['rules', CONFIG, '--out', folder, '--runbooks', 'https://runbooks.example.com/headgate/'])
  expect(ran.code).toBe(0)
  copyFileSync(CASES, join(folder, 'cases.yaml'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(promtool === null)('promtool', () => {
  test.each([
    ['takes the rules on Headgate itself', ['check', 'rules', '--lint-fatal', HEALTH]],
    ['sees them fire when they should, and not otherwise', ['test', 'rules', HEALTH_CASES]],
    ['takes the rules for a config', ['check', 'rules', '--lint-fatal', WRITTEN]],
    ['sees them count, and fire when they should', ['test', 'rules', join(folder, 'cases.yaml')]],
  ])('%s', (_, args) => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { encoding: 'utf8', timeout: 240_000 })
    expect([status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, ''])
  })
})

const alerts = () => [HEALTH, WRITTEN].flatMap((path) => rulesOf(path).flatMap((one) => ('alert' in one ? [one] : [])))

test('every alert has a case in which it fires, and one in which it does not', () => {
  const tried = [HEALTH_CASES, CASES].flatMap((path) =>
    caseFile.parse(parse(readFileSync(path, 'utf8'))).tests.flatMap((one) => one.alert_rule_test),
  )
  expect(alerts().length).toBeGreaterThan(15)
  for (const { alert } of alerts()) {
    const counts = tried.filter(({ alertname }) => alertname === alert).map((one) => one.exp_alerts.length)
    expect([alert, Math.min(...counts), Math.max(...counts) > 0]).toEqual([alert, 0, true])
  }
})

test('rules ask for metrics that Headgate has', () => {
  const named = rulesOf(HEALTH).flatMap(({ expr }) => expr.match(/\bheadgate_\w+/g) ?? [])
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !(name.replace(/_(?:bucket|count|sum)$/, '') in METRICS))).toEqual([])
})

test('every alert leads to what to do about it', () => {
  for (const { alert, annotations } of alerts()) {
    const url = annotations.runbook_url.replace(RUNBOOKS, '').replace('https://runbooks.example.com/headgate', '')
    const [page = '', anchor = ''] = url.split('#')
    const path = join(ROOT, 'docs', page)
    expect([alert, existsSync(path)]).toEqual([alert, true])
    const text = readFileSync(path, 'utf8')
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    )
    expect(headings).toContain(anchor)
    expect(text).toContain(`\`${alert}\``)
  }
})

test('rules/headgate.yaml is what `node scripts/write-rules.ts` writes', () => {
  expect(readFileSync(HEALTH, 'utf8')).toBe(healthRules())
})

describe('headgate rules', () => {
  test('writes a file for Headgate and one for each migration, and says which SLIs have none', async () => {
    const ran = await runHere(['rules', CONFIG, '--out', folder])
    expect(readdirSync(folder).sort()).toEqual(['cases.yaml', 'headgate-eks-1-33.yaml', 'headgate.yaml'])
    expect(ran).toEqual({
      code: 0,
      out: `written to ${join(folder, 'headgate.yaml')}\nwritten to ${WRITTEN}\n`,
      err: 'no rules for busy of eks-1-33: a value has no objective\nno rules for own of eks-1-33: Prometheus has no series of the source scrape\n',
    })
  })

  test('prints all of it, without --out, with the pages of the project', async () => {
    const { out } = await runHere(['rules', CONFIG])
    const groups = ruleFile.parse(parse(out)).groups.map(({ name }) => name)
    expect(groups[0]).toBe('headgate')
    expect(groups).toContain('headgate-slo-eks-1-33-tail')
    expect(groups.at(-1)).toBe('headgate-signals-eks-1-33')
    expect(out).toContain(`${RUNBOOKS}/rules.md#headgatesloburn`)
  })

  test('has the names and labels that Sloth gives its series', () => {
    const records = rulesOf(WRITTEN).flatMap((one) => ('record' in one ? [one] : []))
    for (const window of ['5m', '30m', '1h', '2h', '6h', '1d', '3d', '30d'])
      expect(records).toContainEqual({
        record: `slo:sli_error:ratio_rate${window}`,
        expr: expect.any(String),
        labels: { migration: 'eks-1-33', sloth_slo: 'tail', sloth_window: window },
      })
  })

  test.each([
    ['a config that is not one', [join(import.meta.dirname, 'nowhere.yaml')], 'CONFIG_'],
    ['runbooks without an absolute address', [CONFIG, '--runbooks', 'wiki/headgate'], 'CLI_USAGE'],
    ['a folder that is a file', [CONFIG, '--out', CONFIG], 'CLI_USAGE'],
  ])('refuses %s', async (_, args, code) => {
    const ran = await runHere(['rules', ...args])
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', expect.stringContaining(code)])
  })
})

function rulesOf(path: string) {
  return ruleFile.parse(parse(readFileSync(path, 'utf8'))).groups.flatMap((group) => group.rules)
}
