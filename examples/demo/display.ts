import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import { type Io, styleOf } from '../../src/cli/io.ts'
import { createScreen } from '../../src/cli/screen.ts'
import { cut, journalLine, paint, type Style, workloadLines } from '../../src/cli/view.ts'
import type { Glance } from './follow.ts'

/** Shows how the migration goes on. */
export interface Display {
  /** `seconds` since the start. */
  show(glance: Glance, seconds: number): void
  /** Leaves the last picture standing. */
  end(): void
}

const JOURNAL_LINES = 8
const NAME_WIDTH = 'checkout'.length
/** Left out of a small window: the workload's own line, or another row, says the same. */
const QUIET_TYPES = new Set(['weight-applied', 'weight-confirmed', 'verdict-changed', 'sight-changed', 'plan-pinned'])
const QUIET_PHASES = new Set<unknown>(['preflight', 'preparing', 'stepping', 'draining', 'reverting', 'reverted'])

/** In a terminal: the workloads, and under them what the journal said last, drawn in place. */
export function createLiveDisplay(io: Pick<Io, 'out' | 'env' | 'terminal'>): Display {
  const screen = createScreen(io)
  let rows: readonly JournalRowJson[] = []
  return {
    show({ workloads, newRows }, seconds) {
      const style = styleOf(io)
      rows = [...rows, ...newRows.filter(isTelling)].slice(-JOURNAL_LINES)
      screen.draw([
        ...workloadLines(workloads, style),
        '',
        ...rows.map((row) => journalLine(row, style, NAME_WIDTH)),
        '',
        paint(cut(`${Math.floor(seconds)} s · Ctrl-C ends everything`, style.columns), 'calm', style),
      ])
    },
    end: () => screen.end(),
  }
}

const PLAIN: Style = { columns: Number.POSITIVE_INFINITY, color: false }

/** In files and pipes: a line whenever a workload has changed, or something happened that somebody should know. */
export function createPlainDisplay(write: (text: string) => void): Display {
  const last = new Map<string, string>()
  return {
    show({ workloads, newRows }, seconds) {
      const say = (line: string) => write(`${`${Math.floor(seconds)} s`.padStart(5)}  ${line}\n`)
      for (const row of newRows.filter(isTelling)) if (row.severity !== 'info') say(journalLine(row, PLAIN, NAME_WIDTH))
      for (const workload of workloads) {
        const now = gistOf(workload)
        if (last.get(workload.name) === now) continue
        last.set(workload.name, now)
        for (const line of workloadLines([workload], PLAIN)) say(line)
      }
    },
    end: () => undefined,
  }
}

function isTelling({ event }: JournalRowJson): boolean {
  return !QUIET_TYPES.has(event.type) && !QUIET_PHASES.has(event['to'])
}

/** What counts as a change: not the seconds that pass while a weight is held. */
function gistOf({ phase, stepNumber, confirmedWeightPercent, holds }: WorkloadJson): string {
  return JSON.stringify([phase.name, stepNumber, confirmedWeightPercent, holds.map(({ cause }) => cause)])
}
