import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Problem, problem } from './core/problem.ts'
import type { Kinds } from './policy/kinds.ts'
import { type ConfigResult, type ConfigText, parseConfigs } from './policy/parse.ts'
import type { Clock } from './ports/runtime.ts'

/** A config, or its problems. */
export type LoadedConfig = ConfigResult & {
  /** The files that it names, there or not: they are to be watched with it. */
  readonly named: readonly string[]
}

/**
 * Reads and checks a config, of one file or of all files of a folder: the config with its plans, or all problems (codes
 * CONFIG_…). `env` is where `${env:NAME}` looks.
 */
export async function loadConfig(path: string, kinds: Kinds, env: NodeJS.ProcessEnv): Promise<LoadedConfig> {
  const named: string[] = []
  try {
    const files = await filesOf(path)
    if (files.length === 0)
      throw unreadable(path, 'no *.yaml or *.yml in this folder', 'put a file for each migration into it')
    const read = await Promise.allSettled(files.map(readText))
    const texts = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const problems = read.flatMap((one) => (one.status === 'rejected' ? [asProblem(one.reason)] : []))
    if (problems.length > 0) return { ok: false, problems: problems.map((one) => one.toJSON()), named }
    const folder = await folderOf(path)
    const readBeside = (name: string) => {
      const file = resolve(folder, name)
      named.push(file)
      try {
        return { text: readFileSync(file, 'utf8') }
      } catch (error) {
        return { why: errorCode(error) }
      }
    }
    return { ...parseConfigs(texts, kinds, env, readBeside), named }
  } catch (error) {
    return { ok: false, problems: [asProblem(error).toJSON()], named }
  }
}

/** The folder that a config's relative paths start from: its own, or that of its file. */
export async function folderOf(path: string): Promise<string> {
  return (await isFolder(path)) ? path : dirname(path)
}

/**
 * The files of a config, in the order of their names. Hidden ones are left out, and with them the folders that a mounted
 * ConfigMap keeps its versions in.
 */
async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await isFolder(path))) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name))
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw unreadable(path, errorCode(error))
  }
}

async function readText(file: string): Promise<ConfigText> {
  return { file, text: (await readBytes(file)).toString('utf8') }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw unreadable(file, errorCode(error))
  }
}

function unreadable(path: string, why: string, hint?: string): Problem {
  return problem('CONFIG_FILE_UNREADABLE', `${path}: ${why}`, hint === undefined ? {} : { hint })
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}

const POLL_MS = 1000

/**
 * Calls `onChange` when the file, some file of the folder, or one of those that the config names, has other content, until
 * the signal aborts; it then resolves. The content is compared, once a second, rather than events awaited: this sees a
 * ConfigMap's swapped links, an editor's rename, and a network disk alike. A change counts when it was the same twice, so
 * that a half-written file is not taken. `onChange` is awaited; a file that vanished, or came back, is a change too. That
 * the config names another file is none: whoever read that, read the file with it. `since`: what was there before somebody
 * read it, so that no change between is missed; by default what is there now.
 */
export async function watchConfig(
  path: string,
  named: () => readonly string[],
  clock: Clock,
  onChange: () => void | Promise<void>,
  signal: AbortSignal,
  since?: Fingerprints,
): Promise<void> {
  const look = () => printsOf(path, named())
  let known = since ?? (await look())
  let latest = known
  while (!signal.aborted) {
    await clock.sleep(POLL_MS, signal)
    const now = await look()
    const isSettled = isSame(now, latest)
    latest = now
    if (signal.aborted || !isSettled || isSame(now, known)) continue
    await onChange()
    known = new Map([...(await look()), ...now])
  }
}

/** By file that the config names; the config itself has the name ''. */
type Fingerprints = ReadonlyMap<string, string>

/** What a config and the files that it names have now, for `watchConfig`. */
export async function printsOf(path: string, named: readonly string[]): Promise<Fingerprints> {
  return new Map([['', await fingerprint(path)], ...(await Promise.all(named.map(namedPrint)))])
}

/** What only one of them has says nothing. */
function isSame(a: Fingerprints, b: Fingerprints): boolean {
  return [...a].every(([file, print]) => !b.has(file) || b.get(file) === print)
}

async function namedPrint(file: string): Promise<readonly [string, string]> {
  try {
    return [
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ]
  } catch (error) {
    return [file, errorCode(error)]
  }
}

/** Of the names and contents of its files; what cannot be read has its error instead. */
async function fingerprint(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for (const file of await filesOf(path)) {
      const bytes = await readBytes(file)
      // Once a second: as bytes it costs a large config half of what a text does.
      hash.update(JSON.stringify([file, bytes.length])).update(bytes)
    }
  } catch (error) {
    hash.update(asProblem(error).message)
  }
  return hash.digest('hex')
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}
