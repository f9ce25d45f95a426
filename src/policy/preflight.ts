import { CHECK_IDS, CHECKS, type CheckRules, type PlanCheck } from '../core/check.ts'
import type { Plan } from '../core/plan.ts'
import type { Workload } from './resolve.ts'
import type { PreflightSettings } from './schema-preflight.ts'

/** What a policy says of checks, with everything said. */
export interface ResolvedPreflight {
  readonly checks: readonly PlanCheck[]
  readonly rules: Omit<CheckRules, 'stateful' | 'replication'>
}

interface Layer {
  readonly preflight?: PreflightSettings
}

/** Takes each key from the nearest layer that says it; what none says is as usual. */
export function resolvePreflight(layers: readonly Layer[]): ResolvedPreflight {
  const said = <Key extends keyof NonNullable<PreflightSettings>>(key: Key) =>
    layers.map(({ preflight }) => preflight?.[key]).find((value) => value !== undefined)
  return {
    checks: CHECK_IDS.flatMap((id): PlanCheck[] => {
      const then = said(id) ?? CHECKS[id].usually
      return then === 'off' ? [] : [{ id, then }]
    }),
    rules: {
      certificateDays: said('certificateDays') ?? 14,
      clockSeconds: said('clockSkew') ?? 5,
      ttlSeconds: said('longestTtl') ?? 300,
      errorBudgetPercent: said('errorBudgetLeft') ?? 10,
      mayDiffer: said('mayDiffer') ?? [],
    },
  }
}

/** The checks of a workload's plan, and what they go by. */
export function checksOf(
  { checks, rules }: ResolvedPreflight,
  { stateful, replication }: Workload,
): Pick<Plan, 'checks' | 'checkRules'> {
  return {
    checks,
    checkRules: { ...rules, stateful: stateful?.acknowledged ?? null, replication: replication ?? null },
  }
}
