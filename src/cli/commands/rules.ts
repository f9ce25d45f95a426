import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../../config.ts'
import { problem } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import { rulesText } from '../../rules/rule.ts'
import { RUNBOOKS, ruleFiles } from '../../rules/rules.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { sayConfigProblems } from './config.ts'

export interface RulesOptions {
  /** A folder to write the files to; left out: all of it on stdout. */
  readonly out?: string
  /** Absolute address of the pages that alerts link; left out: the project's. */
  readonly runbooks?: string
}

/** `headgate rules`: the rules for Prometheus that fit a config. Asks nobody. */
export async function rules(session: Session, file: string, { out, runbooks }: RulesOptions): Promise<ExitCode> {
  const { io, json } = session
  const loaded = await loadConfig(file, { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }, io.env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  const isPromql = (source: string) => sourceKinds.some((one) => one.kind === source && one.measures.includes('value'))
  const { files, leftOut } = ruleFiles(loaded.config, { runbooks: checked(runbooks ?? RUNBOOKS), isPromql })
  if (!json) for (const { migration, sli, why } of leftOut) io.err(`no rules for ${sli} of ${migration}: ${why}\n`)
  if (out === undefined) {
    const groups = files.flatMap((one) => one.groups)
    if (json)
      sayJson(session, {
        groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(({ rule }) => rule) })),
        leftOut,
      })
    else io.out(rulesText(groups, 'Written by `headgate rules`, for `rule_files` of Prometheus.'))
    return EXIT.ok
  }
  const paths = files.map(({ name }) => join(out, name))
  await mkdir(out, { recursive: true }).catch((error) => refuse(out, error))
  for (const [index, { text }] of files.entries()) {
    const path = paths[index] ?? out
    await writeFile(path, text).catch((error) => refuse(path, error))
  }
  if (json) sayJson(session, { files: paths, leftOut })
  else
    say(
      session,
      paths.map((path) => `written to ${path}`),
    )
  return EXIT.ok
}

function checked(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url
  throw problem('CLI_USAGE', `${url} is no absolute address`, { hint: 'begin it with https://' })
}

function refuse(path: string, error: unknown): never {
  throw problem('CLI_USAGE', `${path} cannot be written`, { hint: 'check the path and its permissions', from: error })
}
