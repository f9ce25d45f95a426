import type { EventType, JournalRow } from '../core/event.ts'
import { explain } from '../core/explain.ts'
import type { Log } from '../ports/runtime.ts'

/** Those that change a phase, a weight or a hold. All others are in the journal alone. */
const LOGGED: ReadonlySet<EventType> = new Set<EventType>([
  'config-loaded',
  'phase-entered',
  'weight-intended',
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
 * on `info`: a halt or a revert is a decision, not a fault.
 */
export function createEventLog(log: Log): (rows: readonly JournalRow[]) => void {
  return (rows) => {
    for (const { seq, event } of rows) {
      if (!LOGGED.has(event.type)) continue
      const { type, workload, actor } = event
      log.info({ seq, type, ...(workload !== null && { workload }), actor, told: explain(event) }, 'decided')
    }
  }
}
