import { readFileSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite.ts'
import { createStorePath } from '../store/place.ts'
import { sampleCommit, sampleEvent } from '../store/samples.ts'
import { tamperWith } from '../store/tamper.ts'
import { runHere } from '../support/cli.ts'

const PAGE = new URL('../../docs/journal.md', import.meta.url)

// UPDATE=1 writes the example as it is printed now.
test('docs/journal.md shows what `headgate journal verify` really prints', async () => {
  const { path, remove } = createStorePath()
  onTestFinished(remove)
  const { store } = openSqlite(path)
  const lease = await store.lease('one', 0, 1_000)
  const events = ['a drill', 'a new version', 'a move', 'a test'].map((reason) => sampleEvent(null, reason))
  await store.commit(sampleCommit({ lease, revision: 0, events }))
  await store.close()
  const sound = await runHere(['journal', 'verify', '--store', path])
  tamperWith(path, (rows) => rows.filter(({ seq }) => seq !== 3))
  const broken = await runHere(['journal', 'verify', '--store', path])
  expect([sound.code, broken.code]).toEqual([0, 1])
  const printed = [
    '$ headgate journal verify',
    sound.out,
    '$ headgate journal verify   # after somebody took a row out',
    broken.err,
  ]
  const example = printed.map((text) => text.trimEnd()).join('\n')
  const page = readFileSync(PAGE, 'utf8').replace(/(## Proving it\n\n```\n)[\s\S]*?(\n```)/, `$1${example}$2`)
  if (process.env['UPDATE'] === '1') writeFileSync(PAGE, page)
  expect(readFileSync(PAGE, 'utf8')).toBe(page)
})
