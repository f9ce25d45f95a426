import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The service as it is installed. */
export interface Built {
  /** What Node is to run. */
  readonly main: string
  remove(): void
}

/** Builds it as `npm run build` does, but for the check of types, into a folder of its own. */
export function buildService(): Built {
  // Below the root, so that what is built finds its packages.
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const out = mkdtempSync(join(ROOT, '.tmp/bench-'))
  const node = (...args: readonly string[]) => execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' })
  node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck', '--outDir', out)
  node('scripts/copy-assets.ts', out)
  return { main: join(out, 'src/main.js'), remove: () => rmSync(out, { recursive: true, force: true }) }
}
