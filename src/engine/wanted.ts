import type { Plan, Sides, SliSpec } from '../core/plan.ts'

/** What the plans in use want of one SLI. */
export interface Wanted {
  readonly spec: SliSpec
  /** The windows that gates judge it by. */
  readonly seconds: ReadonlySet<number>
  readonly clusters: Sides<ReadonlySet<string>>
  /** How many share it. */
  readonly workloads: number
}

/** By key: specs with the same are one SLI. */
export function wantedOf(plans: Iterable<Plan>, keyOf: (spec: SliSpec) => string): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, ReturnType<typeof nothingOf>>()
  for (const plan of plans) {
    for (const spec of plan.slis) {
      const key = keyOf(spec)
      const entry = wanted.get(key) ?? nothingOf(spec)
      wanted.set(key, entry)
      entry.workloads += 1
      for (const seconds of windowSeconds(plan, spec.name)) entry.seconds.add(seconds)
      entry.clusters.old.add(plan.clusters.old)
      entry.clusters.new.add(plan.clusters.new)
    }
  }
  return wanted
}

function nothingOf(spec: SliSpec) {
  const clusters = { old: new Set<string>(), new: new Set<string>() }
  return { spec, seconds: new Set<number>(), clusters, workloads: 0 }
}

/** The windows that a plan's gates judge an SLI by. */
function windowSeconds(plan: Plan, sli: string): readonly number[] {
  return plan.gates.flatMap((gate) =>
    gate.kind === 'burnRate' && gate.sli === sli
      ? gate.pairs.flatMap((pair) => [pair.longSeconds, pair.shortSeconds])
      : [],
  )
}
