import { loadConfig } from '../../config.ts'
import type { ProblemJson } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import { adviceOf } from '../../policy/advice.ts'
import { configShape } from '../../policy/shape.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { paint, problemText } from '../view.ts'

const KINDS = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }

/** `headgate validate`: every problem of a config at its place, in one go. */
export async function validate(session: Session, file: string): Promise<ExitCode> {
  const { io, json } = session
  const result = await loadConfig(file, KINDS, io.env)
  if (!result.ok) {
    sayConfigProblems(session, result.problems)
    return EXIT.usage
  }
  const { hash } = result.config
  const migrations = result.config.migrations.map(({ migration, plans }) => ({
    migration,
    workloads: plans.map(({ workload }) => workload),
  }))
  const advice = adviceOf(result.config)
  if (json) sayJson(session, { ok: true, hash, migrations, advice })
  else {
    say(session, [`${file} is fine: config ${hash}`, ...migrations.map(migrationLine)])
    io.err(advice.map((one) => `${paint(problemText(one), 'warn', session.style)}\n`).join(''))
  }
  return EXIT.ok
}

function migrationLine({ migration, workloads }: { migration: string; workloads: readonly string[] }): string {
  return `  migration ${migration}: ${workloads.length === 1 ? 'workload' : 'workloads'} ${workloads.join(', ')}`
}

/** Prints all that is wrong with a config: a line each, or one object. */
export function sayConfigProblems(session: Session, problems: readonly ProblemJson[]): void {
  if (session.json) sayJson(session, { ok: false, problems })
  else session.io.err(problems.map((problem) => `${problemText(problem)}\n`).join(''))
}

/** `headgate schema`: the config's JSON Schema, for editors. */
export async function schema({ io }: Session): Promise<ExitCode> {
  io.out(`${JSON.stringify(configShape(KINDS), null, 2)}\n`)
  return EXIT.ok
}
