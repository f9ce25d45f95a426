import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { recordedRun, storeRun } from '../report/recorded.ts'
import { listeningApi, VIEWER_TOKEN } from '../support/api.ts'
import { runHere } from '../support/cli.ts'

const CONFIG = readFileSync(new URL('../../examples/minimal.yaml', import.meta.url), 'utf8')

let folder: string
let store: string
const run = recordedRun()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-report-'))
  const made = folder
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  store = join(folder, 'headgate.db')
  await storeRun(store, run)
})

const clock = createFakeClock(run.madeAtMs)
const report = (...rest: readonly string[]) => runHere(['report', '--store', store, ...rest], { clock })
const file = (name: string) => join(folder, name)

describe('headgate report --store', () => {
  test('tells the very numbers that the backends counted, as JSON', async () => {
    const { out, code } = await report('--format', 'json')
    const made = JSON.parse(out)
    expect(code).toBe(0)
    expect(made).toMatchObject({ kind: 'headgate-report/v1', migration: 'm', madeAtMs: run.madeAtMs })
    expect(made.journal).toEqual({ head: { seq: run.rows.length, hash: expect.any(String) }, fault: null })
    for (const { workload, served } of made.workloads) expect(served[0].counts).toEqual(run.served[workload])
    expect((await report('--json')).out).toBe(`${JSON.stringify(made, null, 2)}\n`)
  })

  test('writes Markdown to the terminal, and to a file with its plots beside', async () => {
    const shown = await report()
    expect(shown.out).toMatch(/^# Migration m\n\n3 workloads: 2 moved, 1 reverted\.\n/)
    expect(shown.out).not.toContain('![')
    expect(await report('--out', file('june.report.md'))).toEqual({
      code: 0,
      err: '',
      out: `written to ${file('june.report.md')}, its plots to ${file('june.report.svg')}\n`,
    })
    expect(readFileSync(file('june.report.md'), 'utf8')).toContain('![Weights over time](june.report.svg)')
    expect(readFileSync(file('june.report.svg'), 'utf8')).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/)
  })

  test('takes the form from the ending of the file, unless it is said', async () => {
    await report('--out', file('a.html'))
    await report('--out', file('b.html'), '--format', 'json')
    expect(readFileSync(file('a.html'), 'utf8')).toMatch(/^<!doctype html>/)
    expect(JSON.parse(readFileSync(file('b.html'), 'utf8'))).toMatchObject({ kind: 'headgate-report/v1' })
    expect(existsSync(file('a.svg'))).toBe(false)
  })

  test('takes prices from a config', async () => {
    const costs = 'costs: { currency: EUR, oldPerHour: 36, newPerHour: 72 }'
    writeFileSync(file('config.yaml'), `${CONFIG.replace(/^migration:.*$/m, 'migration: m')}\n${costs}\n`)
    const made = JSON.parse((await report('--format', 'json', '-c', file('config.yaml'))).out)
    const { seconds, cost } = made.bothRunning
    expect(cost).toEqual({ currency: 'EUR', old: seconds / 100, new: seconds / 50 })
    expect((await report()).out).toContain('not known: the config has no')
  })

  test.each<[string, readonly string[], number, string]>([
    ['a migration that is not there', ['--migration', 'other'], 3, 'API_NOT_FOUND: there is no migration "other"'],
    ['a form that is not there', ['--format', 'pdf'], 2, 'CLI_USAGE'],
    ['a folder that is not there', ['--out', '/nowhere/at/all.md'], 2, 'CLI_USAGE: /nowhere/at/all.md cannot be'],
    ['a config that is not there', ['-c', '/nowhere/at/all.yaml'], 2, 'CONFIG_FILE_UNREADABLE'],
  ])('refuses %s', async (_, args, code, message) => {
    expect(await report(...args)).toMatchObject({ code, err: expect.stringContaining(message) })
  })

  test('asks which one is meant where there are several, and tells each by itself', async () => {
    const [first, ...others] = run.plans
    if (!first) throw new Error('the run has no plans')
    const path = file('two.db')
    await storeRun(path, { ...run, plans: [{ ...first, migration: 'n' }, ...others] })
    const ask = (...rest: readonly string[]) => runHere(['report', '--store', path, '--json', ...rest], { clock })
    expect(JSON.parse((await ask()).out)).toMatchObject({
      code: 'API_BAD_REQUEST',
      cause: expect.stringMatching(/^there are several migrations: (?:m, n|n, m)$/),
    })
    const names = async (migration: string) =>
      JSON.parse((await ask('--migration', migration)).out).workloads.map((one: { workload: string }) => one.workload)
    expect([...(await names('n')), ...(await names('m'))].sort()).toEqual(['catalog', 'checkout', 'search'])
    expect(await names('n')).toEqual([first.workload])
  })
})

describe('headgate report, of a running service', () => {
  test('asks the service, and writes what it says', async () => {
    const { url } = await listeningApi()
    const env = { HEADGATE_URL: url, HEADGATE_TOKEN: VIEWER_TOKEN }
    expect(await runHere(['report', '--migration', 'a b', '--format', 'html'], { env })).toMatchObject({
      code: 0,
      out: 'html of a b with null',
    })
    await runHere(['report', '--out', file('a.md')], { env })
    expect(readFileSync(file('a.md'), 'utf8')).toBe('md of null with a.svg')
    expect(readFileSync(file('a.svg'), 'utf8')).toBe('svg of null with null')
  })

  test('refuses a config: the service has its own', async () => {
    expect(await runHere(['report', '-c', 'x.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('a running service has its own config'),
    })
  })
})
