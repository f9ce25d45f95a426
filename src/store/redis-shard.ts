import type { Plan } from '../core/plan.ts'
import { Problem, problem } from '../core/problem.ts'
import type { Inbox, Lease, PlansByHash, ShardPorts, ShardStore, Snapshot } from '../ports/store.ts'
import { type ShardHead, sendCommit } from './redis-commit.ts'
import type { SeenHead } from './redis-head.ts'
import { FENCE, LEASE, RELEASE } from './redis-scripts.ts'
import { damaged, readFact, readPlan } from './rows.ts'
import { StateRows, shapeHashOf } from './state-rows.ts'

/** Whose clock a lease goes by: that of Redis, because those of several machines differ; or the caller's, where time is an input. */
export type LeaseTime = 'redis' | 'caller'

/** One shard of a store in Redis. */
export function createRedisShard(seen: SeenHead, name: string, leaseTime: LeaseTime): ShardPorts {
  const { shard } = seen.keys.ofShard(name)
  /** As of the last load or commit; null: to be read. */
  let head: ShardHead | null = null
  /** A commit was sent, and nobody knows what came of it. */
  let isInDoubt = false
  const states = new StateRows()
  const store: ShardStore = {
    lease: (owner, nowMs, ttlMs) => takeLease(seen, name, [owner, ttlMs, leaseTime === 'redis' ? '' : nowMs]),
    release: async ({ owner, token }) => void (await seen.write(RELEASE, [shard], [owner, token])),
    load: async (known = new Map()) => {
      if (isInDoubt) await seen.write(FENCE, [shard], [])
      isInDoubt = false
      const { snapshot, fence } = await loadSnapshot(seen, name, states, known)
      head = { shard: name, revision: snapshot.revision, fence }
      return snapshot
    },
    commit: async (commit) => {
      const before = head?.revision === commit.revision ? head : await readHead(seen, name)
      try {
        const committed = await sendCommit(seen, before, commit, states)
        head = { ...before, revision: committed.revision }
        return committed
      } catch (error) {
        head = null
        if (!(error instanceof Problem && error.code === 'STORE_CONFLICT')) isInDoubt = true
        throw error
      }
    },
  }
  return { store, inbox: createShardInbox(seen, name) }
}

async function takeLease(seen: SeenHead, name: string, args: readonly (string | number)[]): Promise<Lease> {
  const [word, first, second] = await seen.write(LEASE, [seen.keys.ofShard(name).shard], args)
  if (word === 'gone')
    throw problem('STORE_LEASE_HELD', `there is no shard ${name} any more: it was merged into another`)
  if (word === 'held')
    throw problem('STORE_LEASE_HELD', `${String(first)} holds the lease for another ${String(second)} ms`)
  return { owner: String(args[0]), token: Number(first) }
}

async function readHead(seen: SeenHead, name: string): Promise<ShardHead> {
  const { answers } = await seen.read((multi) => multi.hmget(seen.keys.ofShard(name).shard, 'revision', 'fence'))
  return headOf(name, answers[0])
}

function headOf(shard: string, fields: unknown): ShardHead {
  const [revision, fence] = Array.isArray(fields) ? fields : []
  return { shard, revision: Number(revision ?? 0), fence: String(fence ?? '') }
}

async function loadSnapshot(
  seen: SeenHead,
  name: string,
  states: StateRows,
  known: PlansByHash,
): Promise<{ readonly snapshot: Snapshot; readonly fence: string }> {
  const { rollouts, tallies, plans, ofShard } = seen.keys
  const { shard, order } = ofShard(name)
  // The states of all shards are in one hash. Between the two looks a commit may come, but not without a new revision.
  for (;;) {
    const before = await seen.read((multi) => multi.hmget(shard, 'revision', 'fence').zrange(order, '0', '-1'))
    const names = texts(before.answers[1])
    const { answers } = await seen.read((multi) => {
      const commands = multi.hmget(shard, 'revision', 'fence')
      return names.length === 0 ? commands : commands.hmget(rollouts, ...names).hmget(tallies, ...names)
    })
    const { revision, fence } = headOf(name, answers[0])
    if (revision !== headOf(name, before.answers[0]).revision) continue
    const [standings, ofTicks] = [nullableTexts(answers[1]), nullableTexts(answers[2])]
    const shapes = await shapesOf(seen, ofTicks)
    const shapeOf = (hash: string) => shapes.get(hash) ?? null
    const loaded = names.map((workload, index) =>
      states.read({ workload, state: standings[index] ?? null, tally: ofTicks[index] ?? null }, shapeOf),
    )
    const pinned = new Map<string, Plan>()
    const unknown = new Set<string>()
    for (const { planHash } of loaded) {
      const plan = planHash === null ? undefined : known.get(planHash)
      if (plan) pinned.set(plan.hash, plan)
      else if (planHash !== null) unknown.add(planHash)
    }
    const hashes = [...unknown]
    const stored = hashes.length === 0 ? [] : await manyOf(seen, (multi) => multi.hmget(plans, ...hashes))
    for (const [index, hash] of hashes.entries()) pinned.set(hash, readPlan({ hash, plan: stored[index] ?? null }))
    return { snapshot: { revision, rollouts: loaded, plans: pinned }, fence }
  }
}

/** The shapes that these tallies name, by hash. */
async function shapesOf(seen: SeenHead, tallies: readonly (string | null)[]) {
  const hashes = [...new Set(tallies.flatMap((tally) => (tally === null ? [] : shapeHashOf(tally))))]
  const shapes = hashes.length === 0 ? [] : await manyOf(seen, (multi) => multi.hmget(seen.keys.shapes, ...hashes))
  return new Map(hashes.map((hash, index) => [hash, shapes[index] ?? null]))
}

function createShardInbox(seen: SeenHead, name: string): ShardPorts['inbox'] {
  const { facts, ofShard } = seen.keys
  const pending: Inbox['pending'] = async (limit) => {
    if (limit < 1) return []
    const { answers } = await seen.read((multi) => multi.zrange(ofShard(name).inbox, '0', String(limit - 1)))
    const ids = texts(answers[0])
    if (ids.length === 0) return []
    const stored = await manyOf(seen, (multi) => multi.hmget(facts, ...ids))
    return ids.map((id, index) => readFact({ id, fact: stored[index] ?? null }))
  }
  return { pending }
}

/** Like facts, plans never change: they need not be read as of the same moment. */
async function manyOf(seen: SeenHead, command: Parameters<SeenHead['read']>[0]): Promise<readonly (string | null)[]> {
  return nullableTexts((await seen.read(command)).answers[0])
}

function nullableTexts(answer: unknown): readonly (string | null)[] {
  return Array.isArray(answer) ? answer.map((one) => (one === null ? null : String(one))) : []
}

export function texts(answer: unknown): readonly string[] {
  if (!Array.isArray(answer)) throw damaged('a list', 'is none')
  return answer.map(String)
}
