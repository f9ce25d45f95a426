import { judgeBudget } from '../core/gates/budget.ts'
import { addCounts, type Counts, NO_COUNTS } from '../core/observation.ts'
import type { Plan, Sides } from '../core/plan.ts'
import type { RolloutState } from '../core/state.ts'
import type { BudgetSpent, Served, ServedInAll, WorkloadReport } from './model.ts'

/** What both clusters served of each SLI that counts events; of an SLI without a count, null. */
export function servedOf({ totals }: Pick<RolloutState, 'totals'>, plan: Plan | null): readonly Served[] {
  const specs = (plan?.slis ?? []).filter(({ objectivePercent }) => objectivePercent !== null)
  const names = new Set([...specs.map(({ name }) => name), ...Object.keys(totals)])
  return [...names].map((sli) => {
    const total = totals[sli]
    return {
      sli,
      objectivePercent: specs.find(({ name }) => name === sli)?.objectivePercent ?? null,
      counts: total?.counts ?? null,
      untilMs: total?.untilMs ?? null,
      attributedBad: total ? attributedBad(total.counts) : null,
    }
  })
}

/**
 * NEW's bad events beyond what OLD's rate of them would have had: max(0, e1 − (e0/n0)·n1). null where NEW served and OLD
 * did not: then there is nothing to compare with, and nobody can say whose fault they are.
 */
export function attributedBad({ old, new: fresh }: Sides<Counts>): number | null {
  if (fresh.total === 0) return 0
  if (old.total === 0) return null
  return Math.max(0, fresh.bad - (old.bad / old.total) * fresh.total)
}

/** Sums over the workloads that have started. One that is not known makes the sum unknown, not smaller. */
export function servedInAll(workloads: readonly WorkloadReport[]): readonly ServedInAll[] {
  const begun = workloads.filter(({ startedAtMs }) => startedAtMs !== null)
  const names = new Set(begun.flatMap(({ served }) => served.map(({ sli }) => sli)))
  return [...names].map((sli) => {
    const parts = begun.flatMap(({ workload, served }) =>
      served.filter((one) => one.sli === sli).map((one) => ({ workload, ...one })),
    )
    const unknown = parts.filter(({ counts, attributedBad }) => counts === null || attributedBad === null)
    const known = parts.flatMap(({ counts }) => (counts === null ? [] : [counts]))
    const bad = parts.flatMap(({ attributedBad }) => (attributedBad === null ? [] : [attributedBad]))
    return {
      sli,
      counts: known.length === parts.length ? sumOf(known) : null,
      attributedBad: bad.length === parts.length ? bad.reduce((sum, one) => sum + one, 0) : null,
      unknown: unknown.map(({ workload }) => workload),
    }
  })
}

function sumOf(counts: readonly Sides<Counts>[]): Sides<Counts> {
  const side = (of: keyof Sides<Counts>) => counts.reduce((sum, one) => addCounts(sum, one[of]), NO_COUNTS)
  return { old: side('old'), new: side('new') }
}

/** By gate: how much of 30 days' error budget went, by the ledger that the gate itself judges. */
export function budgetOf({ tests }: Pick<RolloutState, 'tests'>, plan: Plan | null): readonly BudgetSpent[] {
  return (plan?.gates ?? []).flatMap((gate): BudgetSpent[] => {
    if (gate.kind !== 'budget') return []
    const { id, sli, haltPercent, revertPercent } = gate
    const ledger = tests[id]
    const objective = plan?.slis.find(({ name }) => name === sli)?.objectivePercent ?? null
    if (ledger?.kind !== 'budget' || objective === null)
      return [{ gate: id, sli, spentPercent: null, spentBad: null, haltPercent, revertPercent }]
    const { evidence } = judgeBudget(gate, ledger, 1 - objective / 100)
    const spentPercent = numberOrNull(evidence['spentPercent'])
    return [{ gate: id, sli, spentPercent, spentBad: numberOrNull(evidence['spentBad']), haltPercent, revertPercent }]
  })
}

function numberOrNull(value: number | string | null | undefined): number | null {
  return typeof value === 'number' ? value : null
}
