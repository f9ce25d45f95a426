import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import type { Commit, Committed } from '../ports/store.ts'
import { chainHash, type JournalHead } from '../shared/journal-chain.ts'
import type { SeenHead } from './redis-head.ts'
import { COMMIT } from './redis-scripts.ts'
import type { StateRows } from './state-rows.ts'

/** So often a commit is chained anew because other shards' commits came first. */
const MOST_TRIES = 50

/** What a shard is at, before a commit. */
export interface ShardHead {
  readonly shard: string
  readonly revision: number
  /** A commit that was sent under an older one is void. */
  readonly fence: string
}

/**
 * Chains a commit to the journal as it stands and sends it, again where another shard's commit came between. Throws STORE_CONFLICT, or
 * STORE_BUSY where there was no end of others, and nothing of it is written; after any other problem only the store knows.
 */
export async function sendCommit(
  seen: SeenHead,
  head: ShardHead,
  commit: Commit,
  states: StateRows,
): Promise<Committed> {
  if (head.revision !== commit.revision) throw otherRevision(commit, head.revision)
  const rollouts = commit.rollouts.map((state) => ({ state, ...states.write(state) }))
  // Redis cannot compute the chain's hashes: they are made here, for a journal that the script then compares.
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const base = tries === 0 && seen.newest.commits > 0 ? seen.newest : (await seen.read()).head
    const { keys, args, committed, journal } = scriptInput(seen, head, base.journal, { ...commit, rollouts })
    const [word, detail, more] = await seen.write(COMMIT, keys, args)
    if (word === 'ok') {
      seen.committed(Number(detail), journal)
      return committed
    }
    if (word !== 'journal') throw refusal(word, String(detail), String(more), commit)
  }
  throw problem('STORE_BUSY', `${MOST_TRIES} commits of other shards came between`)
}

/** A commit, with its states as rows. */
interface RowsToCommit extends Omit<Commit, 'rollouts'> {
  readonly rollouts: readonly (ReturnType<StateRows['write']> & { readonly state: RolloutState })[]
}

function scriptInput(seen: SeenHead, head: ShardHead, base: JournalHead, commit: RowsToCommit) {
  const { rollouts, plans, consumed, homes, layout, tallies, shapes, rowsOf, ofShard } = seen.keys
  const { shard, order, inbox } = ofShard(head.shard)
  const fixed = [shard, rollouts, order, plans, inbox, consumed, homes, layout, tallies, shapes]
  let journal = base
  const rows = commit.events.map((event) => {
    const seq = journal.seq + 1
    const json = JSON.stringify(event)
    journal = { seq, hash: chainHash(journal.hash, seq, json) }
    return { seq, event, json, hash: journal.hash }
  })
  const named = [...new Set(commit.events.flatMap(({ workload }) => workload ?? []))]
  // After the two keys of the guard, and counted from 1 as Lua does.
  const places = new Map(named.map((workload, index) => [workload, 2 + fixed.length + index + 1]))
  const revision = commit.revision + 1
  const { owner, token } = commit.lease
  const ofShapes = new Map(commit.rollouts.map(({ shape }) => [shape.hash, shape.shape]))
  const args = [
    ...[head.shard, owner, token, commit.revision, head.fence],
    ...[base.seq, base.hash, revision, journal.seq, journal.hash],
    ...[commit.consumedFactIds.length, commit.plans.length, ofShapes.size, commit.rollouts.length, rows.length],
    ...commit.consumedFactIds,
    ...commit.plans.flatMap((plan) => [plan.hash, JSON.stringify(plan)]),
    ...[...ofShapes].flat(),
    ...commit.rollouts.flatMap(({ state, standing, tally }) => [state.workload, state.planHash ?? '', standing, tally]),
    ...rows.flatMap(({ seq, hash, json, event: { workload } }) =>
      workload === null ? [seq, hash, json, 0, ''] : [seq, hash, json, places.get(workload) ?? 0, workload],
    ),
  ]
  const committed: Committed = { revision, rows: rows.map(({ seq, event }) => ({ seq, event })) }
  return { keys: [...fixed, ...named.map(rowsOf)], args, committed, journal }
}

function otherRevision({ revision }: Commit, stored: string | number) {
  return problem('STORE_CONFLICT', `thought from revision ${revision}, the store has ${stored}`)
}

function refusal(word: string, detail: string, more: string, commit: Commit) {
  const { owner, token } = commit.lease
  switch (word) {
    case 'lease':
      return problem('STORE_CONFLICT', `${owner} no longer holds the lease (token ${token} of ${detail})`)
    case 'revision':
      return otherRevision(commit, detail)
    case 'fence':
      return problem('STORE_CONFLICT', 'the commit was given up before it came to the store')
    case 'fact':
      return problem('STORE_CONFLICT', `fact ${detail} is not waiting any more`)
    case 'home':
      return problem('STORE_CONFLICT', `the workload ${detail} belongs to the shard ${more}`)
    default:
      return problem('STORE_UNAVAILABLE', `a rollout names the plan ${detail}, which is not there`)
  }
}
