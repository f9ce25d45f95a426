import { followBlindness, missingTargets } from './blind.ts'
import { oldCapacity, shortness } from './capacity.ts'
import { type Draft, emit, hold, note } from './draft.ts'
import { judge, oldFitness } from './gates/judge.ts'
import { type Verdict, worse } from './gates/verdict.ts'
import { startRevert } from './intend.ts'
import { replayClause } from './replay.ts'
import { judgesGates, type RolloutState } from './state.ts'
import { verdictNews } from './verdict-news.ts'

type Outcomes = RolloutState['outcomes']

/** What every gate and the migration as a whole say of this state and these readings; empty where no gate is judged. */
export function verdictsOn(subject: Pick<Draft, 'plan' | 'state' | 'observation'>): readonly Verdict[] {
  const { plan, state, observation } = subject
  return judgesGates(state.phase) ? [...judge(plan, state, observation), ...fleetVerdicts(subject)] : []
}

/** Judges every gate, tells what changed, and acts on harm and on missing data. True: a revert has started. */
export function judgeAll(draft: Draft): boolean {
  const before = draft.state.outcomes
  const verdicts = verdictsOn(draft)
  note(draft, verdicts)
  for (const news of verdictNews(before, verdicts)) emit(draft, news)
  const blind = verdicts.filter(({ outcome }) => outcome === 'blind').map(({ sentence }) => sentence)
  // Gates of one SLI say the same of it.
  const replay = replayClause(draft.state, draft.nowMs) ?? []
  followBlindness(draft, [...missingTargets(draft), ...new Set(blind)].concat(replay))
  return actOnHarm(draft, before, verdicts)
}

/**
 * What is said of the migration as a whole. It was judged before this step took in a person's resume: what happened before
 * that, and is all that a verdict rests on, that person has seen.
 */
export function fleetVerdicts({ observation, state }: Pick<Draft, 'observation' | 'state'>): readonly Verdict[] {
  return observation.fleet.verdicts.filter(
    ({ evidence: { newestAtMs } }) => typeof newestAtMs !== 'number' || newestAtMs > state.judgeSinceMs,
  )
}

function actOnHarm(draft: Draft, before: Outcomes, verdicts: readonly Verdict[]): boolean {
  const worst = verdicts.reduce((sum, verdict) => worse(sum, verdict.outcome), 'pass' as Verdict['outcome'])
  if (worst !== 'halt' && worst !== 'revert') return false
  const accusing = verdicts.filter(({ outcome }) => outcome === worst)
  const reason = accusing.map(({ sentence }) => sentence).join('; ')
  if (worst === 'halt') {
    hold(draft, 'halted', reason, accusing)
    return false
  }
  // A revert moves users onto OLD: first ask whether OLD is the better place.
  const fitness = oldFitness(
    draft.plan,
    draft.state,
    draft.observation,
    accusing.map(({ gate }) => gate),
  )
  const capacity = fitness.kind === 'fit' ? oldCapacity(draft) : null
  if (capacity !== null && capacity.kind !== 'short') {
    startRevert(draft, reason, accusing)
    return true
  }
  const refusal = `${reason}; but ${capacity === null ? fitness.sentence : shortness(capacity)}`
  const isNew = accusing.some(({ gate }) => before[gate] !== 'revert')
  if (isNew) emit(draft, { type: 'revert-refused', reason: refusal, evidence: accusing })
  hold(draft, 'halted', refusal, accusing)
  return false
}
