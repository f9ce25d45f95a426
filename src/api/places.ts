import { type Identity, mayAt, mayInAll, type Place, seesService } from './identity.ts'
import type { ApiOptions } from './options.ts'

type Sources = Pick<ApiOptions, 'control' | 'teamOf'>

/** The workloads as scopes know them, as of now. */
export function placesOf({ control, teamOf }: Sources): (workload: string) => Place {
  const migrations = new Map(control.workloads().map(({ plan }) => [plan.workload, plan.migration]))
  return (workload) => ({ workload, migration: migrations.get(workload) ?? null, team: teamOf(workload) })
}

/** What somebody is shown of lists. */
export interface Sight {
  /** null: what is about no workload in particular. */
  sees(workload: string | null): boolean
  /** All of the migration: what cannot be told apart by workload. */
  seesAll(migration: string): boolean
}

/** What somebody sees, as of now. */
export function sightOf(identity: Identity | null, sources: Sources): Sight {
  const seesAll = (migration: string) => mayInAll(identity, 'viewer', migration)
  if (seesService(identity)) return { sees: () => true, seesAll }
  const placeOf = placesOf(sources)
  return { sees: (workload) => workload !== null && mayAt(identity, 'viewer', placeOf(workload)), seesAll }
}
