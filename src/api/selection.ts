import { problem } from '../core/problem.ts'
import type { Control, WorkloadView } from '../ports/control.ts'

/** Which workloads are meant; left out: all. */
export interface Selection {
  readonly wave?: string | undefined
  readonly migration?: string | undefined
}

/**
 * The workloads of a wave, of a migration, or all. A wave's name alone is enough where one migration has it.
 * API_NOT_FOUND: there is none of that name; API_BAD_REQUEST: several migrations have such a wave.
 */
export function selectWorkloads(control: Control, { wave, migration }: Selection): readonly WorkloadView[] {
  const all = control.workloads()
  const own = migration === undefined ? all : all.filter(({ plan }) => plan.migration === migration)
  if (migration !== undefined && own.length === 0) throw problem('API_NOT_FOUND', `no migration "${migration}"`)
  if (wave === undefined) return own
  const found = control
    .fleets()
    .filter((fleet) => migration === undefined || fleet.migration === migration)
    .flatMap((fleet) => fleet.waves.filter(({ name }) => name === wave).map((one) => ({ fleet, wave: one })))
  const [first, ...others] = found
  if (!first)
    throw problem('API_NOT_FOUND', `no wave "${wave}"`, {
      hint: 'see /api/v1/fleet, or `headgate status`, for the waves',
    })
  if (others.length > 0) {
    const names = found.map(({ fleet }) => fleet.migration).join(', ')
    throw problem('API_BAD_REQUEST', `several migrations have a wave "${wave}": ${names}`, {
      hint: 'name the migration as well',
    })
  }
  return own.filter(
    ({ plan }) => plan.migration === first.fleet.migration && first.wave.workloads.includes(plan.workload),
  )
}
