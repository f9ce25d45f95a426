import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorePorts } from '../../src/ports/store.ts'
import { writerOn } from '../../src/store/connection.ts'
import { migrate, STEPS } from '../../src/store/schema.ts'
import { openSqlite, portsOn } from '../../src/store/sqlite.ts'
import { createStorePath } from './place.ts'
import { sampleCommit, sampleEvent, sampleFact, samplePlan, sampleState } from './samples.ts'

let place: ReturnType<typeof createStorePath>
const opened: { close(): void | Promise<void> }[] = []

beforeEach(() => {
  place = createStorePath()
})
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
  place.remove()
})

function open(options: { readOnly?: boolean } = {}): StorePorts {
  const ports = openSqlite(place.path, options)
  opened.push(ports.store)
  return ports
}

/** The file itself, past the store. */
function openRaw(): DatabaseSync {
  const db = new DatabaseSync(place.path)
  opened.push({
    close: () => {
      if (db.isOpen) db.close()
    },
  })
  return db
}

async function fill({ store }: StorePorts, workload = 'checkout'): Promise<void> {
  const lease = await store.lease('one', 0, 1_000)
  const { revision } = await store.load()
  await store.commit(
    sampleCommit({ lease, revision, rollouts: [sampleState(workload)], events: [sampleEvent(workload)] }),
  )
}

const refusal = (code: string, hint?: string) => ({ code, ...(hint && { hint: expect.stringContaining(hint) }) })

describe('a file that cannot be a store is refused with what to do', () => {
  test('in a folder that does not exist', () => {
    place.path = join(place.folder, 'no', 'such.db')
    expect(() => open()).toThrow(expect.objectContaining(refusal('STORE_UNAVAILABLE', 'the folder must exist')))
  })

  test('that is a folder', () => {
    mkdirSync(place.path)
    expect(() => open()).toThrow(expect.objectContaining(refusal('STORE_UNAVAILABLE', 'must be a file')))
  })

  test('that is something else, which stays as it was', () => {
    const text = 'a file of somebody else, longer than a header\n'.repeat(50)
    writeFileSync(place.path, text)
    expect(() => open()).toThrow(expect.objectContaining(refusal('STORE_UNAVAILABLE', 'no store')))
    expect(readFileSync(place.path, 'utf8')).toBe(text)
  })

  test('that is the database of something else, which stays as it was', () => {
    const other = openRaw()
    other.exec('CREATE TABLE theirs (a TEXT)')
    expect(() => open()).toThrow(expect.objectContaining(refusal('STORE_UNAVAILABLE', 'no store')))
    expect(other.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']).toBe(1)
    expect(other.prepare('PRAGMA journal_mode').get()?.['journal_mode']).toBe('delete')
  })

  test('that a newer Headgate wrote', async () => {
    await open().store.close()
    openRaw().exec(`PRAGMA user_version = ${STEPS.length + 1}`)
    expect(() => open()).toThrow(expect.objectContaining(refusal('STORE_VERSION')))
    expect(() => open({ readOnly: true })).toThrow(expect.objectContaining(refusal('STORE_VERSION')))
  })

  test('that another process keeps locked', async () => {
    const ports = open()
    openRaw().exec('BEGIN IMMEDIATE')
    await expect(ports.inbox.put(sampleFact('a'))).rejects.toMatchObject(refusal('STORE_BUSY'))
  })

  test('whose rows somebody else has changed', async () => {
    const ports = open()
    await fill(ports)
    openRaw().exec(`UPDATE rollout SET state = '{"workload": "another"}'`)
    await expect(ports.store.load()).rejects.toMatchObject(refusal('STORE_UNAVAILABLE', 'restore a backup'))
    openRaw().exec(`UPDATE rollout SET state = '{'`)
    await expect(ports.store.load()).rejects.toMatchObject(refusal('STORE_UNAVAILABLE', 'restore a backup'))
  })
})

test('a plan that the config has is not read at the start', async () => {
  const ports = open()
  const plan = samplePlan('aaaa')
  const lease = await ports.store.lease('one', 0, 1_000)
  const rollouts = [sampleState('checkout', { planHash: 'aaaa' })]
  await ports.store.commit(sampleCommit({ lease, revision: 0, rollouts, plans: [plan] }))
  openRaw().exec(`UPDATE plan SET plan = '{'`)
  expect((await ports.store.load(new Map([['aaaa', plan]]))).plans.get('aaaa')).toBe(plan)
  await expect(ports.store.load()).rejects.toMatchObject(refusal('STORE_UNAVAILABLE', 'restore a backup'))
})

describe('a full disk', () => {
  test('refuses a commit whole, and the store goes on when there is space again', async () => {
    const db = openRaw()
    const limit = (pages: number) => db.exec(`PRAGMA max_page_count = ${pages}`)
    const ports = portsOn(writerOn(db, place.path))
    await fill(ports)
    const before = await ports.store.load()
    const lease = await ports.store.lease('one', 0, 1_000)
    const big = sampleCommit({
      lease,
      revision: before.revision,
      rollouts: [sampleState('big', { runId: 'x'.repeat(1_000_000) })],
      events: [sampleEvent('big')],
    })
    limit(1)
    await expect(ports.store.commit(big)).rejects.toMatchObject(refusal('STORE_UNAVAILABLE', 'free some disk space'))
    expect(await ports.store.load()).toEqual(before)
    expect(await ports.journal.lastSeq()).toBe(1)
    limit(1_000_000)
    await expect(ports.store.commit(big)).resolves.toMatchObject({ revision: before.revision + 1 })
    expect(await ports.journal.lastSeq()).toBe(2)
  })
})

describe('the journal', () => {
  test.each(['DELETE FROM journal', `UPDATE journal SET event = '{}'`])('refuses `%s`, whoever asks', async (sql) => {
    await fill(open())
    expect(() => openRaw().exec(sql)).toThrow('append-only')
  })
})

describe('reading only', () => {
  test('creates nothing where nothing is', () => {
    expect(() => open({ readOnly: true })).toThrow(
      expect.objectContaining(refusal('STORE_UNAVAILABLE', 'headgate run')),
    )
    expect(readdirSync(place.folder)).toEqual([])
  })

  test('leaves no file beside a store that was closed', async () => {
    const ports = open()
    await fill(ports)
    await ports.store.close()
    const before = readdirSync(place.folder)
    const reader = open({ readOnly: true })
    expect((await reader.store.load()).revision).toBe(1)
    expect(await reader.journal.lastSeq()).toBe(1)
    expect(readdirSync(place.folder)).toEqual(before)
  })

  test('follows a service that starts, writes and stops below it', async () => {
    await fill(open())
    for (const { close } of opened.splice(0)) await close()
    const reader = open({ readOnly: true })
    const service = open()
    await fill(service)
    expect(await reader.journal.lastSeq()).toBe(2)
    await fill(service)
    await service.store.close()
    expect(await reader.journal.lastSeq()).toBe(3)
  })

  test('sees what a killed service had committed', async () => {
    const ports = open()
    await fill(ports)
    // The log is still there, as after a kill: nothing was moved into the main file.
    expect(readdirSync(place.folder)).toContain('headgate.db-wal')
    expect((await open({ readOnly: true }).store.load()).revision).toBe(1)
  })

  test('refuses each write, and a file that is not yet a store', async () => {
    await fill(open())
    const reader = open({ readOnly: true })
    const lease = { owner: 'one', token: 1 }
    const writes = [
      reader.store.lease('one', 0, 1),
      reader.store.release(lease),
      reader.store.commit(sampleCommit({ lease, revision: 1 })),
      reader.inbox.put(sampleFact('a')),
    ]
    for (const result of await Promise.allSettled(writes))
      expect(result).toMatchObject({ reason: refusal('STORE_UNAVAILABLE', 'API') })
    place.path = join(place.folder, 'empty.db')
    writeFileSync(place.path, '')
    expect(() => open({ readOnly: true })).toThrow(
      expect.objectContaining(refusal('STORE_UNAVAILABLE', 'headgate run')),
    )
  })
})

describe('migrations', () => {
  const version = (db: DatabaseSync) => db.prepare('PRAGMA user_version').get()?.['user_version']

  test('run the steps that are missing, in order, and no other', () => {
    const db = openRaw()
    migrate(db, 'x', ['CREATE TABLE one (a TEXT)'])
    migrate(db, 'x', ['never again', 'ALTER TABLE one ADD COLUMN b TEXT', 'INSERT INTO one VALUES (1, 2)'])
    expect(version(db)).toBe(3)
    expect(db.prepare('SELECT * FROM one').all()).toHaveLength(1)
  })

  test('leave the version before a step that fails, and nothing of the step', () => {
    const db = openRaw()
    expect(() => migrate(db, 'x', ['CREATE TABLE one (a TEXT)', 'CREATE TABLE two (a TEXT); nonsense'])).toThrow()
    expect(version(db)).toBe(1)
    expect(db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()).toEqual([
      expect.objectContaining({ name: 'one' }),
    ])
  })
})
