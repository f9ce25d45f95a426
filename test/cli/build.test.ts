import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const { bin, scripts, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

// Below the root, so that what is built finds its packages.
mkdirSync(join(ROOT, '.tmp'), { recursive: true })
const out = mkdtempSync(join(ROOT, '.tmp/build-'))

function node(...args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' })
}

/** The built command, started as npm's link starts it: by its own first line and mode. */
function headgate(...args: readonly string[]): string {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const command = join(out, bin.headgate.replace(/^dist\//, ''))
  return execFileSync(command, args, { cwd: ROOT, env: { ...process.env, PATH: path }, encoding: 'utf8' })
}

beforeAll(() => {
  expect(scripts.build).toBe('tsc -p tsconfig.build.json && node scripts/copy-assets.ts')
  node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', out)
  node('scripts/copy-assets.ts', out)
}, 120_000)

afterAll(() => rmSync(out, { recursive: true, force: true }))

test('the built command knows its version', () => {
  expect(headgate('--version').trim()).toBe(version)
})

test('the built command finds the presets that lie beside it', () => {
  expect(headgate('validate', 'examples/minimal.yaml')).toContain('examples/minimal.yaml is fine')
})

test('the built command has the demo with its config', () => {
  expect(headgate('demo', '--help')).toContain('Usage: headgate demo')
  expect(readFileSync(join(out, 'examples/demo/headgate.yaml'), 'utf8')).toContain('migration: demo')
})
