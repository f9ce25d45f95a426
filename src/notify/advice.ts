import type { EventBody, EventType } from '../core/event.ts'
import { formatPercent } from '../core/format.ts'
import type { HoldCause } from '../core/state.ts'

/** What Headgate did about an event, what a person may do, and the heading of docs/notify.md that has more. */
export interface Advice {
  readonly did: string
  readonly next: string
  /** Anchor in the runbook; null: there is nothing to look up. */
  readonly topic: string | null
}

/** Advice on an event. `NAME` in it stands for the workload. */
export function adviceOn(event: EventBody): Advice {
  if (event.type === 'hold-added') return BY_HOLD[event.hold.cause]
  const entry = BY_TYPE[event.type] as Advice | ((body: EventBody) => Advice) | undefined
  return (typeof entry === 'function' ? entry(event) : entry) ?? NOTHING
}

const NOTHING: Advice = { did: 'Noted it in the journal', next: 'Nothing needs to be done', topic: null }

const STAYS = 'Does not raise the weight; what is on new stays there'

const BY_HOLD: Readonly<Record<HoldCause, Advice>> = {
  paused: { did: STAYS, next: '`headgate resume NAME` when whoever paused it agrees', topic: 'paused' },
  halted: {
    did: 'Halted: the weight stays where it is, and is still judged; worse evidence reverts it',
    next: 'Look at the evidence; then `headgate resume NAME`, or `headgate revert NAME`',
    topic: 'halted',
  },
  alert: {
    did: 'Halted by an alert: the weight stays where it is, and is still judged',
    next: 'See to the alert; then `headgate resume NAME`, or `headgate revert NAME`; it may go on by itself where the route says `resolved: clear`',
    topic: 'alert',
  },
  blind: {
    did: 'Does not raise the weight while data is missing; it does not revert on a gap alone',
    next: 'Bring the metric source back: `headgate doctor` names what does not answer',
    topic: 'blind',
  },
  window: { did: STAYS, next: 'Nothing: it goes on when the window opens', topic: 'window' },
  approval: {
    did: 'Waits for a person before the next step',
    next: 'Look at `headgate status NAME`, then `headgate approve NAME`, or `headgate revert NAME`',
    topic: 'approval',
  },
  dependency: { did: STAYS, next: 'See to the workload that it waits for', topic: 'dependency' },
  capacity: { did: STAYS, next: 'Scale up the side that is short of replicas', topic: 'capacity' },
  drift: {
    did: 'Found a weight that it did not write, and leaves it there',
    next: 'Find out who wrote it; then `headgate retry NAME` writes the intended one again',
    topic: 'drift',
  },
  'unknown-weight': {
    did: 'Found traffic on new that its store knows nothing of, and leaves it there: neither raises nor reverts',
    next: '`headgate adopt NAME` goes on from that weight, `headgate revert NAME` brings the traffic back',
    topic: 'unknown-weight',
  },
  budget: { did: STAYS, next: 'Wait for the error budget, or revert', topic: 'budget' },
  check: { did: STAYS, next: 'Mend what the check names; it goes on by itself', topic: 'check' },
  hook: {
    did: STAYS,
    next: 'See why the hook failed; then `headgate retry NAME` has it done again',
    topic: 'hook',
  },
}

type BodyOf<T extends EventType> = Extract<EventBody, { type: T }>
type Entries = { readonly [T in EventType]?: Advice | ((event: BodyOf<T>) => Advice) }

const BY_TYPE: Entries = {
  'controller-stopped': {
    did: 'Left all weights where they are; nobody watches them now',
    next: 'Start it again soon: nothing is reverted until then',
    topic: 'headgate-stopped',
  },
  'config-rejected': {
    did: 'Goes on with the config that it had',
    next: 'Mend it: `headgate validate FILE` names every mistake',
    topic: 'config-refused',
  },
  'weight-reasserted': {
    did: 'Wrote the intended weight again',
    next: 'Find out who else writes it',
    topic: 'drift',
  },
  'weight-adopted': {
    did: 'Takes the weight that it found as its own; evidence and hold time begin anew',
    next: 'Watch `headgate status NAME`',
    topic: 'unknown-weight',
  },
  'write-failed': {
    did: 'Tries again; a revert without end',
    next: 'Look at the provider and the credentials; if it is urgent, set the weight by hand to the one named',
    topic: 'write-fails',
  },
  'revert-started': (e) => ({
    did: `Sends the traffic back: ${formatPercent(e.toPercent)} is being written`,
    next: 'Watch `headgate status NAME` until it is confirmed; then find the cause in new',
    topic: 'reverted',
  }),
  'revert-confirmed': {
    did: 'Read the safe weight back from every target',
    next: 'Find the cause in new; then `headgate retry NAME` starts anew',
    topic: 'reverted',
  },
  'revert-refused': {
    did: 'Halted instead of reverting, as old would not be the better place',
    next: 'Decide: repair old, or `headgate revert NAME --force`',
    topic: 'revert-refused',
  },
  'blind-too-long': {
    did: 'Keeps the weight; nothing is raised, and without data nothing is reverted either',
    next: 'Bring the metric source back, or `headgate revert NAME` if you do not trust new',
    topic: 'blind',
  },
  'share-stuck': {
    did: 'Waits: the step does not count while new serves another share than is written',
    next: 'Look for resolvers, clients or kept-alive connections that do not follow',
    topic: 'stuck',
  },
  'hold-removed': { did: 'May go on', next: 'Nothing needs to be done', topic: null },
  'command-refused': { did: 'Did nothing', next: 'The reason says what would let it through', topic: null },
  'check-changed': (e) => ({
    did: 'Noted it; where the policy says so, it holds',
    next: e.hint === null ? 'See `headgate preflight` for all checks' : `To mend it: ${e.hint}`,
    topic: 'check',
  }),
  'task-ended': (e) =>
    e.outcome === 'passed'
      ? NOTHING
      : { did: 'Follows the policy: it holds, reverts or goes on', next: 'See why the hook failed', topic: 'hook' },
  'old-quiet': {
    did: 'Saw old stay quiet for the whole drain time',
    next: '`headgate decommission NAME` says whether old may go',
    topic: null,
  },
  'old-not-quiet': {
    did: 'Begins the drain time anew',
    next: '`headgate decommission NAME` says whose the requests are',
    topic: null,
  },
  'clock-gap': { did: 'Does not count that time', next: 'Check NTP, and what stopped this process', topic: null },
}

/** All anchors that notifications may lead to. */
export const TOPICS: readonly string[] = [
  ...new Set([
    ...Object.values(BY_HOLD).flatMap(({ topic }) => topic ?? []),
    ...['headgate-stopped', 'config-refused', 'write-fails', 'reverted', 'revert-refused', 'stuck'],
  ]),
]
