import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { folderOf, loadConfig } from '../../config.ts'
import type { Plan } from '../../core/plan.ts'
import { problem } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import { plansOf } from '../../policy/config.ts'
import { resolveSecret } from '../../shared/secret.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { type ArchivedStore, exportLines, importLines } from '../../store/archive.ts'
import { openStore } from '../../store/open.ts'
import { openSqlite } from '../../store/sqlite.ts'
import { createRandom } from '../../telemetry/runtime.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { sayConfigProblems } from './config.ts'

export interface StoreOptions {
  /** The config that names the store. */
  readonly config?: string
  /** A SQLite file instead. */
  readonly store?: string
}

/** With a store, and the plans of the config that names it. */
type Use = (opened: { readonly store: ArchivedStore; readonly plans: readonly Plan[] }) => Promise<ExitCode>

/** `headgate store export`: all that the store holds, on stdout. */
export async function storeExport(session: Session, options: StoreOptions): Promise<ExitCode> {
  return withStore(session, options, 'read', async ({ store }) => {
    for await (const line of exportLines(store)) session.io.out(`${line}\n`)
    return EXIT.ok
  })
}

/** `headgate store import`: takes an export into an empty store. */
export async function storeImport(session: Session, file: string, options: StoreOptions): Promise<ExitCode> {
  const lines = await linesOf(file)
  return withStore(session, options, 'write', async ({ store, plans }) => {
    const head = await importLines(store, lines, session.io.clock.nowMs(), plans)
    if (session.json) sayJson(session, { head })
    else say(session, [`${head.seq} journal rows are as written`, `head ${head.seq}:${head.hash}`])
    return EXIT.ok
  })
}

async function withStore(
  session: Session,
  { config: path, store: file }: StoreOptions,
  purpose: 'read' | 'write',
  use: Use,
): Promise<ExitCode> {
  if ((path === undefined) === (file === undefined))
    throw problem('CLI_USAGE', 'name a config with -c, or a SQLite file with --store')
  if (file !== undefined) return closing(openSqlite(file, { readOnly: purpose === 'read' }), [], use)
  const { env, clock } = session.io
  const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }
  const loaded = await loadConfig(path ?? '', kinds, env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  const secret = (reference: string) => resolveSecret(reference, env)
  const random = createRandom(clock)
  const { config } = loaded
  const opened = await openStore(config, await folderOf(path ?? ''), { secret, newId: () => random.id() })
  return closing(opened, plansOf(config), use)
}

async function closing(store: ArchivedStore, plans: readonly Plan[], use: Use): Promise<ExitCode> {
  try {
    return await use({ store, plans })
  } finally {
    await store.store.close()
  }
}

async function linesOf(file: string): Promise<readonly string[]> {
  const lines: string[] = []
  try {
    for await (const line of createInterface({ input: createReadStream(file) })) lines.push(line)
  } catch (error) {
    throw problem('CLI_USAGE', `the file ${file} cannot be read`, { hint: 'check the path', from: error })
  }
  return lines
}
