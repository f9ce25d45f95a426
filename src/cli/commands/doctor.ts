import { stringify } from 'yaml'
import { loadConfig } from '../../config.ts'
import { diagnose, privilegesOf } from '../../diagnose.ts'
import { channelKinds } from '../../notify/registry.ts'
import type { Config } from '../../policy/config.ts'
import type { Privilege } from '../../ports/kind.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { createLog } from '../../telemetry/log.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { doctorLines } from '../view-doctor.ts'
import { sayConfigProblems } from './config.ts'

/** `headgate doctor`: looks live, and without writing, at all that a config names; or says what it needs to be allowed. */
export async function doctor(session: Session, file: string, options: { privileges?: boolean }): Promise<ExitCode> {
  const { io, json, style } = session
  const loaded = await loadConfig(file, { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }, io.env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  if (options.privileges === true) return sayPrivileges(session, loaded.config)
  const migrations = loaded.config.migrations.map(({ migration }) => migration)
  const log = createLog({ level: 'warn' })
  const checks = await diagnose(loaded.config, { env: io.env, clock: io.clock, log, signal: io.interrupted })
  const isOk = checks.every(({ level }) => level !== 'fail')
  if (json) sayJson(session, { ok: isOk, migrations, checks })
  else say(session, doctorLines(file, migrations, checks, style))
  return isOk ? EXIT.ok : EXIT.failed
}

function sayPrivileges(session: Session, config: Config): ExitCode {
  const privileges = privilegesOf(config)
  if (session.json) sayJson(session, { privileges })
  else if (privileges.length === 0) say(session, ['The providers and clusters of this config ask for no privileges.'])
  else session.io.out(privilegesText(privileges))
  return EXIT.ok
}

/** Each document under its title; titles are comments in YAML, so that a file of them is taken as it is. */
export function privilegesText(privileges: readonly Privilege[]): string {
  const texts = privileges.map(
    ({ title, format, document }) => `# ${title}\n${documentText(format, document).trimEnd()}\n`,
  )
  return texts.join('\n')
}

/** A list of YAML documents is a file of several. */
function documentText(format: Privilege['format'], document: Privilege['document']): string {
  switch (format) {
    case 'json':
      return JSON.stringify(document, null, 2)
    case 'yaml':
      return (Array.isArray(document) ? document : [document]).map((one) => `---\n${stringify(one)}`).join('')
    case 'text':
      return typeof document === 'string' ? document : JSON.stringify(document, null, 2)
  }
}
