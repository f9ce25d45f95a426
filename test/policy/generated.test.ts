import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { GENERATED } from '../../scripts/write-schema.ts'
import { loadConfig } from '../../src/config.ts'
import { formatProblem } from '../../src/core/problem.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'

const root = new URL('../../', import.meta.url)
const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }

test.each(Object.entries(GENERATED))('%s is what `npm run schema` writes', (path, text) => {
  expect(readFileSync(new URL(path, root), 'utf8')).toBe(text)
})

test('every key of the reference says what it is', () => {
  const rows = (GENERATED['docs/config.md'] ?? '').split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(80)
  expect(rows.filter((row) => row.split(' | ')[1]?.trim() === '')).toEqual([])
})

describe('examples', () => {
  const examples = readdirSync(new URL('examples/', root)).filter((file) => file.endsWith('.yaml'))
  const anyEnv = new Proxy({}, { get: () => 'a-value' })

  test.each(examples)('%s is a working config', (file) => {
    const text = readFileSync(new URL(`examples/${file}`, root), 'utf8')
    const result = parseConfig(text, file, kinds, anyEnv)
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([])
  })

  test('directory is a working config of two migrations', async () => {
    const result = await loadConfig(fileURLToPath(new URL('examples/directory', root)), kinds, anyEnv)
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
    expect(result.config.migrations.map(({ migration }) => migration)).toEqual(['eks-1-33', 'payments-frankfurt'])
  })

  test('docs/directory.md shows its service file', () => {
    const [, ...lines] = readFileSync(new URL('examples/directory/service.yaml', root), 'utf8').split('\n')
    const text = lines.filter((line) => !line.startsWith('#')).join('\n')
    expect(readFileSync(new URL('docs/directory.md', root), 'utf8')).toContain(`# service.yaml\n${text}`)
  })

  test.each(examples)('%s names the schema for editors', (file) => {
    const text = readFileSync(new URL(`examples/${file}`, root), 'utf8')
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/headgate.schema.json')
  })
})
