import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite.ts'
import { createStorePath } from './place.ts'

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url))
const children: ChildProcess[] = []
let place: ReturnType<typeof createStorePath>

beforeEach(() => {
  place = createStorePath()
})
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  place.remove()
})

function startWriter(owner: string) {
  const child = spawn(process.execPath, [WRITER, place.path, owner], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const acknowledged: number[] = []
  createInterface({ input: child.stdout }).on('line', (line) => acknowledged.push(Number(line)))
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const closed = once(child, 'close')
  /** Resolves when so many commits were acknowledged, and fails if the process ends before. */
  const reached = async (commits: number) => {
    while (acknowledged.length < commits) {
      if (child.exitCode !== null) throw new Error(`the writer ended: ${complaint}`)
      await Promise.race([once(child.stdout, 'data'), closed])
    }
  }
  return { child, acknowledged, closed, reached, complaint: () => complaint }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** What the store must hold after `revision` commits, whoever made them. */
async function expectWhole(): Promise<number> {
  const { store, inbox, journal } = openSqlite(place.path)
  try {
    const { revision, rollouts, plans } = await store.load()
    const rows = await journal.read({ afterSeq: 0, limit: 1_000_000 })
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1))
    const reasons = rows.map(({ event }) => (event.type === 'controller-stopped' ? Number(event.reason) : null))
    expect(reasons).toEqual(Array.from({ length: revision * 2 }, (_, index) => Math.floor(index / 2) + 1))
    if (revision > 0) {
      expect(rollouts.map(({ heldMs }) => heldMs)).toEqual([revision])
      expect([...plans.keys()]).toEqual([`plan-${revision % 5}`])
    }
    // At most the fact of the commit that was under way for each kill.
    for (const { id } of await inbox.pending(1_000)) expect(Number(id.split('-')[1])).toBeLessThanOrEqual(revision + 1)
    return revision
  } finally {
    await store.close()
  }
}

describe('a writer that is killed', () => {
  test('at twenty odd moments loses no acknowledged commit, and leaves no half of one', async () => {
    for (let round = 1; round <= 20; round++) {
      // Always the same name: a new one would have to wait until the dead one's lease is over.
      const { child, acknowledged, closed, reached } = startWriter('writer')
      await reached(1 + Math.floor(Math.random() * 40))
      child.kill('SIGKILL')
      await closed
      const revision = await expectWhole()
      const last = acknowledged.at(-1)
      expect(revision).toBeGreaterThanOrEqual(last ?? Number.NaN)
      expect(revision).toBeLessThanOrEqual((last ?? Number.NaN) + 1)
    }
  })
})

describe('two processes', () => {
  test('that want the lease at once: one commits, the other is refused', async () => {
    openSqlite(place.path).store.close()
    const writers = [startWriter('one'), startWriter('two')]
    const [loser, winner] = await Promise.race(
      writers.map(async (writer, index) => {
        await writer.closed
        return [writer, writers[1 - index]] as const
      }),
    )
    expect(loser.complaint()).toContain('STORE_LEASE_HELD')
    expect(loser.acknowledged).toEqual([])
    await winner?.reached(20)
    await kill(winner?.child ?? loser.child)
    await expectWhole()
  })

  test('of which one only reads: it sees whole revisions while the other writes', async () => {
    const writer = startWriter('writer')
    await writer.reached(1)
    const { store, journal } = openSqlite(place.path, { readOnly: true })
    let seen = 0
    for (let look = 0; look < 100; look++) {
      const { revision, rollouts } = await store.load()
      expect(rollouts[0]?.heldMs).toBe(revision)
      expect((await journal.lastSeq()) >= revision * 2).toBe(true)
      expect(revision).toBeGreaterThanOrEqual(seen)
      seen = revision
    }
    // Commits are counted from 1, so this is the first one after the last look.
    await writer.reached(seen + 1)
    expect((await store.load()).revision).toBeGreaterThan(seen)
  })
})
