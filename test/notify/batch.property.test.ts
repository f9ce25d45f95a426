import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventBody, JournalRow } from '../../src/core/event.ts'
import { severityOf } from '../../src/core/explain.ts'
import { Batch, MOST_ITEMS, type Route } from '../../src/notify/batch.ts'
import { itemOf } from '../../src/notify/item.ts'
import { LOUDNESS } from '../../src/notify/words.ts'
import { CONFIRMED, CREATED, DRIFT, eventOf, HALTED, PLACES, QUIET, RESUMED, REVERT } from './samples.ts'

const ALL: Route = { severity: 'info', workloads: null, migrations: null }
const WORKLOADS = ['checkout', 'search', 'ads'] as const
/** Two migrations: `ads` is of the other. */
const migrationOf = (workload: string) => (workload === 'ads' ? 'other' : 'm')

function batchOf(rows: readonly JournalRow[], route: Route, open: readonly string[] = []): Batch {
  const batch = new Batch(0, open, {
    takes: 'messages',
    route,
    migrationOf,
    itemOf: (row) => itemOf(row, null, PLACES),
  })
  batch.add(rows)
  return batch
}

const bodies: readonly EventBody[] = [REVERT, CONFIRMED, HALTED, RESUMED, DRIFT, QUIET, CREATED]
const someRows = fc
  .array(fc.tuple(fc.constantFrom(...bodies), fc.constantFrom(...WORKLOADS, null)), { maxLength: 80 })
  .map((events): JournalRow[] =>
    events.map(([body, workload], index) => ({ seq: index + 1, event: eventOf(body, workload) })),
  )
const someRoute = fc.record({
  severity: fc.constantFrom('info', 'warn', 'page'),
  workloads: fc.option(fc.subarray([...WORKLOADS], { minLength: 1 })),
  migrations: fc.option(fc.subarray(['m', 'other'], { minLength: 1 })),
}) satisfies fc.Arbitrary<Route>

describe('a batch, whatever happened', () => {
  test('counts every event that concerns the channel once: it is told, or it is said that it was left out', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const groups = batchOf(rows, ALL).groups()
        expect(groups.reduce((sum, { items, leftOut }) => sum + items.length + leftOut, 0)).toBe(rows.length)
      }),
    )
  })

  test('has a group for each migration, with its rows in order and no other migration’s', () => {
    fc.assert(
      fc.property(someRows, someRoute, (rows, route) => {
        const groups = batchOf(rows, route).groups()
        expect(new Set(groups.map(({ migration }) => migration)).size).toBe(groups.length)
        for (const { migration, items } of groups) {
          expect(items.map(({ seq }) => seq)).toEqual(items.map(({ seq }) => seq).toSorted((a, b) => a - b))
          for (const { workload } of items) expect(workload === null ? null : migrationOf(workload)).toBe(migration)
        }
      }),
    )
  })

  test('is bounded, and leaves nothing out that is louder than what it tells', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        for (const { migration, items, leftOut } of batchOf(rows, ALL).groups()) {
          expect(items.length).toBeLessThanOrEqual(MOST_ITEMS)
          if (leftOut === 0) continue
          const told = new Set(items.map(({ seq }) => seq))
          const quietest = Math.min(...items.map(({ severity }) => LOUDNESS[severity]))
          const own = rows.filter(
            ({ event: { workload } }) => (workload === null ? null : migrationOf(workload)) === migration,
          )
          for (const { seq, event } of own)
            if (!told.has(seq)) expect(LOUDNESS[severityOf(event)]).toBeLessThanOrEqual(quietest)
        }
      }),
    )
  })

  test('tells of an end only what was told of its beginning, here or before', () => {
    fc.assert(
      fc.property(someRows, someRoute, fc.boolean(), (rows, route, wasOpen) => {
        const before = wasOpen ? ['headgate/m/checkout/revert'] : []
        const open = new Set(before)
        for (const { incidents } of batchOf(rows, route, before).groups())
          for (const { key, change } of incidents) {
            if (change === 'open') open.add(key)
            else expect(open.delete(key)).toBe(true)
          }
        expect(batchOf(rows, route, before).open().toSorted()).toEqual([...open].toSorted())
      }),
    )
  })

  test('comes to the same open incidents in one piece and in two', () => {
    fc.assert(
      fc.property(someRows, someRoute, fc.nat(80), (rows, route, at) => {
        const first = batchOf(rows.slice(0, at), route)
        const second = batchOf(rows.slice(at), route, first.open())
        expect(second.open().toSorted()).toEqual(batchOf(rows, route).open().toSorted())
      }),
    )
  })

  test('is the same from the same rows', () => {
    fc.assert(
      fc.property(someRows, someRoute, (rows, route) => {
        expect(batchOf(rows, route).groups()).toEqual(batchOf(rows, route).groups())
      }),
    )
  })
})

describe('who is told', () => {
  const told = (body: EventBody, route: Partial<Route>, workload: string | null = 'checkout', open: string[] = []) =>
    !batchOf([{ seq: 1, event: eventOf(body, workload) }], { ...ALL, ...route }, open).isEmpty()

  test.each<[string, boolean, EventBody, Partial<Route>, string | null]>([
    ['a page, by a channel of pages', true, REVERT, { severity: 'page' }, 'checkout'],
    ['a warning, by a channel of pages', false, DRIFT, { severity: 'page' }, 'checkout'],
    ['a warning, by a channel of warnings', true, DRIFT, { severity: 'warn' }, 'checkout'],
    ['one’s own workload', true, REVERT, { workloads: ['checkout'] }, 'checkout'],
    ['another workload', false, REVERT, { workloads: ['search'] }, 'checkout'],
    ['one’s own migration', true, REVERT, { migrations: ['other'] }, 'ads'],
    ['another migration', false, REVERT, { migrations: ['other'] }, 'checkout'],
    ['the whole service, by a channel of all', true, { type: 'config-rejected', problems: [] }, {}, null],
    [
      'the whole service, by a channel of a workload',
      false,
      { type: 'config-rejected', problems: [] },
      { workloads: ['ads'] },
      null,
    ],
    [
      'the whole service, by a channel of a migration',
      false,
      { type: 'config-rejected', problems: [] },
      { migrations: ['m'] },
      null,
    ],
  ])('%s: %s', (_, isTold, body, route, workload) => {
    expect(told(body, route, workload)).toBe(isTold)
  })

  test.each<[string, string, EventBody]>([
    ['a revert is over when it is confirmed', 'revert', CONFIRMED],
    ['a halt is over when a person resumes', 'hold-halted', RESUMED],
    ['a refused revert too', 'revert-refused', RESUMED],
    [
      'a failing write is over when a weight is read back',
      'write',
      { type: 'weight-confirmed', weightPercent: 5, secondsSinceIntended: 1 },
    ],
    [
      'a stuck share is over when the weight is in force',
      'stuck',
      {
        type: 'weight-in-force',
        weightPercent: 5,
        settleSeconds: 1,
        secondsSinceIntended: 1,
        observedSharePercent: 5,
        requests: 9,
      },
    ],
    [
      'anything is over when the rollout ends',
      'task-x',
      { type: 'phase-entered', from: 'baking', to: 'completed', stepIndex: null, reason: 'done' },
    ],
    [
      'a check is over when it passes',
      'check-ttls',
      { type: 'check-changed', check: 'ttls', from: 'fail', to: 'pass', sentence: '', hint: null },
    ],
  ])('%s, and whoever was told of it is told so', (_, topic, body) => {
    const key = `headgate/m/checkout/${topic}`
    expect(told(body, { severity: 'page' }, 'checkout', [])).toBe(false)
    expect(told(body, { severity: 'page' }, 'checkout', [key])).toBe(true)
    expect(told(body, { severity: 'page' }, 'search', [key])).toBe(false)
  })

  test('an incident that came and went meanwhile is told as both', () => {
    const rows = [REVERT, CONFIRMED].map((body, index) => ({ seq: index + 1, event: eventOf(body) }))
    const [group] = batchOf(rows, { ...ALL, severity: 'page' }).groups()
    expect(group?.incidents.map(({ change, item }) => [change, item.event])).toEqual([
      ['open', 'revert-started'],
      ['over', 'revert-confirmed'],
    ])
  })
})
