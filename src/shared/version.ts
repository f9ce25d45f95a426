import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { z } from 'zod'

const packageSchema = z.object({ version: z.string() })

/** Headgate's version, as its package.json says. */
export function readVersion(): string {
  const path = findPackageJSON('.', import.meta.url)
  if (path === undefined) throw new Error('Headgate runs without its package.json')
  return packageSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).version
}
