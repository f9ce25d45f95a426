import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Commit, Committed, Lease, StorePorts } from '../../src/ports/store.ts'
import type { StoredRow } from '../../src/shared/journal-chain.ts'
import { sampleCommit, sampleEvent, sampleFact, samplePlan, sampleState } from '../store/samples.ts'
import { chainSuite } from './store-chain.ts'

/** One empty place for a store; `connect` twice is two users of the same, or the next start of one. */
export interface StorePlace {
  connect(): StorePorts | Promise<StorePorts>
  /** Changes the journal past the ports, as somebody with a hand on the file can. */
  tamper(edit: (rows: readonly StoredRow[]) => readonly StoredRow[]): void | Promise<void>
  remove(): Promise<void>
}

const SECOND_MS = 1_000

/** What every store must do. */
export function storeConformance(name: string, createPlace: () => StorePlace | Promise<StorePlace>): void {
  describe(`${name} is a store`, () => {
    let place: StorePlace
    let ports: StorePorts

    beforeEach(async () => {
      place = await createPlace()
      ports = await place.connect()
    })
    afterEach(async () => {
      await ports.store.close()
      await place.remove()
    })

    const user: User = {
      ports: () => ports,
      lease: () => ports.store.lease('one', 0, SECOND_MS),
      commit: async (changes) =>
        ports.store.commit(sampleCommit({ revision: (await ports.store.load()).revision, ...changes })),
      reconnect: async () => {
        await ports.store.close()
        ports = await place.connect()
      },
    }
    leaseSuite(user)
    commitSuite(user)
    refusalSuite(user)
    inboxSuite(user)
    journalSuite(user)
    cursorSuite(user)
    chainSuite({ ...user, tamper: (edit) => place.tamper(edit) })
  })
}

/** Short ways to use the place that the running test has. */
export interface User {
  ports(): StorePorts
  lease(): Promise<Lease>
  /** From the newest revision, if the changes name none. */
  commit(changes: Partial<Commit> & { lease: Lease }): Promise<Committed>
  reconnect(): Promise<void>
}

function commitSuite({ ports, lease, commit, reconnect }: User): void {
  test('an empty store has revision 0 and nothing else', async () => {
    expect(await ports().store.load()).toEqual({ revision: 0, rollouts: [], plans: new Map() })
    expect(await ports().store.runId()).toBeNull()
    expect(await ports().journal.lastSeq()).toBe(0)
    expect(await ports().journal.read({ afterSeq: 0, limit: 10 })).toEqual([])
    expect(await ports().inbox.pending(10)).toEqual([])
  })

  test('a commit is there whole at the next start', async () => {
    const state = sampleState('checkout', { planHash: 'aaaa', holds: [] })
    await ports().inbox.put(sampleFact('fact-1'))
    const committed = await commit({
      lease: await lease(),
      rollouts: [state],
      plans: [samplePlan('aaaa')],
      events: [sampleEvent('checkout'), sampleEvent(null)],
      consumedFactIds: ['fact-1'],
    })
    expect(committed).toEqual({
      revision: 1,
      rows: [
        { seq: 1, event: sampleEvent('checkout') },
        { seq: 2, event: sampleEvent(null) },
      ],
    })
    await reconnect()
    expect(await ports().store.runId()).toBe(state.runId)
    expect(await ports().store.load()).toEqual({
      revision: 1,
      rollouts: [state],
      plans: new Map([['aaaa', samplePlan('aaaa')]]),
    })
    expect(await ports().journal.read({ afterSeq: 0, limit: 10 })).toEqual(committed.rows)
    expect(await ports().inbox.pending(10)).toEqual([])
  })

  test('rollouts keep the order in which they came, whichever is changed', async () => {
    const held = await lease()
    await commit({ lease: held, rollouts: ['search', 'checkout', 'ads'].map((workload) => sampleState(workload)) })
    await commit({ lease: held, rollouts: [sampleState('checkout', { heldMs: 7 })] })
    const { rollouts } = await ports().store.load()
    expect(rollouts.map(({ workload, heldMs }) => [workload, heldMs])).toEqual([
      ['search', 0],
      ['checkout', 7],
      ['ads', 0],
    ])
  })

  test('only the plans that rollouts still name are loaded', async () => {
    const held = await lease()
    const plans = [samplePlan('aaaa'), samplePlan('bbbb')]
    await commit({ lease: held, rollouts: [sampleState('checkout', { planHash: 'aaaa' })], plans })
    await commit({ lease: held, rollouts: [sampleState('checkout', { planHash: 'bbbb' })], plans: [] })
    expect([...(await ports().store.load()).plans.keys()]).toEqual(['bbbb'])
  })

  test('plans that are known already are loaded as they are known, and only where rollouts name them', async () => {
    const rollouts = [sampleState('checkout', { planHash: 'aaaa' }), sampleState('search', { planHash: 'bbbb' })]
    await commit({ lease: await lease(), rollouts, plans: [samplePlan('aaaa'), samplePlan('bbbb', 'search')] })
    const whole = await ports().store.load()
    const known = new Map(['aaaa', 'cccc'].map((hash) => [hash, samplePlan(hash)]))
    expect(await ports().store.load(known)).toEqual(whole)
    expect([...whole.plans.keys()].sort()).toEqual(['aaaa', 'bbbb'])
  })

  test('what was handed in or out may be changed without a change in the store', async () => {
    const state = { ...sampleState('checkout') }
    await commit({ lease: await lease(), rollouts: [state] })
    Object.assign(state, { heldMs: 99 })
    const [loaded] = (await ports().store.load()).rollouts
    Object.assign(loaded ?? {}, { heldMs: 98 })
    expect((await ports().store.load()).rollouts).toEqual([sampleState('checkout')])
  })
}

function refusalSuite({ ports, lease, commit }: User): void {
  const spoilt: Record<string, (held: Lease) => Partial<Commit>> = {
    'thought from an older revision': () => ({ revision: 0 }),
    'thought from a revision that was never there': () => ({ revision: 9 }),
    'with an older token': (held) => ({ lease: { ...held, token: held.token - 1 } }),
    'with a token that was never given': (held) => ({ lease: { ...held, token: held.token + 1 } }),
    "with another's name": (held) => ({ lease: { ...held, owner: 'two' } }),
    'that consumes a fact again': () => ({ consumedFactIds: ['waiting', 'consumed'] }),
    'that consumes a fact twice': () => ({ consumedFactIds: ['waiting', 'waiting'] }),
    'that consumes a fact which never came': () => ({ consumedFactIds: ['waiting', 'unknown'] }),
  }
  test.each(Object.entries(spoilt))('a commit %s is refused, and nothing of it is written', async (_, spoil) => {
    const held = await lease()
    await ports().inbox.put(sampleFact('consumed'))
    await ports().inbox.put(sampleFact('waiting'))
    await commit({ lease: held, rollouts: [sampleState('ads')], consumedFactIds: ['consumed'] })
    const before = await everything(ports())
    const changes = { rollouts: [sampleState('ads', { heldMs: 5, planHash: 'aaaa' }), sampleState('new')] }
    const refused = commit({
      lease: held,
      ...changes,
      plans: [samplePlan('aaaa')],
      events: [sampleEvent('ads')],
      ...spoil(held),
    })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    expect(await everything(ports())).toEqual(before)
  })

  test('a rollout may not name a plan that is not there', async () => {
    const refused = commit({ lease: await lease(), rollouts: [sampleState('ads', { planHash: 'aaaa' })] })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await ports().store.load()).rollouts).toEqual([])
  })

  test('every method fails after close, and closing again does not', async () => {
    const held = await lease()
    await ports().store.close()
    await ports().store.close()
    const calls = [
      ports().store.lease('one', 0, 1),
      ports().store.release(held),
      ports().store.load(),
      ports().store.commit(sampleCommit({ lease: held, revision: 0 })),
      ports().inbox.put(sampleFact('a')),
      ports().inbox.pending(1),
      ports().journal.read({ afterSeq: 0, limit: 1 }),
      ports().journal.lastSeq(),
      ports().journal.head(),
      ports().journal.verify(null),
    ]
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
  })
}

function inboxSuite({ ports, lease, commit, reconnect }: User): void {
  test('facts wait in the order in which they came', async () => {
    expect(await ports().inbox.put(sampleFact('b'))).toBe(true)
    expect(await ports().inbox.putAll([sampleFact('a'), sampleFact('b'), sampleFact('c')])).toEqual([true, false, true])
    await reconnect()
    expect(await ports().inbox.pending(10)).toEqual(['b', 'a', 'c'].map((id) => sampleFact(id)))
    expect(await ports().inbox.pending(2)).toEqual(['b', 'a'].map((id) => sampleFact(id)))
  })

  test('a fact with the id of one that waits, or was consumed, changes nothing', async () => {
    await ports().inbox.put(sampleFact('a'))
    expect(await ports().inbox.put({ ...sampleFact('a'), reason: 'another' })).toBe(false)
    expect(await ports().inbox.pending(10)).toEqual([sampleFact('a')])
    await commit({ lease: await lease(), consumedFactIds: ['a'] })
    await reconnect()
    expect(await ports().inbox.put(sampleFact('a'))).toBe(false)
    expect(await ports().inbox.pending(10)).toEqual([])
  })

  test('putting a fact leaves the revision alone, so that a sweep under way can commit', async () => {
    const held = await lease()
    const { revision } = await ports().store.load()
    await ports().inbox.put(sampleFact('a'))
    await expect(ports().store.commit(sampleCommit({ lease: held, revision }))).resolves.toMatchObject({
      revision: 1,
    })
    expect(await ports().inbox.pending(10)).toHaveLength(1)
  })
}

function journalSuite({ ports, lease, commit }: User): void {
  test('rows are counted from 1 without a gap, also after a refused commit', async () => {
    const held = await lease()
    await commit({ lease: held, events: [sampleEvent('a'), sampleEvent('b')] })
    const refused = commit({ lease: held, revision: 7, events: [sampleEvent('lost')] })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    await commit({ lease: held, events: [] })
    await commit({ lease: held, events: [sampleEvent('c')] })
    const rows = await ports().journal.read({ afterSeq: 0, limit: 10 })
    expect(rows.map(({ seq, event }) => [seq, event.workload])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
    expect(await ports().journal.lastSeq()).toBe(3)
  })

  const queries: [string, { afterSeq: number; limit: number; workload?: string }, number[]][] = [
    ['from the start', { afterSeq: 0, limit: 10 }, [1, 2, 3, 4]],
    ['a page', { afterSeq: 1, limit: 2 }, [2, 3]],
    ['after the end', { afterSeq: 4, limit: 10 }, []],
    ['of one workload', { afterSeq: 0, limit: 10, workload: 'a' }, [1, 3]],
    ['a page of one workload', { afterSeq: 1, limit: 1, workload: 'a' }, [3]],
    ['of a workload that has none', { afterSeq: 0, limit: 10, workload: 'z' }, []],
  ]
  test.each(queries)('rows are read %s', async (_, query, seqs) => {
    const events = ['a', 'b', 'a', null].map((workload) => sampleEvent(workload))
    await commit({ lease: await lease(), events })
    expect((await ports().journal.read(query)).map(({ seq }) => seq)).toEqual(seqs)
  })
}

function leaseSuite({ ports }: User): void {
  const lease = (owner: string, nowMs: number) => ports().store.lease(owner, nowMs, SECOND_MS)
  const held = { code: 'STORE_LEASE_HELD' }

  test('a lease is held against others until its time is over', async () => {
    const first = await lease('one', 0)
    await expect(lease('two', 999)).rejects.toMatchObject(held)
    const second = await lease('two', 1_000)
    expect(second.token).toBeGreaterThan(first.token)
    await expect(lease('one', 1_999)).rejects.toMatchObject(held)
  })

  test('renewing keeps the token and moves the end', async () => {
    const first = await lease('one', 0)
    expect(await lease('one', 900)).toEqual(first)
    await expect(lease('two', 1_800)).rejects.toMatchObject(held)
  })

  test('a lease that ran out is renewed with its token while nobody took it', async () => {
    const first = await lease('one', 0)
    expect(await lease('one', 50_000)).toEqual(first)
  })

  test('a released lease is free at once, for a greater token', async () => {
    const first = await lease('one', 0)
    await ports().store.release(first)
    expect(await lease('two', 1)).toEqual({ owner: 'two', token: first.token + 1 })
  })

  test("releasing with an old token leaves the present owner's lease alone", async () => {
    const first = await lease('one', 0)
    await lease('two', 1_000)
    await ports().store.release(first)
    await expect(lease('one', 1_001)).rejects.toMatchObject(held)
  })

  test('who lost the lease can no longer commit', async () => {
    const first = await lease('one', 0)
    await lease('two', 1_000)
    const refused = ports().store.commit(sampleCommit({ lease: first, revision: 0 }))
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
  })

  test('who released the lease can no longer commit', async () => {
    const first = await lease('one', 0)
    await ports().store.release(first)
    const refused = ports().store.commit(sampleCommit({ lease: first, revision: 0 }))
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
  })
}

async function everything({ store, inbox, journal }: StorePorts) {
  return {
    snapshot: await store.load(),
    facts: await inbox.pending(100),
    rows: await journal.read({ afterSeq: 0, limit: 100 }),
  }
}

function cursorSuite({ ports, reconnect }: User): void {
  const cursor = { channel: 'team', seq: 7, upToSeq: null, accepted: [], open: ['headgate/m/checkout/revert'] }

  test('a channel has no cursor before its first one, and then the newest, at the next start too', async () => {
    expect(await ports().cursors.read('team')).toBeNull()
    await ports().cursors.write({ ...cursor, seq: 3 })
    await ports().cursors.write(cursor)
    await reconnect()
    expect(await ports().cursors.read('team')).toEqual(cursor)
  })

  test('channels have a cursor each', async () => {
    await ports().cursors.write(cursor)
    await ports().cursors.write({ ...cursor, channel: 'oncall', seq: 9, upToSeq: 12, accepted: ['oncall-9-12-m'] })
    expect(await ports().cursors.read('team')).toEqual(cursor)
    expect((await ports().cursors.read('oncall'))?.upToSeq).toBe(12)
  })
}
