import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, type TestContext, test } from 'vitest'
import type { JournalRow } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { createMigration, haproxyTraffic, type Migration, storyOf, WEIGHTS_PERCENT } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { openWriteGate } from '../support/write-gate.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e crashes')

const BEGINNING = ['rollout-created', 'plan-pinned', 'preflight', 'preparing']
const HEALTHY = [
  ...BEGINNING,
  ...WEIGHTS_PERCENT.flatMap((weight, index) => stepOf(weight, index)),
  ...['baking', 'draining', 'completed'],
]
/** Of a workload that fails when 25 % is in force. */
const FAILING = [
  ...BEGINNING,
  ...WEIGHTS_PERCENT.slice(0, 2).flatMap((weight, index) => stepOf(weight, index)),
  ...['revert-started', 'reverting', 'intended 0', 'weight-confirmed 0', 'revert-confirmed 0', 'reverted'],
]

function stepOf(weight: number, index: number): readonly string[] {
  return [
    `stepping ${index + 1}`,
    `intended ${weight}`,
    `weight-confirmed ${weight}`,
    ...(weight === 0 ? [] : [`weight-in-force ${weight}`]),
  ]
}

describe.skipIf(SERVERS === null)(
  'after kill -9 and a start, the end is the same, and every event is there once',
  () => {
    test.concurrent('a healthy workload, killed within three of its writes', PATIENT, async (context) => {
      const { world, migration, gate } = await startCrashCase(context)
      const killed = killer(migration)
      await migration.start()
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 10)
      await gate.cutNext('before HAProxy has it')
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 90, new: 10 })
      await killed('25 % not yet written')
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      await gate.cutNext('half-way through it')
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 50, new: 25 })
      await killed('50 % half written')
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 50)
      await gate.cutNext('before HAProxy’s answer')
      expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)
      await killed('100 % written, and not known of')
      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
      expectOnce(await migration.journal(), HEALTHY)
      expect(await world.haproxy.failures('catalog')).toBe(0)
    })

    test.concurrent.for(['before HAProxy has it', 'half-way through it', 'before HAProxy’s answer'] as const)(
      'a failing workload, killed between the decision to revert and its confirmation, %s',
      PATIENT,
      async (cut, context) => {
        const { world, migration, gate } = await startCrashCase(context)
        const killed = killer(migration)
        await migration.start()
        await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
        world.service('catalog').new.breakDown()
        await gate.cutNext(cut)
        await killed(`reverting, ${cut}`)
        await migration.event('catalog', 'phase-entered', ({ to }) => to === 'reverted')
        expectOnce(await migration.journal(), FAILING)
        expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(0)
      },
    )

    test.concurrent.for([1, 2])(
      'a healthy workload, killed at two moments of seed %i',
      PATIENT,
      async (seed, context) => {
        const { migration } = await startCrashCase(context)
        const killed = killer(migration)
        await migration.start()
        const [moments = []] = fc.sample(fc.tuple(momentFrom(2, 14), momentFrom(18, 30)), { seed, numRuns: 1 })
        for (const { rows, afterMs } of moments) {
          await until(`${rows} rows`, async () => (await migration.journal()).length >= rows)
          await sleep(afterMs)
          await killed(`seed ${seed}: ${afterMs} ms after row ${rows}`)
        }
        await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
        expectOnce(await migration.journal(), HEALTHY)
      },
    )
  },
)

/** So long after the journal had so many rows. */
function momentFrom(min: number, max: number) {
  return fc.record({ rows: fc.integer({ min, max }), afterMs: fc.integer({ min: 0, max: 1000 }) })
}

async function startCrashCase({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null) throw new Error('a suite without its servers is skipped')
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const gate = await openWriteGate(world.haproxy.socketName)
  onTestFinished(gate.stop)
  const migration = createMigration(world, ['catalog'], haproxyTraffic(gate.socketName))
  onTestFinished(migration.stop)
  return { world, gate, migration }
}

/** Kills Headgate and starts it again; what the journal held by then, it must hold for ever. */
function killer(migration: Migration): (moment: string) => Promise<void> {
  return async (moment) => {
    await migration.kill()
    const before = await migration.journal()
    const last = before.at(-1)
    process.stdout.write(`killed: ${moment}; row ${last?.seq}: ${last && explain(last.event)}\n`)
    await migration.start()
    const count = before.length
    await until('it goes on', async () => (await migration.journal()).length > count)
    expect((await migration.journal()).slice(0, count)).toEqual(before)
  }
}

function expectOnce(rows: readonly JournalRow[], story: readonly string[]): void {
  expect(storyOf(rows)).toEqual(story)
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1))
  const acknowledged = rows.flatMap(({ event }) => (event.type === 'weight-applied' ? [event.weightPercent] : []))
  expect(acknowledged).toEqual([...new Set(acknowledged)])
}
