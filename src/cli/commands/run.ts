import { ConfigError, runService } from '../../app.ts'
import type { LogLevel } from '../../telemetry/log.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { sayConfigProblems } from './config.ts'

/** `headgate run`: the service, until SIGTERM or SIGINT. SIGHUP has it read its config again. */
export async function run(session: Session, options: { config: string; logLevel: LogLevel }): Promise<ExitCode> {
  const { io } = session
  try {
    const service = await runService({ configPath: options.config, env: io.env, logLevel: options.logLevel })
    // What is wrong with a new config goes to the log and the journal; the old one stays.
    const forgetHangups = io.onHangup(() => void service.reload().catch((error) => io.err(`reload failed: ${error}\n`)))
    // A stop that fails is a `done` that fails.
    const stop = () => void service.stop(String(io.interrupted.reason)).catch(() => {})
    if (io.interrupted.aborted) stop()
    else io.interrupted.addEventListener('abort', stop, { once: true })
    if (session.json) sayJson(session, { url: service.url })
    else say(session, [`Headgate answers on ${service.url}`])
    await service.done
    forgetHangups()
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    sayConfigProblems(session, error.problems)
    return EXIT.usage
  }
}
