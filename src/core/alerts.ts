import { askRevert } from './asked-revert.ts'
import { change, type Draft, emit, hold, unhold } from './draft.ts'
import { hasFoundTraffic } from './found.ts'
import type { Alert, RoutedAlert } from './observation.ts'
import { hasHold, isTerminal } from './state.ts'
import { unreachable } from './unreachable.ts'

/** The actor of what an alert brought about. */
export const ALERTMANAGER = 'alertmanager'

/** Alerts that a hold's detail names; the others are counted. */
const NAMED = 3

/** Alerts that a hold follows: so many fit into a state that is written at every sweep. */
const FOLLOWED = 20
/** Stands for those beyond: that they are all over is never known, so a person resumes. No alert has its fingerprint. */
const BEYOND: Alert = { fingerprint: '', startsAtMs: 0, sentence: `more than ${FOLLOWED} alerts at once` }

/** Takes in an alert that began or ended: what came of it is journaled, also when it is nothing. */
export function takeAlert(draft: Draft, fact: RoutedAlert): void {
  const { id: factId, alert, status, action } = fact
  const firstConsequence = draft.events.length
  const outcome = status === 'resolved' ? clear(draft, alert) : ACTIONS[action](draft, fact)
  emit(draft, { type: 'alert-taken', factId, alert, status, action, outcome }, ALERTMANAGER)
  // The journal tells the alert before what came of it.
  draft.events.splice(firstConsequence, 0, ...draft.events.splice(-1))
}

const ACTIONS: { readonly [Action in RoutedAlert['action']]: (draft: Draft, fact: RoutedAlert) => string } = {
  halt,
  revert,
}

function halt(draft: Draft, { alert }: RoutedAlert): string {
  const { phase } = draft.state
  if (isTerminal(phase) || phase.name === 'reverting') return `nothing, it is ${phase.name}`
  holdFor(draft, alert)
  return 'it holds'
}

/** As for a person, OLD is asked first; where it cannot take the traffic, or has it all, the alert holds. */
function revert(draft: Draft, { alert, concerns }: RoutedAlert): string {
  const { name } = draft.state.phase
  switch (name) {
    case 'reverting':
    case 'completed':
    case 'reverted':
    case 'cancelled':
      return `nothing, it is ${name}`
    case 'waiting':
    case 'preflight':
    case 'preparing':
      if (hasFoundTraffic(draft)) break
      holdFor(draft, alert)
      return 'it holds, before any traffic has moved'
    case 'stepping':
    case 'baking':
    case 'draining':
      break
    default:
      return unreachable(name)
  }
  const reason = `alert ${alert.sentence}`
  const refusal =
    concerns === 'old' ? 'it is about old, which a revert would send the traffic to' : refusalOf(draft, reason)
  if (refusal === null)
    return draft.state.askedRevert === null ? 'it reverts' : 'it reverts as soon as OLD is scaled up'
  emit(draft, { type: 'revert-refused', reason: `${reason}; but ${refusal}`, evidence: [] }, ALERTMANAGER)
  holdFor(draft, alert)
  return concerns === 'old' ? 'it holds, since it is about OLD' : 'it holds, since OLD cannot take the traffic'
}

/** Asks for the revert; null: it is done, or will be. */
function refusalOf(draft: Draft, reason: string): string | null {
  return askRevert(draft, reason, ALERTMANAGER)?.message ?? null
}

/** A hold of its own cause: that the alert is over must clear nothing that a gate or a person holds. */
function holdFor(draft: Draft, alert: Alert): void {
  const before = holding(draft)
  const known = before.find(({ fingerprint }) => fingerprint === alert.fingerprint)
  // Told late: it has fired again since.
  if (known && known.startsAtMs > alert.startsAtMs) return
  const others = before.filter((one) => one !== known)
  const beyond = others.some(({ fingerprint }) => fingerprint === BEYOND.fingerprint) ? [] : [BEYOND]
  nameAlerts(draft, [...others, ...(others.length < FOLLOWED ? [alert] : beyond)])
}

/** The last alert that is over ends the hold; the step's hold time is earned again. */
function clear(draft: Draft, { fingerprint, startsAtMs, sentence }: Alert): string {
  const before = holding(draft)
  const rest = before.filter((alert) => alert.fingerprint !== fingerprint || alert.startsAtMs > startsAtMs)
  if (rest.length === before.length) return 'nothing, it holds nothing'
  if (rest.length > 0) {
    nameAlerts(draft, rest)
    return 'other alerts still hold'
  }
  change(draft, { alerts: [], heldMs: 0 })
  unhold(draft, 'alert', `resolved: ${sentence}`, ALERTMANAGER)
  return 'its hold is over, and the hold time begins anew'
}

function holding({ state }: Draft): readonly Alert[] {
  return hasHold(state, 'alert') ? state.alerts : []
}

function nameAlerts(draft: Draft, alerts: readonly Alert[]): void {
  const more = alerts.length > NAMED ? `; and ${alerts.length - NAMED} more` : ''
  const named = alerts.slice(0, NAMED).map(({ sentence }) => sentence)
  change(draft, { alerts })
  hold(draft, 'alert', `firing: ${named.join('; ')}${more}`, [], ALERTMANAGER)
}
