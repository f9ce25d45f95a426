import type { JournalRow } from '../core/event.ts'
import { explain, severityOf } from '../core/explain.ts'
import type { Sides } from '../core/plan.ts'
import type { Costs } from '../policy/config.ts'
import type { JournalVerdict } from '../shared/journal-chain.ts'
import type { Actor, BothRunning, Report, TimelineRow, WorkloadReport } from './model.ts'
import { reportOf, type Subject, secondsBetween } from './rollout.ts'
import { servedInAll } from './served.ts'

/** What a report is made of. */
export interface ReportInput {
  readonly migration: string
  readonly clusters: Sides<string>
  /** null: nobody said what the clusters cost. */
  readonly costs: Costs | null
  readonly madeAtMs: number
  /** Of this migration alone, in their order. */
  readonly subjects: readonly Subject[]
  /** The whole journal, in its order; what belongs to other migrations is left out here. */
  readonly rows: readonly JournalRow[]
  readonly journal: JournalVerdict
}

const HEADGATE = 'headgate'
const HOUR_SECONDS = 3600

/** Makes a report: it counts and sorts, and decides nothing. */
export function buildReport(input: ReportInput): Report {
  const { migration, clusters, costs, madeAtMs, subjects, journal } = input
  const own = new Set<string | null>([null, ...subjects.map(({ state }) => state.workload)])
  const rows = input.rows.filter(({ event }) => own.has(event.workload))
  const byWorkload = Map.groupBy(rows, ({ event }) => event.workload)
  const workloads = subjects.map((subject) => reportOf(subject, byWorkload.get(subject.state.workload) ?? [], madeAtMs))
  const timeline = rows.map(timelineRow)
  return {
    kind: 'headgate-report/v1',
    migration,
    clusters,
    madeAtMs,
    span: { startedAtMs: firstStart(workloads), endedAtMs: lastOf(workloads, ({ endedAtMs }) => endedAtMs) },
    bothRunning: bothRunning(workloads, costs, madeAtMs),
    served: servedInAll(workloads),
    workloads,
    actors: actorsOf(timeline),
    timeline,
    journal,
  }
}

function timelineRow({ seq, event }: JournalRow): TimelineRow {
  const { atMs, workload, actor, type } = event
  return { seq, atMs, workload, actor, severity: severityOf(event), type, sentence: explain(event) }
}

function firstStart(workloads: readonly WorkloadReport[]): number | null {
  const starts = workloads.flatMap(({ startedAtMs }) => (startedAtMs === null ? [] : [startedAtMs]))
  return starts.length === 0 ? null : Math.min(...starts)
}

/** The latest, once every workload has one. */
function lastOf(workloads: readonly WorkloadReport[], of: (one: WorkloadReport) => number | null): number | null {
  const moments = workloads.map(of)
  return moments.length === 0 || moments.includes(null) ? null : Math.max(...moments.filter((at) => at !== null))
}

function bothRunning(workloads: readonly WorkloadReport[], costs: Costs | null, madeAtMs: number): BothRunning | null {
  const fromMs = firstStart(workloads)
  if (fromMs === null) return null
  const untilMs = lastOf(workloads, ({ closed }) => closed?.atMs ?? null)
  const seconds = secondsBetween(fromMs, untilMs ?? madeAtMs)
  const hours = seconds / HOUR_SECONDS
  const cost = costs && {
    currency: costs.currency,
    old: costs.oldPerHour * hours,
    new: costs.newPerHour * hours,
  }
  return { fromMs, untilMs, seconds, cost }
}

/** What each one said. The rows that only follow from a command are in the timeline. */
function actorsOf(timeline: readonly TimelineRow[]): readonly Actor[] {
  const byActor = Map.groupBy(
    timeline.filter(({ actor }) => actor !== HEADGATE),
    ({ actor }) => actor,
  )
  return [...byActor].map(([actor, rows]) => {
    const said = rows.filter(({ type }) => type === 'command-done' || type === 'command-refused')
    return { actor, deeds: said.length > 0 ? said : rows }
  })
}
