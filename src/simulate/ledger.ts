import type { HeadgateEvent } from '../core/event.ts'
import { formatPercent } from '../core/format.ts'
import type { Plan } from '../core/plan.ts'
import type { HoldCause, PhaseName, RolloutState } from '../core/state.ts'
import type { Commit } from '../ports/store.ts'
import { SWEEP_SECONDS } from './config.ts'
import type { Report } from './invariants.ts'

/** A jump of the clock that is shorter than three sweeps looks like sweeps that came late, ms. */
const SEEN_JUMP_MS = 3 * SWEEP_SECONDS * 1000

/** A decision may be as much older than the moment that it is taken for, ms. */
const CLOSED_MS = 1_000

/** One rollout as the journal tells it. Times are the world's, ms. */
export interface Entry {
  /** The pinned one; else that of the first config that has the workload. */
  plan: Plan
  /** Of the pinned plan, as the journal tells; null: it has not begun. */
  planHash: string | null
  phase: PhaseName
  stepIndex: number | null
  intendedPercent: number
  readonly holds: Map<HoldCause, number>
  /** Since when the intended weight is in force; null: it is not. */
  inForceAtMs: number | null
  /** Of the clock's jumps since then, those that could not be told from time. */
  hiddenMs: number
  /** A person has advanced this step. */
  isAdvanced: boolean
  wasEverAdvanced: boolean
  phaseAtMs: number
  /** Tasks that passed, by key, in this round. */
  readonly passed: Set<string>
  /** Weights that Headgate may have written last. */
  confirmedPercent: number | null
  /** By how much the clock of whoever last decided about it was ahead, ms; null: nobody has. */
  aheadMs: number | null
}

/** What is so in the world when a commit becomes durable. */
export interface Circumstances {
  /** By how much the clock of whoever committed was ahead when it sent the commit, ms. */
  readonly aheadMs: number
  /** Since when the calendar is closed, the world's time in ms; null: it is open. */
  readonly closedSinceMs: number | null
  /** Whether the shard that has committed decides about this workload. */
  readonly decides: (workload: string) => boolean
}

/** Of an event: when it became durable, and when it was thought, the world's time in ms. */
interface Times {
  readonly nowMs: number
  readonly thoughtMs: number
}

/** Replays each commit's events beside the states that it commits, and holds both to the invariants. */
export class Ledger {
  readonly entries = new Map<string, Entry>()
  /** How often each fact was acted on. */
  readonly answered = new Map<string, number>()
  readonly events: { readonly atMs: number; readonly event: HeadgateEvent }[] = []
  private readonly begun = new Set<string>()
  /** By hash: those that were pinned. */
  private readonly pinned = new Map<string, Plan>()
  /** Facts whose workload had begun when they came. */
  private readonly known = new Set<string>()
  private readonly report: Report

  constructor(plans: readonly Plan[], report: Report) {
    this.report = report
    for (const plan of plans) this.entries.set(plan.workload, entryOf(plan))
  }

  hasBegun(workload: string | null): boolean {
    return this.begun.has(workload ?? '')
  }

  /** Whoever decides about the workload of this fact must find it. */
  noteKnown(factId: string): void {
    this.known.add(factId)
  }

  /** Takes in what has just become durable. */
  take({ rollouts, events, plans }: Commit, nowMs: number, circumstances: Circumstances): void {
    const { aheadMs, closedSinceMs } = circumstances
    this.noteClock(circumstances)
    for (const plan of plans) this.pinned.set(plan.hash, plan)
    for (const { workload, planHash } of rollouts) this.pin(workload, planHash)
    for (const event of events) {
      this.events.push({ atMs: nowMs, event })
      if ('factId' in event) this.answer(event.factId, event)
      // A process may have stood still before its commit, and the commit have hung in the network.
      const thoughtMs = Math.min(nowMs, event.atMs - aheadMs)
      if (closedSinceMs !== null && thoughtMs - closedSinceMs > CLOSED_MS) this.judgeClosed(event)
      const entry = this.entries.get(event.workload ?? '')
      if (entry) this.follow(entry, event, { nowMs, thoughtMs })
    }
    for (const state of rollouts) this.compare(state)
  }

  private noteClock({ aheadMs, decides }: Circumstances): void {
    for (const [workload, entry] of this.entries) {
      if (!decides(workload)) continue
      const jumpMs = aheadMs - (entry.aheadMs ?? aheadMs)
      entry.aheadMs = aheadMs
      if (jumpMs > 0 && jumpMs < SEEN_JUMP_MS) entry.hiddenMs += jumpMs
    }
  }

  private pin(workload: string, planHash: string | null): void {
    const [entry, plan] = [this.entries.get(workload), this.pinned.get(planHash ?? '')]
    if (entry && plan) entry.plan = plan
  }

  private judgeClosed(event: HeadgateEvent): void {
    if (event.type !== 'weight-intended' || event.urgency === 'revert' || event.toPercent <= event.fromPercent) return
    this.report('closed-never-rises', `${event.workload}: ${formatPercent(event.toPercent)} was intended`)
  }

  private answer(factId: string, event: HeadgateEvent): void {
    const { phase, planHash } = this.entries.get(event.workload ?? '') ?? { phase: 'waiting', planHash: null }
    // What has not begun is nothing to a replica whose config leaves it out.
    const isForNobody =
      event.type === 'alert-unmatched' || (event.type === 'command-refused' && event.problem.code === 'API_NOT_FOUND')
    if (isForNobody && this.known.has(factId) && planHash !== null)
      this.report('fact-once', `fact ${factId} found no workload ${event.workload}, which is ${phase}`)
    const count = (this.answered.get(factId) ?? 0) + 1
    this.answered.set(factId, count)
    if (count > 1) this.report('fact-once', `fact ${factId} was acted on ${count} times`)
  }

  private follow(entry: Entry, event: HeadgateEvent, { nowMs, thoughtMs }: Times): void {
    switch (event.type) {
      case 'phase-entered':
        enter(entry, event, nowMs)
        return
      case 'hold-added':
        entry.holds.set(event.hold.cause, nowMs)
        return
      case 'hold-removed':
        entry.holds.delete(event.cause)
        return
      case 'rollout-created':
        this.begun.add(event.workload ?? '')
        return
      case 'plan-pinned':
        if (entry.planHash !== null) this.report('plan-kept', `${event.workload} began anew with ${event.planHash}`)
        entry.planHash = event.planHash
        return
      case 'weight-in-force':
        entry.inForceAtMs = thoughtMs
        entry.hiddenMs = 0
        return
      case 'weight-confirmed':
        entry.confirmedPercent = event.weightPercent
        return
      case 'weight-adopted':
        entry.intendedPercent = event.weightPercent
        entry.confirmedPercent = event.weightPercent
        entry.inForceAtMs = null
        return
      case 'task-ended':
        if (event.outcome === 'passed') entry.passed.add(event.task)
        return
      case 'weight-reasserted':
        entry.inForceAtMs = null
        return
      case 'command-done':
        if (event.command !== 'advance') return
        entry.isAdvanced = true
        entry.wasEverAdvanced = true
        return
      case 'weight-intended':
        this.judgeIntent(entry, event, nowMs)
        entry.intendedPercent = event.toPercent
        entry.inForceAtMs = null
        entry.isAdvanced = false
        return
      default:
    }
  }

  private judgeIntent(entry: Entry, event: Extract<HeadgateEvent, { type: 'weight-intended' }>, nowMs: number): void {
    const { fromPercent, toPercent, urgency } = event
    if (urgency === 'revert' || toPercent <= fromPercent) return
    const { plan, holds, phase, intendedPercent } = entry
    const what = `${plan.workload}: ${formatPercent(fromPercent)} → ${formatPercent(toPercent)}`
    if (holds.size > 0) this.report('halted-never-rises', `${what} was intended while held: ${[...holds.keys()]}`)
    if (phase !== 'stepping') this.report('revert-not-overtaken', `${what} was intended in ${phase}`)
    if (fromPercent !== intendedPercent) this.report('journal-and-state', `${what}, but it had ${intendedPercent} %`)
    if (plan.steps[entry.stepIndex ?? 0]?.weightPercent !== toPercent)
      this.report('plan-kept', `${what} was intended, and its plan ${plan.hash} has no such step`)
    this.judgeHooks(entry, what)
    if (entry.stepIndex !== 0) this.judgeProof(entry, what, event, nowMs)
  }

  private judgeHooks({ plan, stepIndex, passed }: Entry, what: string): void {
    const keys = plan.hooks
      .filter(({ at }) => at === 'before-step')
      .map(({ id }) => `before-step/${(stepIndex ?? 0) + 1}/${id}`)
    const lacking = keys.filter((key) => !passed.has(key))
    if (lacking.length > 0) this.report('hook-before-raise', `${what} was intended, and these did not pass: ${lacking}`)
  }

  private judgeProof(
    entry: Entry,
    what: string,
    { evidence, fromPercent }: Extract<HeadgateEvent, { type: 'weight-intended' }>,
    nowMs: number,
  ): void {
    const { plan, stepIndex, inForceAtMs, hiddenMs, isAdvanced } = entry
    const tell = (why: string) => this.report('no-raise-without-passes', `${what} ${why}`)
    if (inForceAtMs === null) tell('before the weight was in force')
    if (inForceAtMs === null || isAdvanced) return
    const lacking = evidence
      // Without a weight no requests of users prove anything.
      .filter(({ outcome }) => outcome !== 'pass' && !(outcome === 'wait' && fromPercent === 0))
      .map(({ gate, outcome }) => `${gate} ${outcome}`)
    if (evidence.length < plan.gates.length || lacking.length > 0) tell(`with gates that do not pass: ${lacking}`)
    const holdMs = (plan.steps[(stepIndex ?? 0) - 1]?.holdSeconds ?? 0) * 1000
    // The time of the sweep that saw it come in force may count.
    const heldMs = nowMs - inForceAtMs + hiddenMs + SWEEP_SECONDS * 1000
    if (heldMs < holdMs) tell(`after ${(nowMs - inForceAtMs) / 1000} s in force, of ${holdMs / 1000} s`)
  }

  private compare(state: RolloutState): void {
    const entry = this.entries.get(state.workload)
    if (!entry) {
      this.report('journal-and-state', `a state of ${state.workload}, which is nobody's`)
      return
    }
    const { phase, planHash, intendedPercent, holds, stepIndex } = entry
    const index = state.phase.name === 'stepping' ? state.phase.stepIndex : null
    const told = { phase, planHash, stepIndex, intendedPercent, holds: [...holds.keys()].sort() }
    const causes = state.holds.map(({ cause }) => cause).sort()
    const kept = {
      ...{
        phase: state.phase.name,
        planHash: state.planHash,
        stepIndex: index,
        intendedPercent: state.intendedWeightPercent,
        holds: causes,
      },
    }
    const [a, b] = [JSON.stringify(told), JSON.stringify(kept)]
    if (a !== b) this.report('journal-and-state', `${state.workload}: the journal tells ${a}, the state says ${b}`)
  }
}

function entryOf(plan: Plan): Entry {
  return {
    ...{
      plan,
      planHash: null,
      phase: 'waiting',
      stepIndex: null,
      intendedPercent: 0,
      holds: new Map(),
      inForceAtMs: null,
    },
    ...{
      hiddenMs: 0,
      isAdvanced: false,
      wasEverAdvanced: false,
      phaseAtMs: 0,
      aheadMs: null,
      confirmedPercent: null,
      passed: new Set(),
    },
  }
}

function enter(entry: Entry, event: Extract<HeadgateEvent, { type: 'phase-entered' }>, nowMs: number): void {
  Object.assign(entry, { phase: event.to, stepIndex: event.stepIndex, phaseAtMs: nowMs } satisfies Partial<Entry>)
  if (event.to !== 'waiting') return
  entry.planHash = null
  // A new start begins where the targets were left: at the safe weight of a revert; else nothing of theirs is known.
  const isAtSafe = event.from === 'reverted' || entry.intendedPercent === entry.plan.safeWeightPercent
  if (!isAtSafe) entry.intendedPercent = 0
  entry.holds.clear()
  entry.passed.clear()
  entry.inForceAtMs = null
}
