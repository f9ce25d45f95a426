import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { loadConfig } from '../../config.ts'
import { problem } from '../../core/problem.ts'
import type { MigrationConfig } from '../../policy/config.ts'
import type { ReportFormat } from '../../report/render.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say } from '../session.ts'
import { sayConfigProblems } from './config.ts'

export interface ReportOptions {
  readonly migration?: string
  readonly format?: ReportFormat
  readonly out?: string
  /** A SQLite file instead of the service. */
  readonly store?: string
  /** With `store`: where prices, and plans that are not pinned yet, come from. */
  readonly config?: string
}

/** Text of the report; `plotPath` is where Markdown finds the plots. */
type Write = (format: ReportFormat, plotPath: string | null) => Promise<string>

/** `headgate report`: the document for a postmortem or an audit. */
export async function report(session: Session, options: ReportOptions): Promise<ExitCode> {
  const { out, store, config } = options
  if (config !== undefined && store === undefined)
    throw problem('CLI_USAGE', 'a running service has its own config', { hint: 'use --config together with --store' })
  const format = options.format ?? (session.json ? 'json' : formatOf(out))
  const write = store === undefined ? fromService(session, options) : await fromStore(session, store, options)
  if (write === null) return EXIT.usage
  if (out === undefined) {
    session.io.out(await write(format, null))
    return EXIT.ok
  }
  // Pages that show Markdown take no picture from within it: it lies beside.
  const plots = format === 'md' ? `${out.replace(/\.[^./\\]*$/, '')}.svg` : null
  await writeTo(out, await write(format, plots === null ? null : basename(plots)))
  if (plots !== null) await writeTo(plots, await write('svg', null))
  say(session, [plots === null ? `written to ${out}` : `written to ${out}, its plots to ${plots}`])
  return EXIT.ok
}

function formatOf(out: string | undefined): ReportFormat {
  const ending = /\.(html|json|svg)$/i.exec(out ?? '')?.[1]?.toLowerCase()
  return ending === 'html' || ending === 'json' || ending === 'svg' ? ending : 'md'
}

function fromService({ client }: Session, { migration }: ReportOptions): Write {
  return (format, plotPath) => client().report({ format, migration: migration ?? null, plotPath })
}

/** null: the config has problems, which were said. */
async function fromStore(session: Session, path: string, options: ReportOptions): Promise<Write | null> {
  const { io } = session
  const configured = options.config === undefined ? [] : await migrationsIn(session, options.config)
  if (configured === null) return null
  const [{ openSqlite }, { gatherReport, migrationsOf, subjectsOf }, { renderReport }] = await Promise.all([
    import('../../store/sqlite.ts'),
    import('../../report/gather.ts'),
    import('../../report/render.ts'),
  ])
  const { journal, store } = openSqlite(path, { readOnly: true })
  try {
    const { rollouts, plans } = await store.load()
    const migrations = migrationsOf(plans.values(), configured)
    const subjects = subjectsOf(
      rollouts,
      plans,
      configured.flatMap((one) => one.plans),
    )
    const made = await gatherReport({ journal, subjects, migrations }, options.migration ?? null, io.clock.nowMs())
    return async (format, plotPath) => renderReport(made, format, plotPath)
  } finally {
    await store.close()
  }
}

async function migrationsIn(session: Session, file: string): Promise<readonly MigrationConfig[] | null> {
  const [{ sourceKinds }, { trafficKinds }, { channelKinds }] = await Promise.all([
    import('../../sources/registry.ts'),
    import('../../traffic/registry.ts'),
    import('../../notify/registry.ts'),
  ])
  const loaded = await loadConfig(
    file,
    { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds },
    session.io.env,
  )
  if (loaded.ok) return loaded.config.migrations
  sayConfigProblems(session, loaded.problems)
  return null
}

async function writeTo(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw problem('CLI_USAGE', `${path} cannot be written`, {
      hint: 'check the folder and its permissions',
      from: error,
    })
  }
}
