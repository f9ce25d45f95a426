import type { HoldCause } from '../core/state.ts'
import type { Clock } from '../ports/runtime.ts'
import { SWEEP_SECONDS, TTL_SECONDS } from './config.ts'
import type { Report } from './invariants.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { Landing, Provider, SentWrite } from './provider.ts'
import type { MemoryStore } from './store.ts'

/** What was on its way when a hold or a revert was committed may still be sent, ms: the call before it has to end first. */
const ON_ITS_WAY_MS = 15_000
/** An edit so shortly before the end of a rollout may not have been read any more, ms. */
const UNREAD_MS = 60_000
/** Between two sweeps of a shard there is less, ms. */
const UNSWEPT_MS = 2 * SWEEP_SECONDS * 1000

/** Holds that only a person ends, or what a person does with another workload. */
const PERSONS: readonly HoldCause[] = [
  ...(['paused', 'halted', 'alert', 'approval', 'drift', 'budget', 'unknown-weight', 'hook'] as const),
  'dependency',
]

/** Holds what arrives at the provider to the invariants, and in the end everything. */
export class Judge {
  /** By scope: the newest lease whose write has landed. */
  private readonly newestToken = new Map<string, number>()
  /** By scope: the shard that wrote to it last. */
  private readonly shardOfScope = new Map<string, string>()
  /** By place: when a write that nobody waited for any more last landed. */
  private readonly lateAtMs = new Map<string, number>()
  private readonly ledger: Ledger
  private readonly clock: Clock
  private readonly report: Report

  constructor(ledger: Ledger, clock: Clock, report: Report) {
    this.ledger = ledger
    this.clock = clock
    this.report = report
  }

  sent({ process, shard, scope, token, changes }: SentWrite, { percentOf, shards }: AtSending): void {
    if (token === null) this.report('one-writer', `${process} writes to ${scope} without a lease`)
    const before = this.shardOfScope.get(scope) ?? shard
    if (before !== shard && shards.includes(before))
      this.report('one-writer', `${process} writes to ${scope} for shard ${shard}, and shard ${before} has done so`)
    this.shardOfScope.set(scope, shard)
    for (const { targetId, weightPercent, urgency } of changes) {
      const entry = this.entryOf(targetId)
      if (!entry || urgency === 'revert' || weightPercent <= percentOf(entry.plan.workload)) continue
      const held = [...entry.holds].filter(([, sinceMs]) => this.isPast(sinceMs)).map(([cause]) => cause)
      if (held.length > 0)
        this.report('halted-never-rises', `${process} writes ${weightPercent} % to ${targetId}, held: ${held}`)
    }
  }

  /** `givenToken`: of the newest lease that the store gave by a clock that does not jump; null: it has no such clock. */
  landed({ write, change, place, isLate }: Landing, givenToken: number | null): void {
    // Nobody can keep it back any more: what counts is that it does not stay.
    if (isLate) {
      this.lateAtMs.set(place, this.clock.nowMs())
      return
    }
    const { scope, token, process } = write
    const newest = this.newestToken.get(scope) ?? 0
    const told = `a write of ${process} (lease ${token}) landed in ${scope}`
    if (token !== null && token < newest) this.report('one-writer', `${told} after one of lease ${newest}`)
    if (token !== null && token < (givenToken ?? 0))
      this.report('one-writer', `${told} when lease ${givenToken} was given`)
    this.newestToken.set(scope, Math.max(newest, token ?? 0))
    const entry = this.entryOf(change.targetId)
    if (!entry || (entry.phase !== 'reverting' && entry.phase !== 'reverted')) return
    const isOvertaking = entry.phase === 'reverted' || write.sentAtMs > entry.phaseAtMs + ON_ITS_WAY_MS
    const isSafe = change.weightPercent === entry.plan.safeWeightPercent && !change.trial
    if (isOvertaking && !isSafe)
      this.report('revert-not-overtaken', `${change.weightPercent} % of ${process} landed at ${place}: ${entry.phase}`)
  }

  /** After each sweep. */
  swept(provider: Provider): void {
    for (const [place, { old, new: fresh }] of provider.shares) {
      const isWhole = Math.abs(old + fresh - 100) < 1e-6 && old >= 0 && fresh >= 0
      if (!isWhole) this.report('weights-sum', `${place} has old ${old} %, new ${fresh} %`)
    }
  }

  /** After all faults ended, and long enough. */
  async ended({ memory, provider, ...world }: EndOfWorld): Promise<void> {
    await this.judgeJournal(memory)
    for (const factId of world.promisedFacts)
      if (!this.ledger.answered.has(factId)) this.report('fact-once', `fact ${factId} was taken, and never acted on`)
    this.judgeShards(memory.inspect().shardNames(), world)
    for (const state of memory.inspect().rollouts()) {
      const entry = this.ledger.entries.get(state.workload)
      if (!entry || (state.planHash === null && !world.configured.has(state.workload))) continue
      const { name } = state.phase
      if (name === 'reverting') this.report('revert-ends', `${state.workload} is still reverting`)
      const isHeld = state.holds.some(({ cause }) => PERSONS.includes(cause))
      const isOver = name === 'completed' || name === 'reverted' || name === 'cancelled'
      const holds = state.holds.map(({ cause, detail }) => `${cause} (${detail})`)
      if (!isOver && !isHeld) this.report('converges', `${state.workload} is ${name}, held by nobody: ${holds}`)
      const hasHarm = world.harmed.has(state.workload) && !entry.wasEverAdvanced
      if (hasHarm && name === 'completed') this.report('harm-is-caught', `${state.workload} completed`)
      this.judgeTarget(entry, { provider, ...world })
      this.judgeTtl(entry, provider)
    }
  }

  private async judgeJournal({ journal }: MemoryStore): Promise<void> {
    const { fault } = await journal.verify(null)
    if (fault) this.report('journal-chain', fault.detail)
    const rows = await journal.read({ afterSeq: 0, limit: Number.MAX_SAFE_INTEGER })
    const committed = this.ledger.events.map(({ event }, index) => JSON.stringify({ seq: index + 1, event }))
    const at = committed.findIndex((row, index) => JSON.stringify(rows[index]) !== row)
    if (at >= 0 || rows.length !== committed.length)
      this.report('journal-chain', `row ${at + 1} of ${rows.length} is not what was committed: ${committed[at]}`)
  }

  private judgeShards(shards: readonly string[], { owned, sweptAtMs }: Omit<EndOfWorld, 'memory' | 'provider'>): void {
    const share = Math.ceil(shards.length / owned.length)
    for (const shard of shards) {
      const owners = owned.filter((own) => own.includes(shard)).length
      if (owners !== 1) this.report('shards-swept', `${owners} replicas have shard ${shard}`)
      const sinceMs = this.clock.nowMs() - (sweptAtMs.get(shard) ?? Number.NEGATIVE_INFINITY)
      if (sinceMs > UNSWEPT_MS) this.report('shards-swept', `shard ${shard} was not swept for ${sinceMs / 1000} s`)
    }
    for (const own of owned)
      if (own.length > share) this.report('shards-swept', `a replica has ${own}, and ${share} would be its share`)
  }

  /** A name is left with the TTL that it had, unless a write that nobody waits for any more came after. */
  private judgeTtl({ plan, phase }: Entry, provider: Provider): void {
    const ttlSeconds = provider.ttls.get(plan.workload)
    const isOver = phase === 'completed' || phase === 'reverted'
    if (!isOver || ttlSeconds === undefined || this.lateAtMs.has(plan.workload)) return
    if (ttlSeconds !== TTL_SECONDS.before) this.report('ttls-put-back', `${plan.workload} has a TTL of ${ttlSeconds} s`)
  }

  private judgeTarget({ plan, ...entry }: Entry, { provider, editedAtMs }: Omit<EndOfWorld, 'memory'>): void {
    const isOver = entry.phase === 'completed' || entry.phase === 'reverted'
    const isUnread = ['waiting', 'preflight', 'cancelled'].includes(entry.phase)
    const edited = editedAtMs.get(plan.workload) ?? Number.NEGATIVE_INFINITY
    if (isUnread || entry.holds.has('drift') || (isOver && edited > entry.phaseAtMs - UNREAD_MS)) return
    const lateAtMs = this.lateAtMs.get(plan.workload)
    // Nobody looks any more at what is completed, and a policy whose holds are as short as these is nobody's.
    if (lateAtMs !== undefined && entry.phase === 'completed') return
    const percent = provider.shares.get(plan.workload)?.new
    const isHeldBefore = entry.holds.size > 0 && percent === (entry.confirmedPercent ?? 0)
    if (isOver && provider.trials.has(plan.workload) && lateAtMs === undefined)
      this.report('targets-hold', `${plan.workload} is ${entry.phase}, and its trial goes on`)
    if (percent === entry.intendedPercent || isHeldBefore) return
    const isFromLate = entry.phase === 'reverted' && (lateAtMs ?? 0) >= entry.phaseAtMs
    const invariant = isFromLate ? 'late-raise-ends' : 'targets-hold'
    this.report(invariant, `${plan.workload} has ${percent} %, and ${entry.intendedPercent} % is intended`)
  }

  private entryOf(targetId: string): Entry | undefined {
    return this.ledger.entries.get(targetId.split('/')[0] ?? '')
  }

  private isPast(sinceMs: number): boolean {
    return this.clock.nowMs() - sinceMs > ON_ITS_WAY_MS
  }
}

/** What is so in the world when a write is sent. */
export interface AtSending {
  /** What NEW gets by now. */
  readonly percentOf: (workload: string) => number
  /** Those that are there. */
  readonly shards: readonly string[]
}

export interface EndOfWorld {
  readonly memory: MemoryStore
  readonly provider: Provider
  /** Facts that somebody was told are taken. */
  readonly promisedFacts: ReadonlySet<string>
  /** Workloads whose NEW failed half of its requests throughout. */
  readonly harmed: ReadonlySet<string>
  /** By living replica: the shards that it works on. */
  readonly owned: readonly (readonly string[])[]
  /** By shard: when its last sweep was committed. */
  readonly sweptAtMs: ReadonlyMap<string, number>
  /** Workloads of the newest config. */
  readonly configured: ReadonlySet<string>
  /** When somebody else last wrote to each place. */
  readonly editedAtMs: ReadonlyMap<string, number>
}
