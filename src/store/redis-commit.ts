import { problem } from '../core/problem.ts'
import type { Commit, Committed } from '../ports/store.ts'
import { chainHash } from '../shared/journal-chain.ts'
import type { RedisHead, SeenHead } from './redis-head.ts'
import { COMMIT } from './redis-scripts.ts'

/** A commit, chained to the journal as it stands; nothing of it is written before `send`. */
export interface ReadyCommit {
  /** Throws STORE_CONFLICT, and nothing of it is written; after any other problem only the store knows. */
  send(): Promise<Committed>
}

/** Throws STORE_CONFLICT where the store has another revision. */
export async function applyCommit(seen: SeenHead, commit: Commit): Promise<ReadyCommit> {
  // Redis cannot compute the chain's hashes: they are made here, for a journal that the script then compares.
  const head = seen.newest.revision === commit.revision && commit.revision > 0 ? seen.newest : (await seen.read()).head
  if (head.revision !== commit.revision)
    throw problem('STORE_CONFLICT', `thought from revision ${commit.revision}, the store has ${head.revision}`)
  const { keys, args, committed, journal } = scriptInput(seen, head, commit)
  return {
    send: async () => {
      const [word, detail] = await seen.write(COMMIT, keys, args)
      if (word !== 'ok') throw refusal(word, String(detail), commit)
      seen.committed(committed.revision, journal)
      return committed
    },
  }
}

function scriptInput(seen: SeenHead, head: RedisHead, commit: Commit) {
  const { rollouts, order, plans, inbox, consumed, rowsOf } = seen.keys
  const fixed = [rollouts, order, plans, inbox, consumed]
  let journal = head.journal
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
  const args = [
    ...[owner, token, commit.revision, head.fence, revision, journal.seq, journal.hash],
    ...[commit.consumedFactIds.length, commit.plans.length, commit.rollouts.length, rows.length],
    ...commit.consumedFactIds,
    ...commit.plans.flatMap((plan) => [plan.hash, JSON.stringify(plan)]),
    ...commit.rollouts.flatMap((state) => [state.workload, state.planHash ?? '', JSON.stringify(state)]),
    ...rows.flatMap(({ seq, hash, json, event: { workload } }) =>
      workload === null ? [seq, hash, json, 0, ''] : [seq, hash, json, places.get(workload) ?? 0, workload],
    ),
  ]
  const committed: Committed = { revision, rows: rows.map(({ seq, event }) => ({ seq, event })) }
  return { keys: [...fixed, ...named.map(rowsOf)], args, committed, journal }
}

function refusal(word: string, detail: string, { lease, revision }: Commit) {
  switch (word) {
    case 'lease':
      return problem('STORE_CONFLICT', `${lease.owner} no longer holds the lease (token ${lease.token} of ${detail})`)
    case 'revision':
      return problem('STORE_CONFLICT', `thought from revision ${revision}, the store has ${detail}`)
    case 'fence':
      return problem('STORE_CONFLICT', 'the commit was given up before it came to the store')
    case 'fact':
      return problem('STORE_CONFLICT', `fact ${detail} is not waiting any more`)
    default:
      return problem('STORE_UNAVAILABLE', `a rollout names the plan ${detail}, which is not there`)
  }
}
