import { householdsOf } from '../core/household.ts'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import {
  type Commit,
  type Cursor,
  MAIN_SHARD,
  type ShardStore,
  type Shards,
  type Snapshot,
  type StorePorts,
} from '../ports/store.ts'
import { chainHash, EMPTY_JOURNAL, type JournalHead } from '../shared/journal-chain.ts'

/** What only an export asks of a store. */
export interface Archive {
  /** All facts that ever came, in the order in which they came. */
  facts(): Promise<readonly ArchivedFact[]>
  cursors(): Promise<readonly Cursor[]>
}

export interface ArchivedFact {
  readonly fact: Fact
  readonly isConsumed: boolean
}

export interface ArchivedStore extends StorePorts {
  readonly archive: Archive
}

/** A line of an export. The last one says what there must be before it. */
type Line =
  | { readonly export: 'headgate store'; readonly version: 1 }
  | { readonly plan: Plan }
  | { readonly rollout: RolloutState }
  | ArchivedFact
  | { readonly cursor: Cursor }
  | { readonly row: number; readonly event: unknown }
  | { readonly end: JournalHead; readonly lines: number }

const PAGE_ROWS = 1_000
const IMPORT_LEASE_MS = 60_000
const NOTHING = { rollouts: [], plans: [], events: [], consumedFactIds: [] } as const

/**
 * Everything that a store holds, as lines of JSON. Throws STORE_EXPORT where the journal is not as it was written, and STORE_CONFLICT
 * where somebody commits meanwhile.
 */
export async function* exportLines({ shards, journal, archive }: ArchivedStore): AsyncGenerator<string> {
  const { head, fault } = await journal.verify(null)
  if (fault) throw problem('STORE_EXPORT', `the journal is not as it was written: ${fault.detail}`)
  const { revision, rollouts, plans } = await loadAll(shards)
  let lines = 0
  const line = (one: Line) => {
    lines += 1
    return JSON.stringify(one)
  }
  yield line({ export: 'headgate store', version: 1 })
  for (const plan of plans.values()) yield line({ plan })
  for (const rollout of rollouts) yield line({ rollout })
  for (const fact of await archive.facts()) yield line(fact)
  for (const cursor of await archive.cursors()) yield line({ cursor })
  for (let afterSeq = 0; afterSeq < head.seq; afterSeq += PAGE_ROWS)
    for (const { seq, event } of await journal.read({ afterSeq, limit: PAGE_ROWS })) yield line({ row: seq, event })
  if ((await loadAll(shards)).revision !== revision)
    throw problem('STORE_CONFLICT', 'somebody committed during the export', {
      hint: 'stop Headgate, then export again',
    })
  yield line({ end: head, lines })
}

/** All shards; the revision is the sum of theirs. */
async function loadAll(shards: Shards): Promise<Snapshot> {
  const looks = (await shards.look('export', 0, 0)).shards
  const all = await Promise.all(looks.map(({ shard }) => shards.of(shard).store.load()))
  return {
    revision: all.reduce((sum, { revision }) => sum + revision, 0),
    rollouts: all.flatMap(({ rollouts }) => rollouts),
    plans: new Map(all.flatMap(({ plans }) => [...plans])),
  }
}

/**
 * Takes an export in, laid out as these plans of a config and the pinned ones want it. Throws STORE_EXPORT where it is not whole, and
 * STORE_NOT_EMPTY; then nothing was written.
 */
export async function importLines(
  { store, inbox, journal, cursors, shards, archive }: ArchivedStore,
  texts: readonly string[],
  nowMs: number,
  configured: readonly Plan[] = [],
): Promise<JournalHead> {
  const whole = readExport(texts)
  const { revision } = await loadAll(shards)
  const [{ seq }, facts, known] = [await journal.head(), await archive.facts(), await archive.cursors()]
  if (revision + seq + facts.length + known.length > 0)
    throw problem('STORE_NOT_EMPTY', `the store has revision ${revision} and ${seq} journal rows`)

  const all = [...configured, ...whole.plans]
  const { shardOf } = await shards.join(householdsOf(all))
  const migrations = new Map(all.map(({ workload, migration }) => [workload, migration]))
  const homeOf = (workload: string | null) => shardOf.get(migrations.get(workload ?? '') ?? '') ?? MAIN_SHARD

  const lease = await store.lease('import', nowMs, IMPORT_LEASE_MS)
  await inbox.putAll(whole.facts.map(({ fact }) => fact))
  for (const cursor of whole.cursors) await cursors.write(cursor)
  let next = 0
  for (let from = 0; from < whole.events.length; from += PAGE_ROWS) {
    const events = whole.events.slice(from, from + PAGE_ROWS)
    next = (await store.commit({ ...NOTHING, lease, revision: next, events })).revision
  }
  await store.release(lease)
  // Last, and a shard at once: an import that was broken off has rollouts missing, and the next one says that it is not empty.
  const rollouts = Map.groupBy(whole.rollouts, ({ workload }) => homeOf(workload))
  const consumed = Map.groupBy(
    whole.facts.filter(({ isConsumed }) => isConsumed),
    ({ fact }) => homeOf(fact.workload),
  )
  for (const shard of new Set([...rollouts.keys(), ...consumed.keys()])) {
    const own = rollouts.get(shard) ?? []
    const hashes = new Set(own.map(({ planHash }) => planHash))
    await commitAlone(shards.of(shard).store, nowMs, {
      rollouts: own,
      plans: whole.plans.filter(({ hash }) => hashes.has(hash)),
      consumedFactIds: (consumed.get(shard) ?? []).map(({ fact }) => fact.id),
    })
  }
  const { head, fault } = await journal.verify(whole.head)
  if (fault || head.hash !== whole.head.hash)
    throw problem('STORE_EXPORT', 'the journal that was written is not the one of the export', {
      hint: 'remove what was written, and see to who else writes there',
    })
  return head
}

async function commitAlone(store: ShardStore, nowMs: number, changes: Partial<Commit>): Promise<void> {
  const lease = await store.lease('import', nowMs, IMPORT_LEASE_MS)
  const { revision } = await store.load()
  await store.commit({ ...NOTHING, ...changes, lease, revision })
  await store.release(lease)
}

/** Looks at every line before anything is written: all are there, and the journal's chain leads to the head at the end. */
function readExport(texts: readonly string[]) {
  const plans: Plan[] = []
  const rollouts: RolloutState[] = []
  const facts: ArchivedFact[] = []
  const cursors: Cursor[] = []
  const events: Parameters<StorePorts['store']['commit']>[0]['events'][number][] = []
  let head = EMPTY_JOURNAL
  const lines = texts.map(readLine)
  const [first, last] = [lines.at(0), lines.at(-1)]
  if (!first || !('export' in first) || first.version !== 1)
    throw problem('STORE_EXPORT', 'the first line is not that of an export')
  if (!last || !('end' in last) || last.lines !== lines.length - 1)
    throw problem(
      'STORE_EXPORT',
      `the export is not whole: it has ${lines.length} lines, without the end that it should have`,
    )
  for (const line of lines) {
    if ('plan' in line) plans.push(line.plan)
    else if ('rollout' in line) rollouts.push(line.rollout)
    else if ('fact' in line) facts.push(line)
    else if ('cursor' in line) cursors.push(line.cursor)
    else if ('row' in line) {
      const seq = head.seq + 1
      if (line.row !== seq) throw problem('STORE_EXPORT', `journal row ${seq} is missing`)
      head = { seq, hash: chainHash(head.hash, seq, JSON.stringify(line.event)) }
      events.push(line.event as (typeof events)[number])
    }
  }
  if (head.seq !== last.end.seq || head.hash !== last.end.hash)
    throw problem(
      'STORE_EXPORT',
      `the journal's chain ends in ${head.seq}:${head.hash}, not in ${last.end.seq}:${last.end.hash}`,
    )
  return { plans, rollouts, facts, cursors, events, head }
}

function readLine(text: string, index: number): Line {
  try {
    const line: unknown = JSON.parse(text)
    // Headgate wrote it; the chain and the count of the lines show whether somebody else did since.
    if (typeof line === 'object' && line !== null) return line as Line
  } catch {
    // Told below, as any other line that is none.
  }
  throw problem('STORE_EXPORT', `line ${index + 1} is not JSON of an export`)
}
