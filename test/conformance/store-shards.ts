import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Household } from '../../src/core/household.ts'
import { type Commit, MAIN_SHARD, type ShardLook, type StorePorts } from '../../src/ports/store.ts'
import { sampleCommit, sampleEvent, sampleFact, samplePlan, sampleState } from '../store/samples.ts'
import { type StorePlace, storeConformance } from './store.ts'

const SECOND_MS = 1_000
const [A, B, C]: readonly [Household, Household, Household] = [
  { migrations: ['a'], workloads: ['a-1', 'a-2'], scopes: [] },
  { migrations: ['b'], workloads: ['b-1', 'b-2'], scopes: [] },
  { migrations: ['c'], workloads: ['c-1'], scopes: [] },
]
/** Every name that the suite of a store gives to a workload. */
const NAMES = ['a', 'b', 'c', 'z', 'ads', 'checkout', 'search', 'new', 'late', 'lost', 'fact']

/** What every store must do that shares its work out among replicas. */
export function shardsConformance(name: string, createPlace: () => StorePlace | Promise<StorePlace>): void {
  storeConformance(`a later shard of ${name}`, async () => {
    const place = await createPlace()
    return { ...place, connect: async () => laterShard(await place.connect()) }
  })

  describe(`${name} has shards`, () => {
    let place: StorePlace
    const opened: StorePorts[] = []
    const connect = async () => {
      const ports = await place.connect()
      opened.push(ports)
      return ports
    }
    beforeEach(async () => {
      place = await createPlace()
    })
    afterEach(async () => {
      for (const { store } of opened.splice(0)) await store.close()
      await place.remove()
    })
    layoutSuite(connect)
    mergeSuite(connect)
    shareSuite(connect)
  })
}

/** As if the shard were the store. */
async function laterShard(ports: StorePorts): Promise<StorePorts> {
  await ports.shards.join([A, { migrations: ['later'], workloads: NAMES, scopes: [] }])
  const { store, inbox } = ports.shards.of('later')
  return { ...ports, store: { ...ports.store, ...store }, inbox: { ...ports.inbox, ...inbox } }
}

type Connect = () => Promise<StorePorts>

function layoutSuite(connect: Connect): void {
  test('the first household is in the main shard, each other one in a shard of its own, for good', async () => {
    const ports = await connect()
    const { shardOf } = await ports.shards.join([A, B])
    expect(Object.fromEntries(shardOf)).toEqual({ a: MAIN_SHARD, b: 'b' })
    await ports.shards.join([C])
    const { shardOf: again, epoch } = await ports.shards.join([C, B, A])
    expect(Object.fromEntries(again)).toEqual({ a: MAIN_SHARD, b: 'b', c: 'c' })
    expect(await names(await connect())).toEqual([MAIN_SHARD, 'b', 'c'])
    expect((await ports.shards.join([A])).epoch).toBe(epoch)
  })

  test('of two that lay out at the same time each sees its own, and both get the same', async () => {
    const [one, two] = [await connect(), await connect()]
    await Promise.all([one.shards.join([A, B]), two.shards.join([C, B])])
    const [first, second] = [await one.shards.join([A, B, C]), await two.shards.join([])]
    expect(first).toEqual(second)
    expect(new Set(first.shardOf.keys())).toEqual(new Set(['a', 'b', 'c']))
    expect(new Set(first.shardOf.values()).size).toBe(3)
  })

  test('a rollout is committed by its own shard alone', async () => {
    const ports = await connect()
    await ports.shards.join([A, B])
    const refused = commitOn(ports, 'b', { rollouts: [sampleState('a-1')], events: [sampleEvent('a-1')] })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    await commitOn(ports, MAIN_SHARD, { rollouts: [sampleState('a-1')] })
    await commitOn(ports, 'b', { rollouts: [sampleState('b-1')] })
    expect(await workloads(ports, MAIN_SHARD)).toEqual(['a-1'])
    expect(await workloads(ports, 'b')).toEqual(['b-1'])
    expect((await look(ports)).shards.map(({ revision }) => revision)).toEqual([1, 1])
  })

  test('a rollout that began before anybody said where it belongs stays in the main shard, with its migration', async () => {
    const ports = await connect()
    await commitOn(ports, MAIN_SHARD, { rollouts: [sampleState('b-1')] })
    const { shardOf } = await ports.shards.join([A, B])
    expect(Object.fromEntries(shardOf)).toEqual({ a: MAIN_SHARD, b: MAIN_SHARD })
  })

  test('a fact waits in the shard of its workload, and in the main one when nobody knows the workload', async () => {
    const ports = await connect()
    await ports.shards.join([A, B])
    const facts = ['b-1', 'a-1', 'unknown', 'b-2'].map((workload) => ({ ...sampleFact(`for ${workload}`), workload }))
    await ports.inbox.putAll(facts)
    expect(await waiting(ports, 'b')).toEqual(['for b-1', 'for b-2'])
    expect(await waiting(ports, MAIN_SHARD)).toEqual(['for a-1', 'for unknown'])
    const foreign = commitOn(ports, MAIN_SHARD, { consumedFactIds: ['for b-1'] })
    await expect(foreign).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    await commitOn(ports, 'b', { consumedFactIds: ['for b-1'] })
    expect(await ports.inbox.put({ ...sampleFact('for b-1'), workload: 'a-1' })).toBe(false)
    expect(await waiting(ports, 'b')).toEqual(['for b-2'])
  })
}

function mergeSuite(connect: Connect): void {
  const both: Household = { migrations: ['c', 'b'], workloads: [], scopes: [] }

  test('households that turn out to be one are one shard, with the rollouts, plans and facts of both, in their order', async () => {
    const ports = await connect()
    await ports.shards.join([A, B, C])
    await commitOn(ports, 'c', { rollouts: [sampleState('c-1', { planHash: 'pc' })], plans: [samplePlan('pc')] })
    await commitOn(ports, 'b', { rollouts: [sampleState('b-2', { heldMs: 7 })] })
    await ports.inbox.putAll(['c-1', 'b-1'].map((workload) => ({ ...sampleFact(`for ${workload}`), workload })))
    const { shardOf } = await ports.shards.join([both])
    expect(Object.fromEntries(shardOf)).toEqual({ a: MAIN_SHARD, b: 'b', c: 'b' })
    expect(await names(ports)).toEqual([MAIN_SHARD, 'b'])
    const { rollouts, plans } = await ports.shards.of('b').store.load()
    expect(rollouts).toEqual([sampleState('c-1', { planHash: 'pc' }), sampleState('b-2', { heldMs: 7 })])
    expect([...plans.keys()]).toEqual(['pc'])
    expect(await waiting(ports, 'b')).toEqual(['for c-1', 'for b-1'])
    const changes = { rollouts: [sampleState('c-1', { heldMs: 9 })], consumedFactIds: ['for c-1', 'for b-1'] }
    await commitOn(ports, 'b', changes)
    expect(await workloads(ports, 'b')).toEqual(['c-1', 'b-2'])
  })

  test('one workload that two configs give to two migrations makes them one', async () => {
    const ports = await connect()
    await ports.shards.join([A, B])
    const { shardOf } = await ports.shards.join([{ migrations: ['b'], workloads: ['a-2', 'b-1'], scopes: [] }])
    expect(new Set(shardOf.values())).toEqual(new Set([MAIN_SHARD]))
  })

  test('nobody has the lease of the merged shard before all leases of its parts would have ended', async () => {
    const [one, two] = [await connect(), await connect()]
    await one.shards.join([A, B, C])
    const first = await one.shards.of('b').store.lease('one', 0, SECOND_MS)
    const second = await two.shards.of('c').store.lease('two', 500, SECOND_MS)
    await one.shards.join([both])
    const merged = one.shards.of('b').store
    const held = { code: 'STORE_LEASE_HELD' }
    for (const owner of ['one', 'two', 'three'])
      await expect(merged.lease(owner, 1_499, SECOND_MS)).rejects.toMatchObject(held)
    await expect(two.shards.of('c').store.lease('two', 600, SECOND_MS)).rejects.toMatchObject(held)
    const { revision } = await merged.load()
    for (const [shard, lease] of [
      ['b', first],
      ['c', second],
    ] as const)
      for (const thought of [0, revision])
        await expect(
          one.shards.of(shard).store.commit(sampleCommit({ lease, revision: thought })),
        ).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    await merged.release(first)
    await expect(merged.lease('three', 1_499, SECOND_MS)).rejects.toMatchObject(held)
    const next = await merged.lease('three', 1_500, SECOND_MS)
    expect(next.token).toBeGreaterThan(Math.max(first.token, second.token))
    await expect(merged.commit(sampleCommit({ lease: next, revision }))).resolves.toBeTruthy()
  })

  test('parts whose leases were given up make a shard that is free at once', async () => {
    const ports = await connect()
    await ports.shards.join([A, B, C])
    for (const shard of ['b', 'c']) {
      const { store } = ports.shards.of(shard)
      await store.release(await store.lease('one', 0, SECOND_MS))
    }
    await ports.shards.join([both])
    await expect(ports.shards.of('b').store.lease('two', 1, SECOND_MS)).resolves.toBeTruthy()
  })
}

function shareSuite(connect: Connect): void {
  test('each shard has a lease of its own, and everybody sees whose', async () => {
    const [one, two] = [await connect(), await connect()]
    await one.shards.join([A, B, C])
    const main = await one.store.lease('one', 0, SECOND_MS)
    const b = await two.shards.of('b').store.lease('two', 0, SECOND_MS)
    const seen = (await two.shards.look('two', 400, SECOND_MS)).shards
    expect(seen.map(({ shard, lease, heldForMs }) => ({ shard, lease, heldForMs }))).toEqual([
      { shard: MAIN_SHARD, lease: main, heldForMs: 600 },
      { shard: 'b', lease: b, heldForMs: 600 },
      { shard: 'c', lease: null, heldForMs: 0 },
    ])
    await two.shards.of('b').store.release(b)
    const shards: readonly ShardLook[] = (await one.shards.look('one', 1_100, SECOND_MS)).shards
    expect(shards.map(({ heldForMs }) => heldForMs)).toEqual([0, 0, 0])
  })

  test('replicas that say so live, until their time is over or they leave', async () => {
    const ports = await connect()
    await ports.shards.look('one', 0, 500)
    await ports.shards.look('two', 100, 500)
    expect((await ports.shards.look('three', 400, 500)).replicas.toSorted()).toEqual(['one', 'three', 'two'])
    expect((await ports.shards.look('three', 500, 500)).replicas.toSorted()).toEqual(['three', 'two'])
    await ports.shards.leave('two')
    expect((await ports.shards.look('three', 501, 500)).replicas).toEqual(['three'])
  })

  test('shards that commit at the same time make one journal, and none is refused', async () => {
    const users = [await connect(), await connect(), await connect()]
    const [first] = users
    await first?.shards.join([A, B, C])
    const shards = [MAIN_SHARD, 'b', 'c']
    const commits = 30
    await Promise.all(
      users.map(async (ports, index) => {
        const shard = shards[index] ?? ''
        const { store } = ports.shards.of(shard)
        const lease = await store.lease(shard, 0, SECOND_MS)
        for (let n = 0; n < commits; n++) {
          const { rows } = await store.commit(sampleCommit({ lease, revision: n, events: [sampleEvent(null, shard)] }))
          expect(rows).toHaveLength(1)
        }
      }),
    )
    const { journal } = await connect()
    expect(await journal.verify(null)).toMatchObject({ head: { seq: shards.length * commits }, fault: null })
  })
}

const look = (ports: StorePorts) => ports.shards.look('somebody', 0, SECOND_MS)
const names = async (ports: StorePorts) => (await look(ports)).shards.map(({ shard }) => shard)
const waiting = async (ports: StorePorts, shard: string) =>
  (await ports.shards.of(shard).inbox.pending(100)).map(({ id }) => id)
const workloads = async (ports: StorePorts, shard: string) =>
  (await ports.shards.of(shard).store.load()).rollouts.map(({ workload }) => workload)

async function commitOn({ shards }: StorePorts, shard: string, changes: Partial<Commit>) {
  const { store } = shards.of(shard)
  const lease = await store.lease('one', 0, SECOND_MS)
  const { revision } = await store.load()
  const committed = await store
    .commit(sampleCommit({ lease, revision, ...changes }))
    .finally(() => store.release(lease))
  return committed
}
