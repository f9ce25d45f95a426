import type { Plan } from './plan.ts'

/** Migrations that must be thought of together, and their workloads. */
export interface Household {
  readonly migrations: readonly [string, ...string[]]
  readonly workloads: readonly string[]
  /** What they write to. */
  readonly scopes: readonly string[]
}

type PlanOfHousehold = Pick<Plan, 'migration' | 'workload'> & {
  readonly targets: readonly Pick<Plan['targets'][number], 'scope'>[]
}

/**
 * The smallest households: all workloads of one migration, because waves, concurrency, breaker, signals and capacity go across them; and
 * migrations that write to one scope, because a scope has one writer. In the order of the plans.
 */
export function householdsOf(plans: readonly PlanOfHousehold[]): readonly Household[] {
  const households: { migrations: Set<string>; workloads: Set<string>; scopes: Set<string> }[] = []
  for (const { migration, workload, targets } of plans) {
    const scopes = targets.map(({ scope }) => scope)
    const [home, ...others] = households.filter(
      (one) =>
        one.migrations.has(migration) || one.workloads.has(workload) || scopes.some((scope) => one.scopes.has(scope)),
    )
    const household = home ?? { migrations: new Set(), workloads: new Set(), scopes: new Set() }
    if (!home) households.push(household)
    household.migrations.add(migration)
    household.workloads.add(workload)
    for (const scope of scopes) household.scopes.add(scope)
    for (const other of others) {
      for (const one of other.migrations) household.migrations.add(one)
      for (const one of other.workloads) household.workloads.add(one)
      for (const one of other.scopes) household.scopes.add(one)
      households.splice(households.indexOf(other), 1)
    }
  }
  return households.flatMap(({ migrations, workloads, scopes }) => {
    const [first, ...more] = migrations
    return first === undefined ? [] : [{ migrations: [first, ...more], workloads: [...workloads], scopes: [...scopes] }]
  })
}
