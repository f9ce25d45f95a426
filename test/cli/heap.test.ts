import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// V8 says nothing of a flag that it is given under way and does not know: it would be without effect, and memory would grow.
test('the flags that the program gives V8 are ones that this V8 has', () => {
  const main = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8')
  const flags = [...main.matchAll(/setFlagsFromString\('(.*?)'\)/g)].map(([, flag]) => flag ?? '')
  expect(flags).not.toEqual([])
  const { status, stderr } = spawnSync(process.execPath, [...flags, '-e', ''], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(spawnSync(process.execPath, ['--no-flag-of-v8=1', '-e', '']).status).not.toBe(0)
})
