import type { JournalRowJson, StatusJson, WorkloadJson } from '../../api/wire.ts'
import type { FleetJson } from '../../api/wire-fleet.ts'
import { Problem } from '../../core/problem.ts'
import type { Client } from '../client.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { styleOf } from '../io.ts'
import { createScreen } from '../screen.ts'
import { type Session, say, sayJson, sayProblem } from '../session.ts'
import { cut, journalLine, paint, problemText, type Style, statusLines, timeText, workloadLines } from '../view.ts'
import { fleetLines } from '../view-fleet.ts'

const LOOK_MS = 1000
const JOURNAL_LINES = 6

interface Look {
  readonly service: StatusJson
  readonly workloads: readonly WorkloadJson[]
  readonly fleets: readonly FleetJson[]
  readonly rows: readonly JournalRowJson[]
}

/**
 * `headgate watch`: every workload's line and the newest of the journal, drawn in place once a second; in a pipe, a
 * line for each change. Outlives restarts of the service; ends on Ctrl-C.
 */
export async function watch(session: Session): Promise<ExitCode> {
  const { io } = session
  const client = session.client()
  let last = await look(client)
  const show = io.terminal() && !session.json ? drawInPlace(session) : printChanges(session)
  try {
    for (show.look(last); !io.interrupted.aborted; ) {
      await io.clock.sleep(LOOK_MS, io.interrupted)
      if (io.interrupted.aborted) break
      try {
        last = await look(client)
        show.look(last)
      } catch (error) {
        if (io.interrupted.aborted) break
        if (!(error instanceof Problem)) throw error
        show.trouble(error)
      }
    }
  } finally {
    show.end()
  }
  return EXIT.ok
}

async function look(client: Client): Promise<Look> {
  const [service, workloads, fleets, { lastSeq }] = await Promise.all([
    client.status(),
    client.workloads(),
    client.fleets(),
    client.journal({ afterSeq: 0, limit: 1 }),
  ])
  const { rows } = await client.journal({ afterSeq: Math.max(0, lastSeq - JOURNAL_LINES), limit: JOURNAL_LINES })
  return { service, workloads, fleets, rows }
}

interface Show {
  look(look: Look): void
  trouble(problem: Problem): void
  end(): void
}

function drawInPlace({ io }: Session): Show {
  const screen = createScreen(io)
  let standing: readonly string[] = []
  const draw = (look: Look) => {
    const style = styleOf(io)
    standing = [
      ...statusLines(look.service, style),
      '',
      ...fleetLines(look.service.migrations, look.workloads, look.fleets, style),
      '',
      ...look.rows.map((row) => journalLine(row, style)),
    ]
    screen.draw(standing)
  }
  return {
    look: draw,
    // What was last known stays in sight, under the reason why it is old.
    trouble: (problem) => screen.draw([...troubleLines(problem, styleOf(io)), ...standing]),
    end: () => screen.end(),
  }
}

function troubleLines(problem: Problem, style: Style): string[] {
  const line = cut(`! ${problemText(problem.toJSON())}`, style.columns)
  return [paint(line, 'bad', style), paint('Trying again. What was last seen:', 'warn', style)]
}

/** For pipes and machines: a workload is told again when its phase, weight, holds or verdict changed. */
function printChanges(session: Session): Show {
  const told = new Map<string, string>()
  let isInTrouble = false
  return {
    look: ({ service, workloads }) => {
      if (told.size === 0 && !session.json) say(session, statusLines(service, session.style))
      isInTrouble = false
      const lines = workloadLines(workloads, session.style)
      for (const [index, workload] of workloads.entries()) {
        if (told.get(workload.name) === keyOf(workload)) continue
        told.set(workload.name, keyOf(workload))
        if (session.json) sayJson(session, workload)
        else say(session, [`${timeText(service.nowMs)} ${lines[index]}`])
      }
    },
    trouble: (problem) => {
      if (!isInTrouble) sayProblem({ ...session, json: false }, problem.toJSON())
      isInTrouble = true
    },
    end: () => {},
  }
}

function keyOf(workload: WorkloadJson): string {
  const { runId, phase, intendedWeightPercent, confirmedWeightPercent, holds, outcome } = workload
  return JSON.stringify([
    runId,
    phase,
    intendedWeightPercent,
    confirmedWeightPercent,
    holds.map(({ cause, sinceMs }) => [cause, sinceMs]),
    outcome,
  ])
}
