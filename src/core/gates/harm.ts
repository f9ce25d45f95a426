import { formatCount, formatNumber, formatShare } from '../format.ts'
import { addCounts, type Counts, NO_COUNTS, rateOf } from '../observation.ts'
import type { Allowance, HarmGate, Sides } from '../plan.ts'
import type { HarmState } from '../state.ts'
import { alternatives, evidenceOf, type HarmRule, raise } from './harm-test.ts'
import { NO_RESTARTS, restart, type Stage } from './restarts.ts'
import { type Verb, type Verdict, verdictOf } from './verdict.ts'

/**
 * Most is staked on faults of some 7 times what is allowed: greater ones are caught in a tick or two anyhow, and smaller
 * ones cost little while they last.
 */
const RELATIVE = alternatives([2, 0.03], [3.5, 0.1], [7, 0.72], [20, 0.1], [60, 0.05])

const ABSOLUTE = alternatives([1.25, 0.2], [2, 0.2], [4, 0.2], [10, 0.2], [40, 0.2])

/**
 * Evidence below this speaks no more against NEW than for it: what came before is not what a later alarm is about. Where
 * OLD serves little the evidence hardly falls, so less would never be quiet there.
 */
const QUIET = 1
/** Less than this many times worse is told as equally bad. */
const WORSE = 1.05

/** One more tick for a gate's tests. */
export interface TestTick {
  readonly atMs: number
  readonly counts: Sides<Counts>
  readonly stage: Stage
  /** Overdispersion, taken over when a stage begins. */
  readonly phi: number
}

/** The gate's tests after one more tick. O(alternatives). */
export function weighHarm(gate: HarmGate, before: HarmState | null, tick: TestTick): HarmState {
  const { share, restarts } = restart(before?.restarts ?? NO_RESTARTS, tick.stage)
  const phi = before && before.restarts.stage === tick.stage.index ? before.phi : tick.phi
  const look = { counts: tick.counts, share, dispersion: phi }
  const rules = rulesOf(gate)
  const revert = raise(before?.revert ?? [], rules.revert, look)
  const halt = raise(before?.halt ?? [], rules.halt, look)
  const absolute = raise(before?.absolute ?? [], rules.absolute, look)
  const against = {
    revert: rounded(evidenceOf(revert, rules.revert, restarts.spent)),
    halt: rounded(evidenceOf(halt, rules.halt, restarts.spent)),
    absolute: rounded(evidenceOf(absolute, rules.absolute, restarts.spent)),
  }
  // What restarts have not taken yet speaks for nobody.
  const isQuiet = Math.max(against.halt, against.absolute) - (1 - restarts.spent) < QUIET
  const run = before?.run ?? { old: NO_COUNTS, new: NO_COUNTS }
  return {
    kind: 'harm',
    untilMs: tick.atMs,
    restarts,
    phi,
    revert,
    halt,
    absolute,
    against,
    run: isQuiet ? { old: NO_COUNTS, new: NO_COUNTS } : addSides(run, tick.counts),
  }
}

/** What the gate's tests say of NEW. `verb` tells what a bad event is. */
export function judgeHarm(gate: HarmGate, state: HarmState, verb: Verb): Verdict {
  const { run, phi, against } = state
  const evidence = {
    newRequests: run.new.total,
    newBad: run.new.bad,
    oldRequests: run.old.total,
    oldBad: run.old.bad,
    revertEvidence: against.revert,
    revertNeeds: 1 / gate.revert.alpha,
    haltEvidence: against.halt,
    haltNeeds: 1 / gate.halt.alpha,
    absoluteEvidence: against.absolute,
    absoluteNeeds: 1 / gate.absolute.alpha,
    dispersion: phi,
  }
  const verdict = verdictOf(gate.id)
  const [name, events] = 'sli' in gate.of ? [gate.of.sli, 'requests'] : [`probe ${gate.of.probe}`, 'rounds']
  if (against.revert >= 1 / gate.revert.alpha)
    return verdict(gate.worst, `${name}: ${compared(run, verb, events)}${sure(against.revert)}`, evidence)
  if (against.halt >= 1 / gate.halt.alpha)
    return verdict('halt', `${name}: ${compared(run, verb, events)}${sure(against.halt)}`, evidence)
  if (against.absolute < 1 / gate.absolute.alpha)
    return verdict('pass', `${name}: nothing shows new to be worse than old`, evidence)
  const isShared = rateOf(run.old) >= gate.absolute.margin / 2
  const cause = isShared
    ? 'both fail beyond the objective: a shared dependency, which a revert would not mend'
    : `more than the ${formatShare(gate.absolute.margin)} that is allowed whatever old does`
  return verdict('halt', `${name}: ${compared(run, verb, events)}; ${cause}${sure(against.absolute)}`, {
    ...evidence,
    cause: isShared ? 'shared-dependency' : 'objective',
  })
}

/** True when the gate's own test has proven OLD better. */
export function provesOldBetter(gate: HarmGate, { against }: HarmState): boolean {
  return against.revert >= 1 / gate.revert.alpha
}

/** True when the gate's own test shows OLD better, as strongly as a halt needs. */
export function showsOldBetter(gate: HarmGate, state: HarmState): boolean {
  return state.against.halt >= 1 / gate.halt.alpha || provesOldBetter(gate, state)
}

/** The tests that the gate makes. */
export function rulesOf(gate: HarmGate): Readonly<Record<'revert' | 'halt' | 'absolute', HarmRule>> {
  return { revert: relative(gate.revert), halt: relative(gate.halt), absolute: absoluteRule(gate.absolute) }
}

function relative({ ratio, margin }: Allowance): HarmRule {
  return { ratio, margin, alternatives: RELATIVE }
}

function absoluteRule({ margin }: Allowance): HarmRule {
  return { ratio: 0, margin, alternatives: ABSOLUTE }
}

/** Downwards, so that what is stored never says more than was found. */
export function rounded(evidence: number): number {
  return Math.floor(evidence * 1000) / 1000
}

function addSides(a: Sides<Counts>, b: Sides<Counts>): Sides<Counts> {
  return { old: addCounts(a.old, b.old), new: addCounts(a.new, b.new) }
}

function compared({ new: fresh, old }: Sides<Counts>, verb: Verb, events: string): string {
  const told = `new ${verb} ${formatShare(rateOf(fresh))} of ${formatCount(fresh.total)} ${events}`
  if (old.total === 0) return `${told}, old serves none to compare with`
  const times = old.bad === 0 ? null : rateOf(fresh) / rateOf(old)
  return `${told}, old ${formatShare(rateOf(old))}${times === null || times < WORSE ? '' : `: ${formatNumber(times)} times worse`}`
}

/** How seldom chance alone would say so, in two digits, and never more seldom than it is. */
export function sure(evidence: number): string {
  const most = Math.min(1e6, evidence)
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(most)) - 1)
  return `; a false alarm this strong happens in fewer than 1 of ${formatCount(Math.floor(most / unit) * unit)} rollouts`
}
