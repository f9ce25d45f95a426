import { initialState } from '../core/initial.ts'
import type { Plan } from '../core/plan.ts'
import { isAtRest, type PhaseName, partsOf, type RolloutState, type Standing } from '../core/state.ts'
import type { PlansByHash, Snapshot } from '../ports/store.ts'
import type { Subject } from './observe.ts'
import { Tallies } from './tallies.ts'
import type { Said } from './think.ts'

/** The rollouts as last committed, and the plan of each. */
export class Book {
  revision = 0
  private readonly standings = new Map<string, Standing>()
  private readonly tallies = new Tallies()
  /** What the gates said last, by workload. It is not stored: after a load it is unknown until they are judged again. */
  private readonly verdicts = new Map<string, Said>()
  private readonly pinned = new Map<string, Plan>()
  private configured = new Map<string, Plan>()
  /** As long as nothing has changed: a sweep asks for them several times. */
  private listed: readonly Subject<Standing>[] | null = null

  /** The plans that are here, and these, by hash. */
  known(plans: readonly Plan[]): PlansByHash {
    const configured = [...this.configured.values(), ...plans]
    return new Map([...this.pinned, ...configured.map((plan) => [plan.hash, plan] as const)])
  }

  /** Takes over what the store holds. */
  load({ revision, rollouts, plans }: Snapshot): void {
    this.revision = revision
    this.standings.clear()
    this.tallies.clear()
    this.verdicts.clear()
    this.listed = null
    for (const state of rollouts) this.keep(state)
    // A hash names one plan: of two that are equal one is kept, and most often the config has it already.
    const known = new Map([...this.configured.values()].map((plan) => [plan.hash, plan]))
    for (const [hash, plan] of plans) this.pinned.set(hash, known.get(hash) ?? plan)
  }

  /** Takes a new config's plans; rollouts under way keep theirs. */
  configure(plans: readonly Plan[]): void {
    this.configured = new Map(plans.map((plan) => [plan.workload, plan]))
    this.listed = null
    for (const plan of plans) if (this.pinned.has(plan.hash)) this.pinned.set(plan.hash, plan)
  }

  /** States for the workloads of a config that have none yet. */
  missingStates(plans: readonly Plan[], runId: string, nowMs: number): readonly RolloutState[] {
    return plans
      .filter(({ workload }) => !this.standings.has(workload))
      .map(({ workload }) => initialState(workload, runId, nowMs))
  }

  /** The workloads that this config has no more; with no config yet, those whose rollouts it leaves out. */
  removedBy(plans: readonly Plan[]): readonly string[] {
    const before =
      this.configured.size > 0 ? [...this.configured.keys()] : this.subjects().map(({ plan }) => plan.workload)
    const names = new Set(plans.map(({ workload }) => workload))
    return before.filter((name) => !names.has(name))
  }

  /** Notes what a commit has made durable. */
  committed(revision: number, states: readonly RolloutState[], plans: readonly Plan[]): void {
    this.revision = revision
    for (const plan of plans) this.pinned.set(plan.hash, plan)
    for (const state of states) this.keep(state)
  }

  private keep(state: RolloutState): void {
    const { standing, tally } = partsOf(state)
    this.standings.set(state.workload, standing)
    this.tallies.set(state.workload, tally)
    this.listed = null
  }

  /** Notes what the gates said, beside what a commit has made durable. */
  judged(verdicts: ReadonlyMap<string, Said>): void {
    for (const [workload, said] of verdicts) this.verdicts.set(workload, said)
  }

  /** null: nothing was judged since the load. */
  verdictsOf(workload: string): Said | null {
    return this.verdicts.get(workload) ?? null
  }

  /** The pinned plan, or the config's while the rollout waits; null: neither is there. */
  private planOf(state: Standing): Plan | null {
    return (state.planHash === null ? this.configured.get(state.workload) : this.pinned.get(state.planHash)) ?? null
  }

  /** The plan of a rollout that is here; null: it has none, or is not. */
  planFor(workload: string): Plan | null {
    const standing = this.standings.get(workload)
    return standing ? this.planOf(standing) : null
  }

  /** A rollout with its plan, whole; null: there is none, or it has no plan. */
  subject(workload: string): Subject | null {
    const standing = this.standings.get(workload)
    const plan = standing && this.planOf(standing)
    return standing && plan ? { state: { ...standing, ...this.tallies.get(workload) }, plan } : null
  }

  /** Where rollouts with a plan stand: first as the config lists them, then those that it lists no more. */
  subjects(): readonly Subject<Standing>[] {
    if (this.listed === null) {
      const names = new Set([...this.configured.keys(), ...this.standings.keys()])
      this.listed = [...names].flatMap((name) => {
        const state = this.standings.get(name)
        const plan = state && this.planOf(state)
        return state && plan ? { state, plan } : []
      })
    }
    return this.listed
  }

  /** Those that may still move. */
  active(): readonly Subject<Standing>[] {
    return this.subjects().filter(({ state }) => !isAtRest(state))
  }

  phases(): ReadonlyMap<string, PhaseName> {
    return new Map([...this.standings].map(([name, { phase }]) => [name, phase.name]))
  }

  isConfigured(workload: string): boolean {
    return this.configured.has(workload) || this.standings.has(workload)
  }
}
