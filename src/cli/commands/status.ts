import type { WorkloadDetailJson } from '../../api/wire.ts'
import { problem } from '../../core/problem.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { unknownMigration } from '../migrations.ts'
import { type Session, say, sayJson } from '../session.ts'
import { statusLines } from '../view.ts'
import { detailLines } from '../view-detail.ts'
import { fleetLines } from '../view-fleet.ts'

export interface StatusOptions {
  /** Only the workloads of this one. */
  readonly migration?: string
}

/** `headgate status`: where everything stands, or one workload with its evidence. */
export async function status(
  session: Session,
  workload: string | undefined,
  { migration }: StatusOptions = {},
): Promise<ExitCode> {
  const client = session.client()
  if (workload !== undefined && migration !== undefined)
    throw problem('CLI_USAGE', 'name one workload, or a --migration')
  if (workload !== undefined) {
    const detail: WorkloadDetailJson = await client.workload(workload)
    if (session.json) sayJson(session, detail)
    else say(session, detailLines(detail, (await client.status()).nowMs, session.style))
    return EXIT.ok
  }
  const [all, every, fleets] = await Promise.all([client.status(), client.workloads(), client.fleets()])
  const isMeant = (one: { readonly migration: string }) => migration === undefined || one.migration === migration
  const service = { ...all, migrations: all.migrations.filter(isMeant) }
  const workloads = every.filter(isMeant)
  if (service.migrations.length + workloads.length === 0 && migration !== undefined)
    throw unknownMigration(migration, [...all.migrations, ...every])
  if (session.json) sayJson(session, { ...service, workloads, fleet: fleets.filter(isMeant) })
  else
    say(session, [
      ...statusLines(service, session.style),
      ...fleetLines(service.migrations, workloads, fleets, session.style),
    ])
  return EXIT.ok
}
