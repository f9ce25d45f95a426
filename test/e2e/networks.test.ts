import { describe, expect, type TestContext, test } from 'vitest'
import { FAULTS, type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts'
import type { RunningHeadgate } from '../support/headgate.ts'
import { configText, eventsOf, haproxyTraffic, layOut, type Migration, WEIGHTS_PERCENT } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld, type World } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e networks')
const SEVERAL_SWEEPS = 4

describe.skipIf(SERVERS === null)(
  'a network that takes connections, and then never answers, resets or half-closes',
  () => {
    test.concurrent.for(['prometheus', 'haproxy'] as const)(
      'before %s: each time nothing is raised, it is told, and goes on when it is over',
      PATIENT,
      async (place, context) => {
        const { world, migration, headgate, proxy } = await startBehind(place, context)
        for (const [index, fault] of FAULTS.entries()) {
          const weight = WEIGHTS_PERCENT[index] ?? 0
          await migration.event('catalog', 'weight-confirmed', ({ weightPercent }) => weightPercent === weight)
          await expectNothingDone({ world, migration, headgate }, () => proxy.use(fault))
          expect(proxy.met, fault).toBeGreaterThan(0)
          proxy.use(null)
        }
        await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
        const rows = await migration.journal('catalog')
        expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
        expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)
      },
    )

    test.concurrent.for(FAULTS)(
      'before HAProxy, which %s: a revert is decided, told as failing, and made once it is over',
      PATIENT,
      async (fault, context) => {
        const { world, migration, proxy } = await startBehind('haproxy', context)
        await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
        proxy.use(fault)
        world.service('catalog').new.breakDown()
        await migration.event('catalog', 'revert-started')
        const failed = await migration.event('catalog', 'write-failed', ({ weightPercent }) => weightPercent === 0)
        expect(failed.problem.code).toMatch(/^TRAFFIC_/)
        expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 75, new: 25 })
        proxy.use(null)
        await migration.event('catalog', 'phase-entered', ({ to }) => to === 'reverted')
        const rows = await migration.journal('catalog')
        expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([10, 25, 0])
        expect(eventsOf(rows, 'revert-started')).toHaveLength(1)
        expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(0)
      },
    )
  },
)

async function startBehind(
  place: 'prometheus' | 'haproxy',
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
): Promise<{ world: World; migration: Migration; headgate: RunningHeadgate; proxy: FaultProxy }> {
  if (SERVERS === null) throw new Error('a suite without its servers is skipped')
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const isSource = place === 'prometheus'
  const proxy = await openFaultProxy(
    isSource ? { port: Number(new URL(world.prometheus.url).port) } : { path: world.haproxy.socketName },
  )
  onTestFinished(proxy.stop)
  const prometheusUrl = isSource ? `http://127.0.0.1:${proxy.port}` : world.prometheus.url
  const socket = isSource ? world.haproxy.socketName : `tcp://127.0.0.1:${proxy.port}`
  const migration = layOut(configText(prometheusUrl, ['catalog'], haproxyTraffic(socket)))
  onTestFinished(migration.stop)
  return { world, migration, proxy, headgate: await migration.start() }
}

/** From `begin` on, until it was told and several sweeps have passed. */
async function expectNothingDone(
  { world, migration, headgate }: { world: World; migration: Migration; headgate: RunningHeadgate },
  begin: () => void,
): Promise<void> {
  const before = await serverWeightsOf(world.haproxy, 'catalog')
  const { seq = 0 } = (await migration.journal()).at(-1) ?? {}
  begin()
  const since = async () => (await migration.journal('catalog')).filter((row) => row.seq > seq)
  const hold = await until(
    'it is told',
    async () => eventsOf(await since(), 'hold-added').find((one) => one.hold.cause === 'blind')?.hold,
    headgate.log,
  )
  expect(hold.detail).toMatch(/cannot be read|no answer|unreachable|timeout|closed/)
  await headgate.sweeps(SEVERAL_SWEEPS)
  expect(eventsOf(await since(), 'weight-intended')).toEqual([])
  expect(eventsOf(await since(), 'revert-started')).toEqual([])
  expect(eventsOf(await since(), 'hold-removed')).toEqual([])
  expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual(before)
}
