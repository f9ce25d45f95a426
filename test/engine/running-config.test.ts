import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { ProblemJson } from '../../src/core/problem.ts'
import { RunningConfig } from '../../src/running-config.ts'
import { kinds } from '../policies/kinds.ts'

const SERVICE = `apiVersion: headgate/v1
sources: { metrics: { url: "http://prometheus:9090" } }
`
const FREEZE = 'calendar: { freezes: [{ name: launch, from: "2026-11-01", to: "2026-12-01" }] }\n'
const IN_FREEZE_MS = Date.UTC(2026, 10, 21)

function migration(name: string, workload: string, more = ''): string {
  return `apiVersion: headgate/v1
migration: ${name}
clusters: { old: ${name}-old, new: ${name}-new }
slis: { availability: { objective: 99%, total: requests_total, bad: 'requests_total{code="500"}' } }
workloads: [{ name: ${workload}, traffic: { proxy: { socket: /run/proxy.sock, backend: ${workload} } } }]
${more}`
}

let folder: string
/** What the engine was told. */
let configured: string[][]
let rejected: ProblemJson[]
const engine = {
  configure: async (plans: readonly Plan[]) => void configured.push(plans.map(({ workload }) => workload)),
  rejectConfig: async (problems: readonly ProblemJson[]) => void rejected.push(...problems),
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-running-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  configured = []
  rejected = []
})

async function started(files: Readonly<Record<string, string>>): Promise<RunningConfig> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const loaded = await loadConfig(folder, kinds, {})
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return new RunningConfig(loaded, { path: folder, kinds, env: {} })
}

const TWO = { 'service.yaml': SERVICE, 'a.yaml': migration('eks', 'cart'), 'b.yaml': migration('payments', 'ledger') }

describe('a reload of a folder', () => {
  test.each<[string, Readonly<Record<string, string | null>>, string[]]>([
    ['takes a new migration', { 'c.yaml': migration('search', 'index') }, ['cart', 'ledger', 'index']],
    ['takes the end of one', { 'b.yaml': null }, ['cart']],
    ['takes another name of one of several', { 'b.yaml': migration('billing', 'ledger') }, ['cart', 'ledger']],
    ['takes a new workload', { 'b.yaml': migration('payments', 'books') }, ['cart', 'books']],
    ['takes a workload that wanders', { 'a.yaml': migration('eks', 'ledger'), 'b.yaml': null }, ['ledger']],
  ])('%s', async (_name, edits, want) => {
    const running = await started(TWO)
    edit(edits)
    expect((await running.reload(engine)).problems).toEqual([])
    expect(configured).toEqual([want])
    expect(rejected).toEqual([])
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'other clusters',
      { 'b.yaml': migration('payments', 'ledger').replace('payments-new', 'elsewhere') },
      'clusters of payments',
    ],
    ['another sweep', { 'service.yaml': `${SERVICE}sweep: 20s\n` }, 'sweep'],
    ['another store', { 'b.yaml': migration('payments', 'ledger', 'store: { path: other.db }\n') }, 'store'],
  ])('refuses %s whole until a restart', async (_name, edits, what) => {
    const running = await started(TWO)
    edit({ ...edits, 'c.yaml': migration('search', 'index') })
    const { problems } = await running.reload(engine)
    expect(problems).toMatchObject([{ code: 'CONFIG_NEEDS_RESTART', cause: `${folder}: ${what} was changed` }])
    expect(rejected).toEqual(problems)
    expect(configured).toEqual([])
    expect(running.about().migrations.map(({ migration }) => migration)).toEqual(['eks', 'payments'])
  })

  test('with one bad file changes nothing, and tells the problems of all files', async () => {
    const running = await started(TWO)
    edit({
      'a.yaml': migration('eks', 'cart', 'sweeep: 1s\n'),
      'b.yaml': 'apiVersion: 1\n',
      'c.yaml': migration('c', 'c'),
    })
    const files = (await running.reload(engine)).problems.map(({ at }) => at?.file)
    expect(new Set(files)).toEqual(new Set([join(folder, 'a.yaml'), join(folder, 'b.yaml')]))
    expect(configured).toEqual([])
  })

  test('of files that only wait otherwise in the folder is none', async () => {
    const running = await started(TWO)
    edit({ 'b.yaml': null, 'bb.yaml': TWO['b.yaml'] })
    expect((await running.reload(engine)).problems).toEqual([])
    expect(configured).toEqual([])
  })
})

test('of two reloads at a time the later one stays, and tells its own changes', async () => {
  const running = await started(TWO)
  edit({ 'b.yaml': null })
  const store = Promise.withResolvers<void>()
  const isWritten = Promise.withResolvers<void>()
  const slow = {
    ...engine,
    configure: (plans: readonly Plan[]) => {
      isWritten.resolve()
      return store.promise.then(() => engine.configure(plans))
    },
  }
  const first = running.reload(slow)
  await isWritten.promise
  edit({ 'b.yaml': TWO['b.yaml'], 'c.yaml': migration('search', 'index') })
  const second = running.reload(engine)
  store.resolve()
  expect((await first).changes.map(({ change, name }) => `${change} ${name}`)).toEqual([
    'removed payments',
    'removed ledger',
  ])
  expect((await second).changes.map(({ change, name }) => `${change} ${name}`)).toEqual([
    ...['added payments', 'added ledger', 'added search', 'added index'],
  ])
  expect(configured).toEqual([['cart'], ['cart', 'ledger', 'index']])
  expect(running.about().migrations.map(({ migration }) => migration)).toEqual(['eks', 'payments', 'search'])
})

test('a reload that fails keeps no later one from its turn', async () => {
  const running = await started(TWO)
  edit({ 'b.yaml': null })
  const away = { ...engine, configure: () => Promise.reject(new Error('the store is away')) }
  await expect(running.reload(away)).rejects.toThrow('away')
  expect((await running.reload(engine)).problems).toEqual([])
  expect(configured).toEqual([['cart']])
})

describe('a service of one migration', () => {
  test('keeps its name until a restart', async () => {
    const running = await started({ 'a.yaml': migration('eks', 'cart', SERVICE.replace(/^.*\n/, '')) })
    edit({ 'a.yaml': migration('aks', 'cart', SERVICE.replace(/^.*\n/, '')) })
    expect((await running.reload(engine)).problems).toMatchObject([{ cause: `${folder}: migration was changed` }])
  })

  test('is told by that name, until a second one comes', async () => {
    const running = await started({ 'service.yaml': SERVICE, 'a.yaml': TWO['a.yaml'] })
    expect(running.onlyMigration()).toBe('eks')
    edit({ 'b.yaml': TWO['b.yaml'] })
    await running.reload(engine)
    expect(running.onlyMigration()).toBeNull()
  })
})

test('a file that goes does not end its freeze for what is under way, and one that comes back without it does', async () => {
  const running = await started({ ...TWO, 'b.yaml': migration('payments', 'ledger', FREEZE) })
  const isOpen = () => running.calendarOf('payments')?.at(IN_FREEZE_MS).isOpen
  expect(isOpen()).toBe(false)
  edit({ 'b.yaml': null })
  await running.reload(engine)
  expect(isOpen()).toBe(false)
  expect(running.about().migrations).toHaveLength(1)
  expect(running.rules().map(({ migration }) => migration)).toEqual(['eks', 'payments'])
  edit({ 'b.yaml': TWO['b.yaml'] })
  await running.reload(engine)
  expect(isOpen()).toBeUndefined()
  expect(running.rules().map(({ migration }) => migration)).toEqual(['eks', 'payments'])
})

test('an ICS file that changes applies at once; one that breaks is refused, and what was in force stays', async () => {
  const ics = (...lines: string[]) => ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR', ''].join('\r\n')
  const launch = ['BEGIN:VEVENT', 'UID:1', 'SUMMARY:launch', 'DTSTART;VALUE=DATE:20261101', 'DTEND;VALUE=DATE:20261201']
  edit({ 'freezes.ics': ics() })
  const b = migration('payments', 'ledger', 'calendar: { freezes: [{ ics: freezes.ics }] }\n')
  const running = await started({ ...TWO, 'b.yaml': b })
  const isOpen = () => running.calendarOf('payments')?.at(IN_FREEZE_MS).isOpen
  expect(running.named).toEqual([join(folder, 'freezes.ics')])
  expect(isOpen()).toBe(true)

  edit({ 'freezes.ics': ics(...launch, 'END:VEVENT') })
  expect((await running.reload(engine)).problems).toEqual([])
  expect(configured).toEqual([['cart', 'ledger']])
  expect(isOpen()).toBe(false)

  edit({ 'freezes.ics': ics(...launch) })
  expect((await running.reload(engine)).problems).toMatchObject([
    { code: 'CONFIG_CALENDAR', at: { file: join(folder, 'b.yaml'), line: 6, column: 30 } },
  ])
  expect(isOpen()).toBe(false)
  expect(configured).toHaveLength(1)
})

/** Writes files of the folder; null: removes one. */
function edit(files: Readonly<Record<string, string | null>>): void {
  for (const [name, text] of Object.entries(files)) {
    if (text === null) rmSync(join(folder, name))
    else writeFileSync(join(folder, name), text)
  }
}
