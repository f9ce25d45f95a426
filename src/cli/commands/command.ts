import type { JournalRowJson } from '../../api/wire.ts'
import { problemSchema } from '../../api/wire.ts'
import { COMMANDS_TO_ALL, type CommandName } from '../../core/observation.ts'
import { problem } from '../../core/problem.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { serviceJournal } from '../journal-reader.ts'
import { type Session, say, sayJson, sayProblem } from '../session.ts'
import { journalLine } from '../view.ts'

export interface CommandOptions {
  readonly reason: string
  readonly force?: boolean
  /** Follow the journal until the command's outcome is there. */
  readonly wait: boolean
  /** How long to wait, seconds. */
  readonly timeout: number
}

/** `headgate pause` and the like: says it, and waits until the journal tells what came of it. */
export async function command(
  session: Session,
  name: CommandName,
  workload: string,
  { reason, force = false, wait, timeout }: CommandOptions,
): Promise<ExitCode> {
  const client = session.client()
  // The journal's end is looked up first: the outcome may be there before the answer is.
  const { lastSeq } = await client.journal({ afterSeq: 0, limit: 1 })
  const submitted = await client.command(workload, { command: name, reason, force })
  if (!wait) {
    if (session.json) sayJson(session, submitted)
    else say(session, [`${name} for ${workload} is in the inbox as ${submitted.factId}`])
    return EXIT.ok
  }
  const row = await outcomeOf(session, submitted.factId, { afterSeq: lastSeq, workload, timeout })
  const refusal = problemSchema.safeParse(row.event['problem'])
  if (session.json) sayJson(session, refusal.success ? refusal.data : row)
  else if (refusal.success) sayProblem(session, refusal.data)
  else say(session, [journalLine(row, session.style, workload.length)])
  return refusal.success ? EXIT.refused : EXIT.ok
}

export interface CommandToManyOptions extends Pick<CommandOptions, 'reason'> {
  /** Only the workloads of this wave. */
  readonly wave?: string
  /** Only the workloads of this migration. */
  readonly migration?: string
}

/** `headgate revert --all`, `--wave` and the like: says it to all of them in one go. What comes of it is for `watch` and `journal` to tell. */
export async function commandAll(
  session: Session,
  name: CommandName,
  { reason, wave, migration }: CommandToManyOptions,
): Promise<ExitCode> {
  const command = COMMANDS_TO_ALL.find((one) => one === name)
  if (command === undefined) throw problem('CLI_USAGE', `${name} cannot be said to all`)
  const submitted = await session.client().commandAll({
    command,
    reason,
    ...(wave !== undefined && { wave }),
    ...(migration !== undefined && { migration }),
  })
  const names = submitted.commands.map(({ workload }) => workload)
  if (session.json) sayJson(session, submitted)
  else
    say(session, [
      `${name} for ${names.length} ${names.length === 1 ? 'workload' : 'workloads'} is in the inbox: ${names.join(', ')}`,
      'see headgate watch',
    ])
  return EXIT.ok
}

async function outcomeOf(
  { client, io }: Session,
  factId: string,
  { afterSeq, workload, timeout }: { afterSeq: number; workload: string; timeout: number },
): Promise<JournalRowJson> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, io.interrupted])
  const reader = serviceJournal(client(signal), io.clock, () => {})
  const late = io.clock.sleep(timeout * 1000, signal).then(() => over.abort())
  try {
    for await (const row of reader.follow(afterSeq, workload, signal)) if (row.event['factId'] === factId) return row
  } finally {
    over.abort()
    await late
  }
  io.interrupted.throwIfAborted()
  throw problem('CLI_TIMEOUT', `no outcome of ${factId} within ${timeout} s`)
}
