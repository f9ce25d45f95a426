import type { EventType, JournalRow } from '../core/event.ts'
import { explain } from '../core/explain.ts'
import type { Log } from '../ports/runtime.ts'

/** Those that change a phase, a weight or a hold. All others are in the journal alone. */
const LOGGED: ReadonlySet<EventType> = new Set<EventType>([
  'config-loaded',
  'phase-entered',
  'weight-intended',
  'weight-adopted',
  'weight-reasserted',
  'weight-in-force',
  'hold-added',
  'hold-removed',
  'revert-started',
  'revert-refused',
  'revert-confirmed',
])

/**
 * Tells committed events in the log, a line each with the journal's sentence, so that who has only logs can follow. All
 * on `info`: a halt or a revert is a decision, not a fault. `migrationOf` gives a workload's migration; null: not known.
 */
export function createEventLog(
  log: Log,
  migrationOf: (workload: string) => string | null,
): (rows: readonly JournalRow[]) => void {
  return (rows) => {
    for (const { seq, event } of rows) {
      if (!LOGGED.has(event.type)) continue
      const { type, workload, actor } = event
      const migration = workload === null ? null : migrationOf(workload)
      const about = { ...(migration !== null && { migration }), ...(workload !== null && { workload }) }
      log.info({ seq, type, ...about, actor, told: explain(event) }, 'decided')
    }
  }
}
