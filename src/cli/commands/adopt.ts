import type { WorkloadJson } from '../../api/wire.ts'
import { problem } from '../../core/problem.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { clean } from '../view.ts'
import { type CommandOptions, type CommandToManyOptions, command, commandAll } from './command.ts'

export interface AdoptOptions extends Omit<CommandOptions & CommandToManyOptions, 'reason'> {
  readonly reason?: string
  /** Say what an adopt would come to, and send nothing. */
  readonly dryRun?: boolean
}

/** `headgate adopt`: has rollouts go on from the weights that their targets have. No names: all that it fits. */
export async function adopt(session: Session, names: readonly string[], options: AdoptOptions): Promise<ExitCode> {
  const { reason, dryRun = false } = options
  if (dryRun) return show(session, names, options)
  if (reason === undefined) throw problem('CLI_USAGE', "required option '-r, --reason <text>' not specified")
  const said = { ...options, reason }
  if (names.length === 0) return commandAll(session, 'adopt', said)
  let worst: ExitCode = EXIT.ok
  for (const name of names) worst = Math.max(worst, await command(session, 'adopt', name, said)) as ExitCode
  return worst
}

/** The hold itself says what was found, and where an adopt would go on. */
async function show(session: Session, names: readonly string[], { wave, migration }: AdoptOptions): Promise<ExitCode> {
  const client = session.client()
  const [every, fleets] = await Promise.all([client.workloads(), client.fleets()])
  const missing = names.find((one) => !every.some(({ name }) => name === one))
  if (missing !== undefined) throw problem('API_NOT_FOUND', `no workload "${missing}"`)
  const inWave = fleets.flatMap(({ waves }) => waves).flatMap((one) => (one.name === wave ? one.workloads : []))
  const isMeant = (one: WorkloadJson) =>
    (names.length === 0 || names.includes(one.name)) &&
    (wave === undefined || inWave.includes(one.name)) &&
    (migration === undefined || one.migration === migration)
  const found = every.filter(isMeant).flatMap(({ name, holds }) => {
    const unknown = holds.find(({ cause }) => cause === 'unknown-weight')
    return unknown === undefined ? [] : [{ workload: name, found: unknown.detail }]
  })
  if (found.length === 0)
    throw problem('COMMAND_NOTHING_TO_DO', 'no target has a weight that its rollout does not know')
  if (session.json) sayJson(session, { workloads: found })
  else
    say(
      session,
      found.map(({ workload, found: detail }) => clean(`${workload}: ${detail}`)),
    )
  return EXIT.ok
}
