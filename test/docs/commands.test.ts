import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runHere } from '../support/cli.ts'
import { codeBlocks, codeSpans, PAGES, pageAt } from '../support/markdown.ts'

const { scripts, devDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Lines that pages tell people to type, comments cut off. */
const TYPED = PAGES.filter(({ path }) => path !== 'CHANGELOG.md').flatMap((page) => [
  ...codeSpans(page),
  ...codeBlocks(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n').map((line) => line.replace(/\s+#.*$/, ''))),
])

describe('what pages tell to type', () => {
  const lines = [...new Set(TYPED.filter((line) => /^(?:npx )?headgate [a-z]/.test(line)))]

  test('is there, in the README too', () => {
    const readme = codeBlocks(pageAt('README.md')).map(({ text }) => text)
    for (const command of ['validate', 'run', 'status', 'watch', 'revert', 'journal'])
      expect(readme.join('\n')).toContain(`npx headgate ${command}`)
  })

  test.each(lines)('%s', async (line) => {
    const [name = '', ...rest] = line
      .replace(/^(?:npx )?headgate /, '')
      .replaceAll(/"[^"]*"/g, 'TEXT')
      .split(' ')
    const top = await runHere(['--help'])
    const whole = await runHere([name, '--help'])
    const [sub = ''] = rest
    const hasSub = /^[a-z]+$/.test(sub) && new RegExp(`^Commands:[^]*^  ${sub}\\b`, 'm').test(whole.out)
    const own = hasSub ? await runHere([name, sub, '--help']) : whole
    expect([name, own.code, top.out]).toEqual([name, 0, expect.stringMatching(new RegExp(`^  ${name}\\b`, 'm'))])
    const options = rest.filter((word) => word.startsWith('-')).map((word) => word.replace(/[^-a-z].*$/, ''))
    const known = `${own.out}\n${top.out}`.match(/(?<=[\s,])--?[a-z][a-z-]*/g)
    expect(options.filter((option) => !known?.includes(option))).toEqual([])
  })

  test('names scripts and tools of package.json', () => {
    const run = TYPED.flatMap((line) => line.match(/(?<=\bnpm run (?:-s )?)[a-z][\w:]*/g) ?? [])
    expect(run).toContain('demo')
    expect(run.filter((name) => !(name in scripts))).toEqual([])
    const tools = TYPED.flatMap((line) => line.match(/(?<=\bnpx )[a-z][\w:]*/g) ?? [])
    expect(tools.filter((name) => name !== 'headgate' && !(name in devDependencies))).toEqual([])
  })
})
