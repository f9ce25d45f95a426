import { judgeBreaker, type Reverted, revertOf, revertsOf } from './breaker.ts'
import type { FleetPlan, Signal, Wave, WaveMember } from './fleet-plan.ts'
import { formatSpan } from './format.ts'
import { isJudged, judgeSignal, type Serving, type SignalReading } from './gates/signals.ts'
import type { Verdict } from './gates/verdict.ts'
import type { FleetReading } from './observation.ts'
import type { Plan } from './plan.ts'
import { hasBaked, type Phase, type PhaseName, type Standing } from './state.ts'

/** A rollout of a migration. */
export interface Member {
  readonly state: Standing
  readonly plan: Plan
}

/** Names in a reason; more of them are counted. */
const NAMES_TOLD = 5

const UNDER_WAY: readonly PhaseName[] = ['preflight', 'preparing', 'stepping', 'baking', 'reverting']

/** Started, and neither baked nor ended. */
export function isUnderWay({ name }: Phase): boolean {
  return UNDER_WAY.includes(name)
}

/**
 * What a migration has to say to each of its rollouts now. Those that wait for nothing may all start in the same step: no
 * limit is broken by it. Pure and deterministic.
 *
 * Room is given in the order of the waves, of criticality, of the list. Whoever cannot use it, because a person paused it
 * or a workload of its `after` has not baked, comes after those who can, or a limit of one would wait for ever.
 *
 * @param members rollouts; those of other migrations are left out
 * @param signals the newest readings; one that is not there was not read yet
 */
export function fleetReadings(
  plan: FleetPlan,
  members: readonly Member[],
  signals: readonly SignalReading[],
  nowMs: number,
): ReadonlyMap<string, FleetReading> {
  const own = membersOf(plan, members)
  const verdicts = judgeSignals(plan, own, signals, nowMs).filter(isJudged)
  const reverts = revertsOf(own.map(({ state }) => state))
  const waits = admissions(plan, own, verdicts, reverts, nowMs)
  return new Map(
    own.map(({ state }) => {
      const { workload, judgeSinceMs, phase } = state
      const breaker = revertOf(state) === null ? judgeBreaker(plan.breaker, reverts, judgeSinceMs) : null
      const waitsFor =
        isUnderWay(phase) || hasBaked(phase.name)
          ? null
          : waits.has(workload)
            ? (waits.get(workload) ?? null)
            : 'it is in no wave of the config in force'
      return [workload, { waitsFor, verdicts: breaker === null ? verdicts : [...verdicts, breaker] }]
    }),
  )
}

/** The rollouts of this migration. */
export function membersOf(plan: FleetPlan, members: readonly Member[]): readonly Member[] {
  return members.filter((member) => member.plan.migration === plan.migration)
}

/** One verdict a signal, in the plan's order. */
export function judgeSignals(
  plan: FleetPlan,
  own: readonly Member[],
  readings: readonly SignalReading[],
  nowMs: number,
): readonly Verdict[] {
  const serving = servingOf(own)
  const readingOf = ({ id }: Signal) => readings.find((reading) => reading.id === id) ?? null
  return plan.signals.map((signal) => judgeSignal(signal, readingOf(signal), serving, plan.clusters, nowMs))
}

/** Which cluster the workloads' users are served by: NEW only once a weight is in force there. */
export function servingOf(own: readonly Member[]): Serving {
  return {
    old: own.some(({ state }) => (state.confirmedWeightPercent ?? 0) < 100),
    new: own.some(
      ({ state: { intendedWeightPercent, inForceAtMs, phase } }) =>
        intendedWeightPercent > 0 && (inForceAtMs !== null || hasBaked(phase.name)),
    ),
  }
}

/** Who stands where, as it becomes while room is given. */
interface Round {
  readonly plan: FleetPlan
  readonly waves: readonly WaveSight[]
  /** Names. */
  readonly underWay: string[]
  lastStart: { readonly workload: string; readonly atMs: number } | null
  /** What stops every start; null: nothing. */
  readonly trouble: string | null
  readonly reverts: readonly Reverted[]
  readonly nowMs: number
}

interface WaveSight {
  readonly wave: Wave
  readonly underWay: string[]
  readonly reverted: readonly string[]
  readonly baked: number
  /** Names of those that have to bake yet. */
  readonly unfinished: readonly string[]
}

/** Who may start beside those that may: by workload, why not, or null. */
function admissions(
  plan: FleetPlan,
  own: readonly Member[],
  verdicts: readonly Verdict[],
  reverts: readonly Reverted[],
  nowMs: number,
): ReadonlyMap<string, string | null> {
  const byName = new Map(own.map((member) => [member.state.workload, member]))
  const waves = plan.waves.map((wave) => sightOf(wave, byName))
  const starts = own.flatMap(({ state }) => startOf(state) ?? [])
  const troubled = verdicts.filter(({ outcome }) => outcome !== 'pass').map(({ sentence }) => sentence)
  const round: Round = {
    plan,
    waves,
    underWay: own.filter(({ state }) => isUnderWay(state.phase)).map(({ state }) => state.workload),
    lastStart: starts.reduce<Round['lastStart']>((a, b) => (a !== null && a.atMs >= b.atMs ? a : b), null),
    trouble: troubled.length === 0 ? null : troubled.join('; '),
    reverts,
    nowMs,
  }
  const candidates = waves.flatMap(({ wave }, waveIndex) =>
    byCriticality(wave.members).flatMap(({ workload }) => {
      const member = byName.get(workload)
      return member && mayStart(member.state.phase) ? [{ member, waveIndex, rank: rankOf(member, byName) }] : []
    }),
  )
  const reasons = new Map<string, string | null>()
  for (const { member, waveIndex } of candidates.toSorted((a, b) => a.rank - b.rank)) {
    const { workload } = member.state
    const reason = reasonAgainst(round, member.state, waveIndex)
    reasons.set(workload, reason)
    if (reason !== null) continue
    round.underWay.push(workload)
    waves[waveIndex]?.underWay.push(workload)
    round.lastStart = { workload, atMs: nowMs }
  }
  return reasons
}

function byCriticality(members: readonly WaveMember[]): readonly WaveMember[] {
  return members.toSorted((a, b) => a.criticality - b.criticality)
}

function mayStart({ name }: Phase): boolean {
  return name === 'waiting' || name === 'reverted' || name === 'cancelled'
}

/** 0: it starts when it may; 1: something of its own keeps it; 2: it has ended, and a person may retry it in this step. */
function rankOf({ state, plan }: Member, byName: ReadonlyMap<string, Member>): number {
  if (state.phase.name !== 'waiting') return 2
  const isHeld = state.holds.some(({ cause }) => cause !== 'dependency' && cause !== 'window')
  const isAfter = plan.after.some((name) => !hasBaked(byName.get(name)?.state.phase.name ?? 'waiting'))
  return isHeld || isAfter ? 1 : 0
}

function sightOf(wave: Wave, byName: ReadonlyMap<string, Member>): WaveSight {
  const phases = wave.members.map(({ workload }) => ({ workload, phase: byName.get(workload)?.state.phase ?? null }))
  const named = (is: (phase: Phase) => boolean) =>
    phases.filter(({ phase }) => phase !== null && is(phase)).map(({ workload }) => workload)
  return {
    wave,
    underWay: named(isUnderWay),
    reverted: named(({ name }) => name === 'reverted'),
    baked: named(({ name }) => hasBaked(name)).length,
    unfinished: phases
      .filter(({ phase }) => phase === null || !(hasBaked(phase.name) || phase.name === 'cancelled'))
      .map(({ workload }) => workload),
  }
}

function startOf({ workload, startedAtMs, phase, phaseSinceMs }: Standing): Round['lastStart'] {
  if (startedAtMs !== null) return { workload, atMs: startedAtMs }
  return phase.name === 'preflight' ? { workload, atMs: phaseSinceMs } : null
}

function reasonAgainst(round: Round, state: Standing, waveIndex: number): string | null {
  const { plan, waves, underWay, reverts, trouble } = round
  const breaker = judgeBreaker(plan.breaker, reverts, state.judgeSinceMs)
  if (breaker !== null) return `${breaker.sentence}: nothing starts until they are retried or cancelled`
  if (trouble !== null) return trouble
  const earlier = waves.slice(0, waveIndex).find(({ unfinished }) => unfinished.length > 0)
  if (earlier) return waveReason(earlier)
  const own = waves[waveIndex]
  if (!own) return null
  return (
    (plan.canaryFirst ? canaryReason(own, state.workload) : null) ??
    crowdReason(own.wave.concurrency, own.underWay, ` of wave ${own.wave.name}`) ??
    crowdReason(plan.concurrency, underWay, '') ??
    spacingReason(round)
  )
}

function waveReason({ wave, unfinished, reverted }: WaveSight): string {
  const done = `${wave.members.length - unfinished.length} of ${wave.members.length} workloads are done`
  const stuck = reverted.length > 0 ? `; ${listed(reverted)} reverted: retry or cancel` : ''
  return `wave ${wave.name} comes first: ${done}, not ${listed(unfinished)}${stuck}`
}

function canaryReason({ wave, underWay, reverted, baked }: WaveSight, workload: string): string | null {
  if (baked > 0) return null
  const ahead = [...underWay, ...reverted].filter((name) => name !== workload)
  if (ahead.length === 0) return null
  const stuck = reverted.length > 0 ? `; ${listed(reverted)} reverted: retry or cancel` : ''
  return `the canary of wave ${wave.name} must have baked: ${listed(ahead)}${stuck}`
}

function crowdReason(limit: number | null, underWay: readonly string[], where: string): string | null {
  if (limit === null || underWay.length < limit) return null
  return `${underWay.length} of ${limit} workloads${where} are under way: ${listed(underWay)}`
}

function spacingReason({ plan: { spacingSeconds }, lastStart, nowMs }: Round): string | null {
  if (lastStart === null) return null
  const leftSeconds = spacingSeconds - (nowMs - lastStart.atMs) / 1000
  if (leftSeconds <= 0) return null
  return `the next start is in ${formatSpan(leftSeconds)}: ${formatSpan(spacingSeconds)} lie between two, and ${lastStart.workload} was the last`
}

function listed(names: readonly string[]): string {
  const told = names.slice(0, NAMES_TOLD).join(', ')
  return names.length > NAMES_TOLD ? `${told} and ${names.length - NAMES_TOLD} more` : told
}
