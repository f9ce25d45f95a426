import type { CheckId } from '../core/check.ts'
import type { LookedAhead } from '../preflight-live.ts'
import { clean, paint, type Style } from './view.ts'

const OUTCOMES = {
  pass: { mark: '✓', tone: 'good' },
  skipped: { mark: '·', tone: 'calm' },
  missing: { mark: '?', tone: 'warn' },
  fail: { mark: '✗', tone: 'bad' },
} as const

/** What is found for all workloads of a migration alike. */
const OF_CLUSTERS: readonly CheckId[] = ['deprecated', 'clock']

type Looked = LookedAhead['checks'][number]

/** True where a rollout would start: nothing that may hold it failed, or could not be looked at. */
export function isClear(looked: readonly LookedAhead[]): boolean {
  return looked.every(({ checks }) => !checks.some(wouldHold))
}

/** A list for each pair of clusters, and one for each workload. Never cut: a hint that ends half-way helps nobody. */
export function preflightLines(looked: readonly LookedAhead[], style: Style): string[] {
  const byMigration = Map.groupBy(looked, ({ plan }) => plan.migration)
  const all = looked.flatMap(({ checks }) => checks)
  const count = (outcome: keyof typeof OUTCOMES) => all.filter(({ reading }) => reading.outcome === outcome).length
  return [
    ...[...byMigration].flatMap(([migration, workloads]) => migrationLines(migration, workloads, style)),
    '',
    `${count('pass')} pass, ${count('fail')} fail, ${count('missing')} missing, ${count('skipped')} skipped; ` +
      `${all.filter(wouldHold).length} would hold a rollout`,
  ]
}

function migrationLines(migration: string, workloads: readonly LookedAhead[], style: Style): string[] {
  const { old = '', new: fresh = '' } = workloads[0]?.plan.clusters ?? {}
  const shared = unique(workloads.flatMap(({ checks }) => checks.filter(({ id }) => OF_CLUSTERS.includes(id))))
  return [
    paint(`${clean(migration)}: looked at live, nothing written`, 'strong', style),
    ...section(`${old} → ${fresh}`, shared, style),
    ...workloads.flatMap(({ plan, checks }) =>
      section(
        plan.workload,
        checks.filter(({ id }) => !OF_CLUSTERS.includes(id)),
        style,
      ),
    ),
  ]
}

/** Policies may differ in what a failure does, and so do lines then. */
function unique(checks: readonly Looked[]): readonly Looked[] {
  return [...new Map(checks.map((check) => [`${check.id} ${check.then} ${check.reading.sentence}`, check])).values()]
}

function section(title: string, checks: readonly Looked[], style: Style): string[] {
  if (checks.length === 0) return []
  return ['', paint(clean(title), 'strong', style), ...checks.flatMap((check) => checkLines(check, style))]
}

function checkLines(check: Looked, style: Style): string[] {
  const { id, then, reading } = check
  const { mark, tone } = OUTCOMES[reading.outcome]
  const isAgainst = reading.outcome === 'fail' || reading.outcome === 'missing'
  const alone = isAgainst && then === 'tell' ? ' (told alone)' : ''
  const line = `${paint(mark, tone, style)} ${reading.outcome.padEnd(7)}  ${id.padEnd(12)}  ${clean(reading.sentence)}${alone}`
  return reading.hint === null ? [line] : [line, paint(`${' '.repeat(25)}→ ${clean(reading.hint)}`, 'calm', style)]
}

function wouldHold({ then, reading }: Looked): boolean {
  return then === 'hold' && (reading.outcome === 'fail' || reading.outcome === 'missing')
}
