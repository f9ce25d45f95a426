import type { JournalRow } from '../core/event.ts'
import type { Plan, Sides } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import type { Costs } from '../policy/config.ts'
import type { Journal } from '../ports/store.ts'
import { buildReport } from './build.ts'
import type { Report } from './model.ts'
import type { Subject } from './rollout.ts'

/** What is known of a migration beside its rollouts. */
export interface ReportedMigration {
  readonly migration: string
  readonly clusters: Sides<string>
  readonly costs: Costs | null
}

/** Where a report's matter comes from: a running service, or a store's file. */
export interface ReportSource {
  readonly journal: Pick<Journal, 'read' | 'verify'>
  readonly subjects: readonly Subject[]
  readonly migrations: readonly ReportedMigration[]
}

const PAGE_ROWS = 1000

/**
 * Makes the report of one migration; null: of the only one. Throws API_NOT_FOUND for one that is not there, API_BAD_REQUEST
 * where several are and none is named, and what the journal throws.
 */
export async function gatherReport(source: ReportSource, name: string | null, nowMs: number): Promise<Report> {
  const { migration, clusters, costs } = chosen(source.migrations, name)
  const isOnly = source.migrations.length === 1
  return buildReport({
    migration,
    clusters,
    costs,
    madeAtMs: nowMs,
    // A rollout without a known plan has not begun: where there is one migration alone, it is of that one.
    subjects: source.subjects.filter(({ plan }) => (plan === null ? isOnly : plan.migration === migration)),
    journal: await source.journal.verify(null),
    rows: await allRows(source.journal),
  })
}

function chosen(migrations: readonly ReportedMigration[], name: string | null): ReportedMigration {
  const names = migrations.map(({ migration }) => migration).join(', ')
  if (name === null) {
    const [only, ...others] = migrations
    if (only && others.length === 0) return only
    if (!only) throw problem('API_NOT_FOUND', 'there is no migration to report on yet', { hint: 'let one begin first' })
    throw problem('API_BAD_REQUEST', `there are several migrations: ${names}`, { hint: 'name one of them' })
  }
  const found = migrations.find(({ migration }) => migration === name)
  if (!found)
    throw problem('API_NOT_FOUND', `there is no migration "${name}"`, { hint: `there is: ${names || 'none'}` })
  return found
}

async function allRows(journal: Pick<Journal, 'read'>): Promise<readonly JournalRow[]> {
  const rows: JournalRow[] = []
  for (;;) {
    const page = await journal.read({ afterSeq: rows.at(-1)?.seq ?? 0, limit: PAGE_ROWS })
    rows.push(...page)
    if (page.length < PAGE_ROWS) return rows
  }
}

/** Migrations that the pinned plans name; `costs` of those that a config has. */
export function migrationsOf(
  plans: Iterable<Plan>,
  configured: readonly ReportedMigration[],
): readonly ReportedMigration[] {
  const known = new Map(configured.map((one) => [one.migration, one]))
  for (const { migration, clusters } of plans)
    if (!known.has(migration)) known.set(migration, { migration, clusters, costs: null })
  return [...known.values()]
}

/** A store's rollouts with their pinned plans, or those of the config. */
export function subjectsOf(
  rollouts: readonly RolloutState[],
  pinned: ReadonlyMap<string, Plan>,
  configured: readonly Plan[],
): readonly Subject[] {
  return rollouts.map((state) => {
    const own = state.planHash === null ? undefined : pinned.get(state.planHash)
    return { state, plan: own ?? configured.find(({ workload }) => workload === state.workload) ?? null }
  })
}
