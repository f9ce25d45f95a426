import { loadConfig } from '../../config.ts'
import { problem } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import { sendSample } from '../../notify-live.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { createLog } from '../../telemetry/log.ts'
import { createRandom } from '../../telemetry/runtime.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { sayConfigProblems } from './config.ts'

/** `headgate notify test`: sends one sample to a channel of the config, and says what came of it. */
export async function notifyTest(
  session: Session,
  name: string,
  { config: file }: { config: string },
): Promise<ExitCode> {
  const { io, json } = session
  const loaded = await loadConfig(file, { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }, io.env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  const { channels } = loaded.config.notify
  const channel = channels.find((one) => one.name === name)
  if (!channel) {
    const names = channels.length === 0 ? 'none' : channels.map((one) => one.name).join(', ')
    throw problem('CLI_USAGE', `${file} has no channel "${name}"; it has ${names}`)
  }
  const delivery = await sendSample(loaded.config, channel, {
    env: io.env,
    clock: io.clock,
    log: createLog({ level: 'warn' }),
    random: createRandom(io.clock),
    signal: io.interrupted,
  })
  const isOk = delivery.outcome === 'accepted'
  if (json) sayJson(session, { ok: isOk, channel: name, ...delivery })
  else say(session, [`${name} (${channel.kind}): ${isOk ? 'accepted' : `not accepted: ${delivery.detail}`}`])
  return isOk ? EXIT.ok : EXIT.failed
}
