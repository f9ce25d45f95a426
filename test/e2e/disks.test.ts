import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite.ts'
import { limitFiles, mayMount, openDisk } from '../support/disk.ts'
import type { RunningHeadgate } from '../support/headgate.ts'
import { configText, eventsOf, haproxyTraffic, layOut, type Migration, WEIGHTS_PERCENT } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e disks')
const MAY_MOUNT = SERVERS !== null && mayMount('e2e disks')
/** Longer than any one lease. */
const TROUBLE_SWEEPS = 12

describe.skipIf(SERVERS === null)('a disk that takes no more', () => {
  test.concurrent('a file that may not grow: weights stay, it says so, and it goes on', PATIENT, async (context) => {
    const { world, migration } = await startOn(null, context)
    const headgate = await migration.start()
    await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
    limitFiles(headgate.pid, `${migration.storePath}-wal`)
    await expectNothingDecided(headgate, world)
    limitFiles(headgate.pid, null)
    await expectEnd(migration)
  })

  test.runIf(MAY_MOUNT)(
    'a full one: weights stay, it says so, and goes on when there is room again',
    { ...PATIENT, concurrent: true },
    async (context) => {
      const disk = disposableDisk(context)
      const { world, migration } = await startOn(disk.folder, context)
      const headgate = await migration.start()
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      disk.fill()
      expect(await expectNothingDecided(headgate, world)).toContain('free some disk space')
      disk.empty()
      await expectEnd(migration)
    },
  )

  test.runIf(MAY_MOUNT)(
    'a read-only one after a crash: it does not start and says why, weights stay, and it starts once it may write',
    { ...PATIENT, concurrent: true },
    async (context) => {
      const disk = disposableDisk(context)
      const { world, migration } = await startOn(disk.folder, context)
      await migration.start()
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      await migration.kill()
      disk.mountAs('ro')
      const weights = await serverWeightsOf(world.haproxy, 'catalog')
      await expect(migration.start()).rejects.toThrow(/cannot be written/)
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual(weights)
      disk.mountAs('rw')
      await migration.start()
      await expectEnd(migration)
    },
  )
})

function disposableDisk({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const disk = openDisk()
  onTestFinished(disk.remove)
  return disk
}

async function startOn(folder: string | null, { onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null) throw new Error('a suite without its servers is skipped')
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const config = configText(world.prometheus.url, ['catalog'], haproxyTraffic(world.haproxy.socketName))
  const migration = layOut(config, {}, folder ?? undefined)
  onTestFinished(folder === null ? migration.stop : migration.kill)
  return { world, migration }
}

/** For as long as the disk takes no more; resolves with what /readyz says. */
async function expectNothingDecided(
  headgate: RunningHeadgate,
  { haproxy }: Awaited<ReturnType<typeof startWorld>>,
): Promise<string> {
  const said = await until('it says what is wrong', async () => {
    const text = await readiness(headgate)
    return text.includes('STORE_UNAVAILABLE') ? text : null
  })
  const before = await serverWeightsOf(haproxy, 'catalog')
  const tries = () => headgate.log().split('nothing was decided').length
  const triesBefore = tries()
  await until('it has tried for longer than a lease', () => tries() >= triesBefore + TROUBLE_SWEEPS, headgate.log)
  expect(await serverWeightsOf(haproxy, 'catalog')).toEqual(before)
  return said
}

async function readiness({ url }: RunningHeadgate): Promise<string> {
  const { body } = await request(`${url}/readyz`)
  return body.text()
}

async function expectEnd(migration: Migration): Promise<void> {
  await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
  const rows = await migration.journal('catalog')
  expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
  const { journal, store } = openSqlite(migration.storePath, { readOnly: true })
  expect((await journal.verify(null)).fault).toBeNull()
  await store.close()
}
