import { ALERTMANAGER } from '../core/alerts.ts'
import type { Effect, TaskRequest } from '../core/effect.ts'
import type { HeadgateEvent } from '../core/event.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { Fact, WorkloadFact, WriteReport } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import { judgesGates, type RolloutState } from '../core/state.ts'
import { step } from '../core/step.ts'
import { unreachable } from '../core/unreachable.ts'
import type { Book } from './book.ts'
import type { FleetSight, Observer } from './observe.ts'

/** What the gates said; `anew`: what they say of the committed state and the newest readings, as long as each step judges them. */
export type Said = readonly Verdict[] | 'anew'

/** What a round of thinking came to, to be committed whole. */
export interface Thought {
  readonly states: readonly RolloutState[]
  /** By workload, of those that were judged. Never stored. */
  readonly verdicts: ReadonlyMap<string, Said>
  readonly plans: readonly Plan[]
  readonly events: readonly HeadgateEvent[]
  readonly consumedFactIds: readonly string[]
  readonly writes: readonly WriteReport[]
  /** By workload, for every workload that was stepped: its targets, and what is to be written to them. */
  readonly demands: readonly { readonly targetIds: readonly string[]; readonly effects: readonly Effect[] }[]
  /** Of all of them, to be begun after the commit. */
  readonly tasks: readonly TaskRequest[]
}

export interface ThinkInput {
  readonly book: Book
  readonly observer: Observer
  /** Those with facts are due in any case. */
  readonly workloads: readonly string[]
  /** What the migrations as wholes say. */
  readonly fleet: FleetSight
  readonly facts: readonly Fact[]
  readonly runId: string
  readonly nowMs: number
  readonly sweepSeconds: number
}

/** Steps every due rollout once. Pure but for what the observer remembers. */
export function think(input: ThinkInput): Thought {
  const { book, observer, fleet, facts, nowMs, sweepSeconds } = input
  const factsOf = Map.groupBy(facts.filter(isOfWorkload), ({ workload }) => workload)
  const thought = {
    states: [] as RolloutState[],
    verdicts: new Map<string, Said>(),
    plans: [] as Plan[],
    events: [] as HeadgateEvent[],
    writes: [] as WriteReport[],
    demands: [] as Thought['demands'][number][],
    tasks: [] as TaskRequest[],
  }
  // One after the other: what was observed of all of them at once would be most of the memory.
  for (const workload of new Set([...input.workloads, ...workloadsOf(facts)])) {
    const subject = book.subject(workload)
    if (subject === null) continue
    const { state, plan } = subject
    const observation = observer.observationOf(subject, factsOf.get(plan.workload) ?? [], fleet)
    const result = step({ ...subject, observation, nowMs, sweepSeconds })
    thought.states.push(result.state)
    const said = judgesGates(result.state.phase) ? 'anew' : result.verdicts
    if (result.verdicts !== null && said !== null) thought.verdicts.set(plan.workload, said)
    if (state.planHash === null && result.state.planHash !== null) thought.plans.push(plan)
    thought.events.push(...result.events)
    thought.writes.push(...observation.writes)
    thought.demands.push({ targetIds: plan.targets.map(({ id }) => id), effects: result.effects })
    thought.tasks.push(...result.tasks)
  }
  const orphans = facts.filter(({ workload }) => workload === null || book.planFor(workload) === null)
  thought.events.push(...orphans.map((fact) => answer(fact, input)))
  return { ...thought, consumedFactIds: facts.map(({ id }) => id) }
}

function workloadsOf(facts: readonly Fact[]): readonly string[] {
  return facts.flatMap(({ workload }) => workload ?? [])
}

function isOfWorkload(fact: Fact): fact is WorkloadFact {
  return fact.workload !== null
}

/** A fact that no workload takes in is told, not dropped. */
function answer(fact: Fact, { runId, nowMs }: ThinkInput): HeadgateEvent {
  const { id: factId, kind, workload } = fact
  const head = { atMs: nowMs, runId, workload }
  const gone = `no workload "${workload}"`
  switch (kind) {
    case 'command': {
      const { command, reason, actor } = fact
      const refused = problem('API_NOT_FOUND', gone).toJSON()
      return { ...head, actor, type: 'command-refused', factId, command, reason, problem: refused }
    }
    case 'alert': {
      const { alert } = fact
      return { ...head, actor: ALERTMANAGER, type: 'alert-unmatched', factId, alert, labels: {}, reason: gone }
    }
    case 'unmatched-alert': {
      const { alert, labels, reason } = fact
      return { ...head, actor: ALERTMANAGER, type: 'alert-unmatched', factId, alert, labels, reason }
    }
    default:
      return unreachable(kind)
  }
}
