import { Problem, type ProblemCode, problem } from '../core/problem.ts'

const BUSY = 5
const LOCKED = 6

/** SQLite's primary result codes (sqlite.org/rescode.html) for which there is better advice than the usual. */
const HINTS: Readonly<Record<number, string>> = {
  8: 'the file must be writable; a tool that only reads opens it read-only',
  10: 'the disk fails or is gone: check its health and the mount',
  11: 'the file is damaged: stop, keep a copy, and restore a backup',
  13: 'free some disk space; nothing was lost, and Headgate goes on by itself',
  14: 'the folder must exist and be writable, and the path must be a file',
  26: 'the path names a file that is no store: check it',
}

/** Runs one use of the file at `path`; what SQLite throws leaves as STORE_BUSY or STORE_UNAVAILABLE. */
export function guarded<T>(path: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw toProblem(path, error)
  }
}

function toProblem(path: string, error: unknown): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error
  if ('code' in error && error.code === 'ERR_INVALID_STATE')
    return problem('STORE_UNAVAILABLE', `${path} was closed`, { from: error })
  if (!('errcode' in error) || typeof error.errcode !== 'number') return error
  // The low byte is the primary code, the rest says more of the same.
  const primary = error.errcode & 0xff
  const code: ProblemCode = primary === BUSY || primary === LOCKED ? 'STORE_BUSY' : 'STORE_UNAVAILABLE'
  const hint = HINTS[primary]
  return problem(code, `${path}: ${error.message} (SQLite ${error.errcode})`, { from: error, ...(hint && { hint }) })
}
