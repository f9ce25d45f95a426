import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { type ArchivedStore, exportLines, importLines } from '../../src/store/archive.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { runHere } from '../support/cli.ts'
import { startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { createStorePath } from './place.ts'
import { createRedisPlace, openTestRedis } from './redis-place.ts'
import { sampleCommit, sampleEvent, sampleFact, samplePlan, sampleState } from './samples.ts'

const binary = requireServer('redis-server', 'the export to Redis')
const CURSOR = { channel: 'team', seq: 2, upToSeq: null, accepted: [], open: [] }

describe('an export', () => {
  const places: ReturnType<typeof createStorePath>[] = []
  const opened: ArchivedStore[] = []
  let source: ArchivedStore

  const open = () => {
    const place = createStorePath()
    const store = openSqlite(place.path)
    places.push(place)
    opened.push(store)
    return store
  }
  beforeEach(async () => {
    source = open()
    await fill(source)
  })
  afterEach(async () => {
    for (const { store } of opened.splice(0)) await store.close()
    for (const { remove } of places.splice(0)) remove()
  })

  test('that is taken in holds the same, and the same is exported from there', async () => {
    const lines = await allOf(exportLines(source))
    const target = open()
    await importLines(target, lines, 0)
    expect(await contentOf(target)).toEqual(await contentOf(source))
    expect(await allOf(exportLines(target))).toEqual(lines)
    // What was taken in before is not taken in again.
    expect(await target.inbox.put(sampleFact('done'))).toBe(false)
    const lease = await target.store.lease('one', 0, 1_000)
    const { revision } = await target.store.load()
    const next = await target.store.commit(sampleCommit({ lease, revision, events: [sampleEvent('a', 'on')] }))
    expect(next.rows.map(({ seq }) => seq)).toEqual([5])
  })

  const spoilt: Record<string, (lines: readonly string[]) => readonly string[]> = {
    'without its end': (lines) => lines.slice(0, -1),
    'without a line in the middle': (lines) => lines.toSpliced(2, 1),
    'with a line twice': (lines) => lines.toSpliced(2, 0, lines[2] ?? ''),
    'of which a word of the journal was changed': (lines) => lines.map((line) => line.replace('second', 'other')),
    'with a line that is none': (lines) => lines.toSpliced(1, 1, 'hello'),
    'of something else': (lines) => lines.toSpliced(0, 1, '{}'),
    'that is empty': () => [],
  }
  test.each(Object.entries(spoilt))('%s is refused, and nothing is written', async (_, spoil) => {
    const target = open()
    const lines = spoil(await allOf(exportLines(source)))
    await expect(importLines(target, lines, 0)).rejects.toMatchObject({ code: 'STORE_EXPORT' })
    const { revision, rollouts } = await target.store.load()
    expect([revision, rollouts, await target.journal.lastSeq(), await target.inbox.pending(9)]).toEqual([0, [], 0, []])
  })

  test('is not taken into a store that holds anything', async () => {
    const lines = await allOf(exportLines(source))
    const target = open()
    await target.inbox.put(sampleFact('alone'))
    for (const one of [target, source])
      await expect(importLines(one, lines, 0)).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' })
  })

  test('is not made while somebody commits', async () => {
    const lines = exportLines(source)
    await lines.next()
    await fill(source, 'during')
    await expect(allOf(lines)).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
  })

  test.skipIf(binary === null)('goes by the command line from a file to Redis, and back to a file', async () => {
    const redis = await startRedis(binary ?? '')
    try {
      const [{ path, folder } = createStorePath()] = places
      const config = join(folder, 'headgate.yaml')
      writeFileSync(
        config,
        `apiVersion: headgate/v1
migration: m
clusters: { old: a, new: b }
sources: { prometheus: { url: "http://prometheus:9090" } }
slis: { availability: { objective: 99.9%, total: all, bad: "all{code=~\\"5..\\"}" } }
workloads: [{ name: checkout, traffic: { http: { url: "http://router:8080", split: checkout } } }]
redis: { url: "${redis.url}", prefix: moved }
`,
      )
      const [out, back, second] = ['out.jsonl', 'back.jsonl', 'second.db'].map((name) => join(folder, name))
      const first = await runHere(['store', 'export', '--store', path])
      writeFileSync(out ?? '', first.out)
      const imported = await runHere(['store', 'import', out ?? '', '-c', config])
      expect([imported.code, imported.err]).toEqual([0, ''])
      expect(imported.out).toContain('4 journal rows are as written')
      expect((await runHere(['store', 'import', out ?? '', '-c', config])).err).toContain('STORE_NOT_EMPTY')
      const again = await runHere(['store', 'export', '-c', config])
      expect(again.out).toBe(first.out)
      writeFileSync(back ?? '', again.out)
      expect((await runHere(['store', 'import', back ?? '', '--store', second ?? ''])).code).toBe(0)
      expect((await runHere(['store', 'export', '--store', second ?? ''])).out).toBe(first.out)
    } finally {
      await redis.stop()
    }
  })
})

test.skipIf(binary === null)('an import is laid out as the config and the pinned plans want it', async () => {
  const redis = await startRedis(binary ?? '')
  const place = createRedisPlace(redis)
  const source = await place.connect()
  const target = await openTestRedis({ ...place.settings, prefix: 'target' })
  try {
    const begun = ['a', 'b'].map((name) => ({ ...samplePlan(`plan of ${name}`, name), migration: `m-${name}` }))
    const rollouts = begun.map(({ hash, workload }) => sampleState(workload, { planHash: hash }))
    await source.inbox.putAll(['b', 'c', 'd'].map((workload) => ({ ...sampleFact(`for ${workload}`), workload })))
    const lease = await source.store.lease('one', 0, 1)
    const all = [...rollouts, sampleState('c'), sampleState('d')]
    await source.store.commit(
      sampleCommit({ lease, revision: 0, plans: begun, rollouts: all, consumedFactIds: ['for b'] }),
    )
    const configured = { ...samplePlan('plan of c', 'c'), migration: 'm-c' }
    await importLines(target, await allOf(exportLines(source)), 0, [configured])
    const held = async (shard: string) => {
      const { store, inbox } = target.shards.of(shard)
      const loaded = await store.load()
      const facts = await inbox.pending(9)
      return [loaded.rollouts.map(({ workload }) => workload), [...loaded.plans.keys()], facts.map(({ id }) => id)]
    }
    // The config's migration is the first; the workload that no plan knows belongs to no migration.
    expect(await held(MAIN_SHARD)).toEqual([['c', 'd'], [], ['for c', 'for d']])
    expect(await held('m-a')).toEqual([['a'], ['plan of a'], []])
    expect(await held('m-b')).toEqual([['b'], ['plan of b'], []])
    expect(await target.inbox.put({ ...sampleFact('for b'), workload: 'b' })).toBe(false)
  } finally {
    await source.store.close()
    await target.store.close()
    await redis.stop()
  }
})

async function fill({ store, inbox, cursors }: ArchivedStore, name = 'first'): Promise<void> {
  const { revision } = await store.load()
  const lease = await store.lease('one', 0, 1)
  await inbox.putAll([sampleFact(name === 'first' ? 'done' : name), sampleFact(`${name} waits`)])
  await cursors.write(CURSOR)
  await store.commit(
    sampleCommit({
      lease,
      revision,
      rollouts: [sampleState('search', { planHash: 'aaaa' }), sampleState('ads', { planHash: null })],
      plans: [samplePlan('aaaa', 'search')],
      events: [sampleEvent('search', name), sampleEvent(null, 'second “ü”'), sampleEvent('ads'), sampleEvent('search')],
      consumedFactIds: [name === 'first' ? 'done' : name],
    }),
  )
}

async function contentOf({ store, inbox, journal, cursors }: ArchivedStore) {
  const { rollouts, plans } = await store.load()
  const rows = await journal.read({ afterSeq: 0, limit: 100 })
  return [rollouts, plans, rows, await journal.head(), await inbox.pending(9), await cursors.read('team')]
}

async function allOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}
