import type { WorkloadDetailJson } from '../../api/wire.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { fleetLines, statusLines } from '../view.ts'
import { detailLines } from '../view-detail.ts'

/** `headgate status`: where everything stands, or one workload with its evidence. */
export async function status(session: Session, workload: string | undefined): Promise<ExitCode> {
  const client = session.client()
  if (workload !== undefined) {
    const detail: WorkloadDetailJson = await client.workload(workload)
    if (session.json) sayJson(session, detail)
    else say(session, detailLines(detail, (await client.status()).nowMs, session.style))
    return EXIT.ok
  }
  const [service, workloads] = await Promise.all([client.status(), client.workloads()])
  if (session.json) sayJson(session, { ...service, workloads })
  else
    say(session, [...statusLines(service, session.style), ...fleetLines(service.migrations, workloads, session.style)])
  return EXIT.ok
}
