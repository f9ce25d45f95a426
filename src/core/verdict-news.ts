import type { EventBody, SightChange } from './event.ts'
import type { Outcome, Verdict } from './gates/verdict.ts'
import type { RolloutState } from './state.ts'

interface Change {
  readonly from: Outcome | null
  readonly verdict: Verdict
}

type VerdictNews = Extract<EventBody, { type: 'verdict-changed' | 'sight-changed' }>

/**
 * What gates say that they did not say before. Where several of them go blind, or see again, that is one event: a source that is
 * away blinds all gates of all workloads at once, and whoever reads the journal then looks for the cause, not for a row each.
 */
export function verdictNews(before: RolloutState['outcomes'], verdicts: readonly Verdict[]): readonly VerdictNews[] {
  const changes = verdicts
    .map((verdict): Change => ({ from: before[verdict.gate] ?? null, verdict }))
    .filter(({ from, verdict }) => from !== verdict.outcome && isNews(from, verdict.outcome))
  const ofSight = changes.filter(isOfSight)
  const alone = ofSight.length > 1 ? changes.filter((one) => !isOfSight(one)) : changes
  return [
    ...(ofSight.length > 1 ? [{ type: 'sight-changed', changes: alikeTogether(ofSight) } as const] : []),
    ...alone.map((change) => ({ type: 'verdict-changed', ...change }) as const),
  ]
}

/** That a gate begins to wait or to pass goes without saying: the step that it lets through tells all its reasons. */
function isNews(from: Outcome | null, to: Outcome): boolean {
  return isTrouble(from) || isTrouble(to) || (from === 'pass' && to === 'wait')
}

function isTrouble(outcome: Outcome | null): boolean {
  return outcome !== null && outcome !== 'wait' && outcome !== 'pass'
}

/** Harm that comes to light, or is hidden, has a row of its own. */
function isOfSight({ from, verdict: { outcome } }: Change): boolean {
  return outcome === 'blind' ? from === null || !isTrouble(from) : from === 'blind' && !isTrouble(outcome)
}

function alikeTogether(changes: readonly Change[]): readonly SightChange[] {
  const alike = Map.groupBy(changes, ({ verdict: { outcome, evidence, sentence } }) =>
    JSON.stringify([outcome, evidence, sentence]),
  )
  return [...alike.values()].flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    const { outcome, evidence, sentence } = first.verdict
    const from = Object.fromEntries(same.map((one) => [one.verdict.gate, one.from]))
    return [{ from, outcome, evidence, sentence }]
  })
}
