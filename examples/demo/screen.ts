import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import { cut, journalLine, paint, type Style, workloadLines } from '../../src/cli/view.ts'
import type { Glance } from './follow.ts'

const JOURNAL_LINES = 8
/** Said too often for a small screen; the workload's own line shows the same. */
const QUIET_TYPES = new Set(['weight-applied', 'weight-confirmed', 'verdict-changed', 'plan-pinned'])

/** Shows how the migration goes on. */
export interface Screen {
  show(glance: Glance, seconds: number): void
  /** Leaves the last picture standing. */
  end(): void
}

/** A terminal that redraws in place: the workloads, and under them what the journal said last. */
export function createLiveScreen(
  write: (text: string) => void,
  terminal: () => Style & { readonly rows: number },
): Screen {
  let drawnLines = 0
  let rows: readonly JournalRowJson[] = []
  write(HIDE_CURSOR)
  return {
    show(glance, seconds) {
      const style = terminal()
      const room = Math.max(0, Math.min(JOURNAL_LINES, style.rows - glance.workloads.length - 5))
      rows = [...rows, ...glance.newRows.filter(isTelling)].slice(-JOURNAL_LINES)
      const lines = [
        ...workloadLines(glance.workloads, style),
        '',
        ...rows.slice(rows.length - Math.min(rows.length, room)).map((row) => journalLine(row, style, NAME_WIDTH)),
        '',
        paint(cut(`${Math.floor(seconds)} s · Ctrl-C ends everything`, style.columns), 'calm', style),
      ]
      write(`${drawnLines > 0 ? `\u001b[${drawnLines}A` : ''}${CLEAR_BELOW}${lines.join('\n')}\n`)
      drawnLines = lines.length
    },
    end: () => write(SHOW_CURSOR),
  }
}

/** One line whenever a workload has changed, for files and pipes. */
export function createPlainScreen(write: (text: string) => void): Screen {
  const last = new Map<string, string>()
  return {
    show({ workloads, newRows }, seconds) {
      const time = `${Math.floor(seconds)} s`.padStart(5)
      for (const row of newRows) if (row.severity !== 'info') write(`${time}  ${journalLine(row, PLAIN, NAME_WIDTH)}\n`)
      const lines = workloadLines(workloads, PLAIN)
      workloads.forEach((workload, index) => {
        const now = gist(workload)
        if (last.get(workload.name) === now) return
        last.set(workload.name, now)
        write(`${time}  ${lines[index]}\n`)
      })
    },
    end: () => undefined,
  }
}

const PLAIN: Style = { columns: Number.POSITIVE_INFINITY, color: false }
const NAME_WIDTH = 8
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[J'

function isTelling({ severity, event }: JournalRowJson): boolean {
  return severity !== 'info' || !QUIET_TYPES.has(event.type)
}

/** What counts as a change: not the seconds that pass while a weight is held. */
function gist({ phase, stepNumber, confirmedWeightPercent, holds }: WorkloadJson): string {
  return JSON.stringify([phase.name, stepNumber, confirmedWeightPercent, holds.map(({ cause }) => cause)])
}
