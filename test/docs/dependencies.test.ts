import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageAt } from '../support/markdown.ts'

const PACKAGE = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

test.each(['dependencies', 'devDependencies', 'optionalDependencies'])(
  'docs/dependencies.md says of each of the %s why it is there, and of no other',
  (section) => {
    const [, body = ''] = pageAt('docs/dependencies.md').text.split(`\n## ${section}\n`)
    const rows = [...(body.split('\n## ')[0] ?? '').matchAll(/^\| `(.+?)` \| (.+) \|$/gm)]
    expect(rows.map((row) => row[1])).toEqual(Object.keys(PACKAGE[section]))
  },
)
