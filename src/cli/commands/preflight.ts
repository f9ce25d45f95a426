import { loadConfig } from '../../config.ts'
import { problem } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import { plansOf } from '../../policy/config.ts'
import { lookAhead } from '../../preflight-live.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { createLog } from '../../telemetry/log.ts'
import { createRandom } from '../../telemetry/runtime.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { isClear, preflightLines } from '../view-preflight.ts'
import { sayConfigProblems } from './config.ts'

/** `headgate preflight`: looks live, and without writing, whether workloads could start, and says why not. */
export async function preflight(session: Session, file: string, workload: string | undefined): Promise<ExitCode> {
  const { io, json, style } = session
  const loaded = await loadConfig(file, { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }, io.env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  const names = plansOf(loaded.config).map((plan) => plan.workload)
  if (workload !== undefined && !names.includes(workload))
    throw problem('CLI_USAGE', `${file} has no workload "${workload}"; it has ${names.join(', ')}`)
  const looked = await lookAhead(loaded.config, (plan) => workload === undefined || plan.workload === workload, {
    env: io.env,
    clock: io.clock,
    log: createLog({ level: 'warn' }),
    signal: io.interrupted,
    random: createRandom(io.clock),
  })
  const isOk = isClear(looked)
  if (json)
    sayJson(session, {
      ok: isOk,
      workloads: looked.map(({ plan: { migration, clusters, workload: name }, checks }) => {
        return { migration, clusters, workload: name, checks }
      }),
    })
  else say(session, preflightLines(looked, style))
  return isOk ? EXIT.ok : EXIT.failed
}
