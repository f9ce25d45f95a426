import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EXIT, exitCodeOf } from '../../src/cli/exit.ts'
import { CATALOGUE, type ProblemCode } from '../../src/core/catalogue.ts'
import { COMMANDS } from '../../src/core/observation.ts'
import { testApi } from '../support/api.ts'
import { runHere } from '../support/cli.ts'

const CLI = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const API = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')

/** The names in the first column of a help text's section. */
async function helpOf(args: readonly string[], section: string): Promise<string[]> {
  const { out } = await runHere([...args, '--help'])
  const [, body = ''] = out.split(`${section}:\n`)
  const [rows = ''] = body.split('\n\n')
  return [...rows.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map((match) => match[1] ?? '')
}

describe('docs/cli.md', () => {
  test('has every command', async () => {
    const commands = (await helpOf([], 'Commands')).map((text) => text.split(' ')[0] ?? '')
    expect(commands).toEqual(expect.arrayContaining(['run', 'status', ...COMMANDS]))
    for (const command of commands) expect(CLI).toContain(`headgate ${command}`)
  })

  test.each([[], ['run'], ['doctor'], ['demo'], ['journal'], ['journal', 'verify'], ['report'], ['pause'], ['revert']])(
    'has every option of %s',
    async (...args) => {
      const options = await helpOf(args, 'Options')
      expect(options.length).toBeGreaterThan(0)
      for (const option of options) expect(CLI).toContain(option)
    },
  )

  test('has every exit code by its name', () => {
    for (const [name, code] of Object.entries(EXIT)) expect(CLI).toMatch(new RegExp(`^\\| ${code} \\| ${name}`, 'm'))
  })
})

test('docs/api.md has every route', async () => {
  const { app } = await testApi({ tokens: () => [] })
  const { paths } = (await app.inject('/openapi.json')).json()
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods as object)) expect(API).toContain(`\`${method.toUpperCase()} ${path}\``)
})

test('every problem ends the process with a code of its kind', () => {
  const codes = Object.keys(CATALOGUE) as ProblemCode[]
  const kinds: Record<string, number> = { CONFIG: EXIT.usage, COMMAND: EXIT.refused, STORE: EXIT.failed }
  for (const code of codes) {
    const want = kinds[code.split('_')[0] ?? '']
    if (want !== undefined) expect([code, exitCodeOf(code)]).toEqual([code, want])
    expect(Object.values(EXIT)).toContain(exitCodeOf(code))
  }
})
