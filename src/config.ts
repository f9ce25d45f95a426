import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { problem } from './core/problem.ts'
import type { Kinds } from './policy/kinds.ts'
import { type ConfigResult, parseConfig } from './policy/parse.ts'
import type { Clock } from './ports/runtime.ts'

/**
 * Reads and checks a config file: the config with its plans, or all problems (codes CONFIG_…). `env` is where
 * `${env:NAME}` looks.
 */
export async function loadConfig(path: string, kinds: Kinds, env: NodeJS.ProcessEnv): Promise<ConfigResult> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    return { ok: false, problems: [problem('CONFIG_FILE_UNREADABLE', `${path}: ${errorCode(error)}`).toJSON()] }
  }
  return parseConfig(text, path, kinds, env)
}

const POLL_MS = 1000

/**
 * Calls `onChange` when the file has other content, until the signal aborts; it then resolves. The content is compared,
 * once a second, rather than events awaited: this sees a ConfigMap's swapped links, an editor's rename, and a network
 * disk alike. A change counts when it was the same twice, so that a half-written file is not taken. `onChange` is
 * awaited; a file that vanished, or came back, is a change too.
 */
export async function watchConfig(
  path: string,
  clock: Clock,
  onChange: () => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let known = await fingerprint(path)
  let latest = known
  while (!signal.aborted) {
    await clock.sleep(POLL_MS, signal)
    const now = await fingerprint(path)
    const isSettled = now === latest
    latest = now
    if (signal.aborted || !isSettled || now === known) continue
    known = now
    await onChange()
  }
}

async function fingerprint(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  } catch (error) {
    return errorCode(error)
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}
