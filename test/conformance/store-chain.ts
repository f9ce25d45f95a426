import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chainHash, EMPTY_JOURNAL, type JournalHead, type StoredRow } from '../../src/shared/journal-chain.ts'
import { sampleEvent } from '../store/samples.ts'
import type { StorePlace, User } from './store.ts'

type Edit = Parameters<StorePlace['tamper']>[0]

const WORKLOADS = ['a', 'b', null, 'a', 'c', 'b'] as const
const LAST = WORKLOADS.length

/** What the chain of hashes must show. */
export function chainSuite({ ports, lease, commit, reconnect, tamper }: User & Pick<StorePlace, 'tamper'>): void {
  const fill = async () => {
    const held = await lease()
    // In two commits, and one of nothing: the chain goes on over them.
    await commit({ lease: held, events: WORKLOADS.slice(0, 2).map((name, n) => sampleEvent(name, `reason ${n}`)) })
    await commit({ lease: held, events: [] })
    await commit({ lease: held, events: WORKLOADS.slice(2).map((name, n) => sampleEvent(name, `reason ${n} “ü”`)) })
  }
  const faultAfter = async (edit: Edit, expected: JournalHead | null = null) => {
    await tamper(edit)
    return (await ports().journal.verify(expected)).fault
  }

  test('an empty journal has an empty head, and is whole', async () => {
    expect(await ports().journal.head()).toEqual(EMPTY_JOURNAL)
    expect(await ports().journal.verify(null)).toEqual({ head: EMPTY_JOURNAL, fault: null })
  })

  test('each row is chained to the one before, over commits and restarts, as the docs say', async () => {
    await fill()
    const noted = await ports().journal.head()
    await reconnect()
    await commit({ lease: await lease(), events: [sampleEvent('late')] })
    const rows = await ports().journal.read({ afterSeq: 0, limit: 100 })
    let before = '0'.repeat(64)
    const heads = rows.map(({ seq, event }) => {
      before = createHash('sha256')
        .update(`${before}\n${seq}\n${JSON.stringify(event)}`, 'utf8')
        .digest('hex')
      return { seq, hash: before }
    })
    const head = await ports().journal.head()
    expect(heads.at(-2)).toEqual(noted)
    expect(heads.at(-1)).toEqual(head)
    expect(await ports().journal.verify(noted)).toEqual({ head, fault: null })
  })

  test('a refused commit leaves the chain as it was', async () => {
    await fill()
    const before = await ports().journal.head()
    const refused = commit({ lease: await lease(), revision: 99, events: [sampleEvent('lost')] })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    expect(await ports().journal.verify(before)).toEqual({ head: before, fault: null })
  })

  const cases: Record<string, readonly [Edit, { seq: number; what: string }]> = {
    'a word changed': [
      (rows) => replace(rows, 3, (row) => ({ ...row, text: bytes(textOf(row).replace('reason', 'season')) })),
      { seq: 3, what: 'changed' },
    ],
    'a hash changed': [
      (rows) => replace(rows, 2, (row) => ({ ...row, hash: 'f'.repeat(64) })),
      { seq: 2, what: 'changed' },
    ],
    'a word changed, and its hash with it': [
      (rows) => replace(rows, 2, (row) => rewritten(row, rows[0]?.hash ?? '')),
      { seq: 3, what: 'changed' },
    ],
    'a row given to another workload': [
      (rows) => replace(rows, 4, (row) => ({ ...row, workload: 'z' })),
      { seq: 4, what: 'changed' },
    ],
    'the first row gone': [(rows) => rows.slice(1), { seq: 1, what: 'missing' }],
    'a row gone': [(rows) => rows.filter(({ seq }) => seq !== 4), { seq: 4, what: 'missing' }],
    'two rows gone, and the others counted anew': [
      (rows) => rows.filter(({ seq }) => seq !== 2 && seq !== 3).map((row, index) => ({ ...row, seq: index + 1 })),
      { seq: 2, what: 'changed' },
    ],
    'two rows that changed places': [(rows) => swapped(rows, 2, 5), { seq: 2, what: 'reordered' }],
    'two events that changed places, their hashes not': [
      (rows) => swapped(rows, 3, 4).map((row) => ({ ...row, hash: rows[row.seq - 1]?.hash ?? '' })),
      { seq: 3, what: 'reordered' },
    ],
    'the last row gone': [(rows) => rows.slice(0, -1), { seq: LAST, what: 'cut off' }],
    'the tail gone': [(rows) => rows.slice(0, 2), { seq: 3, what: 'cut off' }],
    'all rows gone': [() => [], { seq: 1, what: 'cut off' }],
    'a row added, well chained': [
      (rows) => [...rows, rewritten({ ...last(rows), seq: LAST + 1 }, last(rows).hash)],
      { seq: LAST + 1, what: 'added' },
    ],
    'a row before the first': [(rows) => [{ ...last(rows), seq: 0 }, ...rows], { seq: 0, what: 'added' }],
  }
  test.each(Object.entries(cases))('%s is found, and named', async (_, [edit, want]) => {
    await fill()
    expect(await faultAfter(edit)).toEqual({ ...want, detail: expect.any(String) })
  })

  test('a journal that was written anew from the third row on is whole, but not the one that was noted down', async () => {
    await fill()
    const noted = await ports().journal.head()
    const [, second, third] = await ports().journal.read({ afterSeq: 0, limit: 3 })
    expect([second?.seq, third?.seq]).toEqual([2, 3])
    const fault = await faultAfter((rows) => chainedAnew(rows, 3), noted)
    expect(fault).toMatchObject({ seq: LAST, what: 'rewritten' })
  })

  test('a journal that is shorter than the one that was noted down is cut off', async () => {
    await fill()
    const { fault } = await ports().journal.verify({ seq: LAST + 2, hash: 'a'.repeat(64) })
    expect(fault).toMatchObject({ seq: LAST + 1, what: 'cut off' })
  })

  test('any byte changed, row removed or pair swapped is found at the first row that it touches', {
    timeout: 60_000,
  }, async () => {
    await fill()
    let whole: readonly StoredRow[] = []
    await tamper((rows) => {
      whole = rows
      return rows
    })
    await fc.assert(
      fc.asyncProperty(tampering, async (one) => {
        const fault = await faultAfter(() => apply(whole, one))
        expect(fault?.seq).toBe(Math.min(one.seq, one.kind === 'swap' ? one.other : one.seq))
        if (one.kind === 'swap') expect(fault?.what).toBe('reordered')
        if (one.kind === 'remove') expect(fault?.what).toBe(one.seq === LAST ? 'cut off' : 'missing')
      }),
      { numRuns: 200 },
    )
    expect(await faultAfter(() => whole)).toBeNull()
  })
}

const seq = fc.integer({ min: 1, max: LAST })
const tampering = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), seq, at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('hash' as const), seq, at: fc.nat(63) }),
  fc.record({ kind: fc.constant('remove' as const), seq }),
  fc.record({ kind: fc.constant('swap' as const), seq, other: seq }).filter((one) => one.seq !== one.other),
)

type Tampering = typeof tampering extends fc.Arbitrary<infer T> ? T : never

function apply(rows: readonly StoredRow[], one: Tampering): readonly StoredRow[] {
  switch (one.kind) {
    case 'byte':
      return replace(rows, one.seq, (row) => ({ ...row, text: flipped(row.text, one.at, one.flip) }))
    case 'hash':
      return replace(rows, one.seq, (row) => ({ ...row, hash: otherDigit(row.hash, one.at) }))
    case 'remove':
      return rows.filter((row) => row.seq !== one.seq)
    case 'swap':
      return swapped(rows, one.seq, one.other)
  }
}

function flipped(text: Uint8Array, at: number, flip: number): Uint8Array {
  return text.map((byte, index) => (index === at % text.length ? byte ^ flip : byte))
}

function otherDigit(hash: string, at: number): string {
  return `${hash.slice(0, at)}${hash[at] === '0' ? '1' : '0'}${hash.slice(at + 1)}`
}

function replace(rows: readonly StoredRow[], at: number, by: (row: StoredRow) => StoredRow): readonly StoredRow[] {
  return rows.map((row) => (row.seq === at ? by(row) : row))
}

function swapped(rows: readonly StoredRow[], a: number, b: number): readonly StoredRow[] {
  const to = new Map([
    [a, b],
    [b, a],
  ])
  return rows.map((row) => ({ ...row, seq: to.get(row.seq) ?? row.seq })).toSorted((x, y) => x.seq - y.seq)
}

function rewritten(row: StoredRow, before: string): StoredRow {
  const text = bytes(textOf(row).replace('reason', 'season'))
  return { ...row, text, hash: chainHash(before, row.seq, text) }
}

/** Other words in every row from one on, with the hashes that fit them. */
function chainedAnew(rows: readonly StoredRow[], from: number): readonly StoredRow[] {
  let before = rows[from - 2]?.hash ?? ''
  return rows.map((row) => {
    if (row.seq < from) return row
    const fresh = rewritten(row, before)
    before = fresh.hash
    return fresh
  })
}

const last = (rows: readonly StoredRow[]): StoredRow => {
  const row = rows.at(-1)
  if (!row) throw new Error('no rows')
  return row
}
const textOf = ({ text }: StoredRow) => new TextDecoder().decode(text)
const bytes = (text: string) => new TextEncoder().encode(text)
